"""Contacts of the host who are on the lists of a request, in the form that a statement can use quickly. Reads only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Subquery, exists, func, literal, not_, select

from massmail_plugin.audience.criteria.membership import kept_by_criterion
from massmail_plugin.audience.funnel.request import AudienceRequest
from massmail_plugin.audience.members import members
from massmail_plugin.consent.contact_keys import key_from_text, key_text
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.models import List, Subscription

MANY = 200_000
"""From here on it is quicker to read the host's whole table than to look its rows up by key, one after the other."""


def active_ids(host: Host, list_ids: Sequence[int]) -> list[int]:
    """Those of the lists that are not archived."""
    return list(host.session.scalars(select(List.id).where(List.id.in_(list_ids), List.active).order_by(List.id)))


def archived_ids(host: Host, list_ids: Sequence[int]) -> list[int]:
    """Those of the lists that are."""
    return list(host.session.scalars(select(List.id).where(List.id.in_(list_ids), not_(List.active))))


def first_list(host: Host, request: AudienceRequest, list_ids: Sequence[int]) -> Subquery:
    """The contacts on these lists: `key` as text, and `list_id`, the first such list of each."""
    found = _members(host, request, list_ids)
    if len(list_ids) > 1:
        found = select(found.c.key, func.min(found.c.list_id).label("list_id")).group_by(found.c.key).subquery()
    return select(found.c.key, found.c.list_id).subquery("massmail_listed")


def of_listed(host: Host, source: ContactSource, request: AudienceRequest, listed: Subquery) -> ColumnElement[bool]:
    """What joins the host's contacts to `first_list`."""
    return _same(host, source, request, request.list_ids, listed)


def on_any(host: Host, source: ContactSource, request: AudienceRequest, ids: Sequence[int]) -> ColumnElement[bool]:
    """True for contacts on any of these lists: a test on the host's table, where it does not matter on which."""
    found = _members(host, request, ids)
    return exists(select(literal(1)).select_from(found).where(_same(host, source, request, ids, found)))


def _same(
    host: Host, source: ContactSource, request: AudienceRequest, ids: Sequence[int], found: Subquery
) -> ColumnElement[bool]:
    """Joins the host's contacts to key texts: by texts where all of the table is read, else by keys, with its index."""
    if _are_many(host, source, request, ids):
        return key_text(source) == found.c.key
    return register(source).key_column == key_from_text(source, found.c.key)


def _are_many(host: Host, source: ContactSource, request: AudienceRequest, ids: Sequence[int]) -> bool:
    """Whether so many contacts are asked for that all of the host's are better read."""
    if request.only is not None:
        return False
    if kept_by_criterion(host, source, ids):
        return True
    some = select(Subscription.id).where(Subscription.list_id.in_(ids)).limit(MANY).subquery()
    return (host.session.scalar(select(func.count()).select_from(some)) or 0) >= MANY


def _members(host: Host, request: AudienceRequest, list_ids: Sequence[int]) -> Any:
    found = members(host, host.source(request.source_name), list_ids).subquery("massmail_on_lists")
    if request.only is None:
        return found
    return select(found).where(found.c.key.in_(request.only)).subquery("massmail_some_on_lists")
