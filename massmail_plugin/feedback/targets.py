"""Where a stored link leads for one recipient. Clicks enter; nothing is committed here."""

from collections.abc import Mapping
from typing import Any

from massmail_plugin.audience.contact_values import values
from massmail_plugin.composing.rendering import render_target
from massmail_plugin.composing.values import values_for
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadLink, MassMailError
from massmail_plugin.models import Mailing, OutboxMessage, PreparedMessage


def target_for(host: Host, message_id: int, target: str) -> str:
    """The web address of a link, with the recipient's values of today where the author put fields into it.

    Raises BadLink where it leads to no web page.
    """
    try:
        return render_target(target, _values(host, message_id) if "{" in target else {})
    except (MassMailError, ValueError):
        raise BadLink("This link does not lead to a web page.") from None


def _values(host: Host, message_id: int) -> Mapping[str, Any]:
    message = host.session.get_one(OutboxMessage, message_id)
    mailing = host.session.get_one(Mailing, message.mailing_id)
    prepared = host.session.get(PreparedMessage, mailing.id)
    found = values(host, host.source(message.contact_source), [message.contact_key])
    return values_for(
        host,
        contact=found.get(message.contact_key, {}),
        sender_name=prepared.from_name if prepared else "",
        sender_address=prepared.from_address if prepared else "",
        mailing_name=mailing.name,
        topic=mailing.template.topic if mailing.template else "",
    )
