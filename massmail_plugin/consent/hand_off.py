"""Who of a chunk must not be written to any more: asked when it is read, and again until its mails leave.

Reads only. Sending enters; one statement answers for a whole chunk, and its cost grows with the chunk alone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, cast

from sqlalchemy import CompoundSelect, Table, bindparam, literal, null, select, union_all

from massmail_plugin.consent.addresses import fault, spellings
from massmail_plugin.contracts import Host
from massmail_plugin.models import Subscription, SubscriptionEvent, Suppression
from massmail_plugin.portable_sql import among, dialect, listed, one_of
from massmail_plugin.vocabulary import SkipReason, SubscriptionState, SuppressionReason, SuppressionScope

_SUBSCRIPTION, _STOP = (cast(Table, model.__table__).c for model in (Subscription, Suppression))


class Asked(NamedTuple):
    """A message about to leave."""

    id: int
    key: str
    """Of its contact."""
    address: str


def stopped(host: Host, source_name: str, rows: Sequence[Asked], list_ids: Sequence[int]) -> dict[int, SkipReason]:
    """Which messages of a mailing to `list_ids` (none: no list is asked) must not go now, and why.

    For up to some hundred messages to contacts of one source. BAD_ADDRESS is decided strictly here. A contact who is
    on none of the lists any more is OPTED_OUT where they said so themselves through a mail, else LEFT_LIST.
    """
    answer = {row.id: SkipReason.BAD_ADDRESS for row in rows if fault(row.address)}
    found = _found(host, source_name, rows, list_ids)
    if found:
        answer |= _left(host, source_name, rows, list_ids, {one.who for one in found if one.kind == _LEFT})
        answer |= _suppressed(rows, list_ids, [one for one in found if one.kind != _LEFT])
    return answer


# What a row of the answer says `who` is.
_LEFT, _CONTACT, _ADDRESS = "left", "contact", "address"


class _Found(NamedTuple):
    kind: str
    who: str
    scope: str | None
    list_id: int | None
    reason: str | None


def _found(host: Host, source_name: str, rows: Sequence[Asked], list_ids: Sequence[int]) -> list[_Found]:
    """Everything that stops somebody among them; of most chunks, nothing."""
    addresses = {form for row in rows for form in spellings(row.address)}
    given = {
        "source": source_name,
        "keys": json.dumps([row.key for row in rows]),
        "addresses": json.dumps([form for form in addresses if form.isprintable()]),
        "lists": json.dumps(list(list_ids)),
    }
    statement = _stops(dialect(host).name, asks_lists=bool(list_ids))
    return [_Found(*row) for row in host.session.connection().execute(statement, given)]


@cache
def _stops(dialect_name: str, *, asks_lists: bool) -> CompoundSelect[Any]:
    details = (_STOP.scope, _STOP.list_id, _STOP.reason)
    of_contact = select(literal(_CONTACT), _STOP.contact_key, *details).where(
        _STOP.contact_source == bindparam("source"), among(_STOP.contact_key, "keys")
    )
    of_address = select(literal(_ADDRESS), _STOP.address, *details).where(among(_STOP.address, "addresses"))
    if not asks_lists:
        return union_all(of_contact, of_address)
    key = listed(dialect_name, "keys").c.value
    # A value, not an EXISTS: it is looked up for each key by the index, however little the planner knows of the table.
    subscribed = (
        select(literal(1))
        .where(among(_SUBSCRIPTION.list_id, "lists"), _SUBSCRIPTION.contact_source == bindparam("source"))
        .where(_SUBSCRIPTION.contact_key == key, _SUBSCRIPTION.state == SubscriptionState.SUBSCRIBED.value)
        .limit(1)
        .scalar_subquery()
    )
    left = select(literal(_LEFT), key, null(), null(), null()).where(subscribed.is_(None))
    return union_all(of_contact, of_address, left)


def _left(
    host: Host, source_name: str, rows: Sequence[Asked], list_ids: Sequence[int], gone: set[str]
) -> dict[int, SkipReason]:
    themselves = _left_through_a_mail(host, source_name, gone, list_ids)
    return {
        row.id: SkipReason.OPTED_OUT if row.key in themselves else SkipReason.LEFT_LIST
        for row in rows
        if row.key in gone
    }


def _left_through_a_mail(host: Host, source_name: str, keys: Iterable[str], lists: Iterable[int]) -> set[str]:
    keys = list(keys)
    if not keys:
        return set()
    left = select(SubscriptionEvent.contact_key).where(
        SubscriptionEvent.contact_source == source_name,
        one_of(SubscriptionEvent.contact_key, keys),
        SubscriptionEvent.list_id.in_(lists),
        SubscriptionEvent.state == SubscriptionState.UNSUBSCRIBED,
        SubscriptionEvent.message_id.is_not(None),
    )
    return set(host.session.scalars(left))


def _suppressed(rows: Sequence[Asked], list_ids: Sequence[int], found: Sequence[_Found]) -> dict[int, SkipReason]:
    by_who: dict[tuple[str, str], list[_Found]] = {}
    for stop in found:
        by_who.setdefault((stop.kind, stop.who), []).append(stop)
    reasons = ((row.id, _reason(by_who, row, list_ids)) for row in rows)
    return {message_id: reason for message_id, reason in reasons if reason is not None}


def _reason(by_who: Mapping[tuple[str, str], list[_Found]], row: Asked, list_ids: Sequence[int]) -> SkipReason | None:
    who = [(_CONTACT, row.key), *((_ADDRESS, form) for form in spellings(row.address))]
    reaching = {
        stop.reason
        for one in who
        for stop in by_who.get(one, ())
        if stop.scope != SuppressionScope.LIST or stop.list_id in list_ids
    }
    if SuppressionReason.OPT_OUT in reaching:
        return SkipReason.OPTED_OUT
    return SkipReason.SUPPRESSED if reaching else None
