"""Who is on a list, for whoever asks but the criteria (see `membership.py`). Reads only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select

from massmail_plugin.audience.criteria.membership import membership
from massmail_plugin.audience.criteria.rule_sql import clause
from massmail_plugin.contracts import ContactSource, Host


def members(host: Host, source: ContactSource, list_ids: Sequence[int]) -> Select[Any]:
    """The contacts of a source on these lists: columns `key` (text) and `list_id`, one row for each list they are on.

    On a list is who is subscribed, or found by the list's criterion and not unsubscribed from it. Archived lists count
    too. Who is subscribed stays on the list when the host has deleted them: join the host's table where that matters.
    Raises RuleError where the criterion of a list does not fit, or asks for the list itself.
    """
    return membership(host, source, list_ids, clause)
