"""Who of a chunk must not be written to any more: asked when it is read, and again until its mails leave.

Reads only. Sending enters; one statement answers for a chunk in which nobody is stopped, as most are, and its cost
grows with the chunk alone. What it finds may take one more.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    CompoundSelect,
    Integer,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    union_all,
)

from massmail_plugin.consent.addresses import fault, spellings
from massmail_plugin.consent.stops.address_hashes import address_hashes
from massmail_plugin.consent.stops.frequency import too_soon
from massmail_plugin.contracts import Host
from massmail_plugin.models import Frequency, List, Subscription, SubscriptionEvent, Suppression
from massmail_plugin.models.base import UtcDateTime
from massmail_plugin.portable_sql import among, dialect, listed, one_of, records
from massmail_plugin.vocabulary import ConsentWay, SkipReason, SubscriptionState, SuppressionReason, SuppressionScope

_SUBSCRIPTION, _STOP, _LIST, _FREQUENCY = (
    cast(Table, model.__table__).c for model in (Subscription, Suppression, List, Frequency)
)
_BY_CONTACT = [way.value for way in ConsentWay if way.by_contact]


class Asked(NamedTuple):
    """A message about to leave."""

    id: int
    key: str
    """Of its contact."""
    address: str
    list_id: int | None = None
    """The list the contact was found on."""


@dataclass(frozen=True)
class Purpose:
    """What is asked of the mailing that the messages belong to."""

    mailing_id: int = 0
    list_ids: tuple[int, ...] = ()
    """None: no list is asked."""
    topic_id: int | None = None
    """Of its template; those of its lists are looked up."""
    by_criterion: bool = False
    """Whether a criterion keeps one of the lists."""


def stopped(host: Host, source_name: str, rows: Sequence[Asked], purpose: Purpose) -> dict[int, SkipReason]:
    """Which messages of a mailing must not go now, and why.

    For up to some hundred messages to contacts of one source. BAD_ADDRESS is decided strictly here. A contact who is
    on none of the lists any more is OPTED_OUT where they said so themselves, else LEFT_LIST; whoever was found by the
    criterion of a list stays until they leave it. WANTS_FEWER where they asked for fewer mails and got another lately.
    """
    answer = {row.id: SkipReason.BAD_ADDRESS for row in rows if fault(row.address)}
    found = _found(host, source_name, rows, purpose)
    if found:
        answer |= _wanting_fewer(host, source_name, rows, purpose, found)
        answer |= _gone(host, source_name, rows, purpose, found)
        answer |= _suppressed(host, rows, purpose, found)
    return answer


# What a row of the answer says `who` is.
_CONTACT, _ADDRESS, _GONE, _FEWER = "contact", "address", "gone", "fewer"
_HASHES = "hashes"
"""Says that there are stops of addresses known by their hashes alone; most installations have none."""


class _Found(NamedTuple):
    kind: str
    who: str
    reason: str = ""
    scope: str = ""
    place: int | None = None
    """The list or topic that is stopped."""
    until: datetime | None = None


def _found(host: Host, source_name: str, rows: Sequence[Asked], purpose: Purpose) -> list[_Found]:
    """Everything that may stop somebody among them; of most chunks, nothing."""
    addresses = {form for row in rows for form in spellings(row.address)}
    given = {
        "source": source_name,
        "keys": json.dumps([row.key for row in rows]),
        "addresses": json.dumps([form for form in addresses if form.isprintable()]),
        "lists": json.dumps(list(purpose.list_ids)),
    }
    if purpose.by_criterion:
        given["rows"] = json.dumps([{"key": row.key, "list_id": row.list_id} for row in rows])
    lists = bool(purpose.list_ids)
    statement = _stops(dialect(host).name, asks_lists=lists, by_criterion=lists and purpose.by_criterion)
    return [_Found(*row) for row in host.session.connection().execute(statement, given)]


@cache
def _stops(dialect_name: str, *, asks_lists: bool, by_criterion: bool) -> CompoundSelect[Any]:
    of_contact = _said(_CONTACT, _STOP.contact_key, *_WHAT).where(
        _STOP.contact_source == bindparam("source"), among(_STOP.contact_key, "keys")
    )
    of_address = _said(_ADDRESS, _STOP.address, *_WHAT).where(among(_STOP.address, "addresses"))
    # In the order of the index: else a planner that thinks there are many reads the whole table for the first.
    first_hash = select(_STOP.address_hash).where(_STOP.address_hash > "").order_by(_STOP.address_hash).limit(1)
    hashes = _said(_HASHES, literal("")).where(first_hash.scalar_subquery().is_not(None))
    fewer = _said(_FEWER, _FREQUENCY.contact_key).where(
        _FREQUENCY.contact_source == bindparam("source"), among(_FREQUENCY.contact_key, "keys")
    )
    known = [of_contact, of_address, hashes, fewer]
    if not asks_lists:
        return union_all(*known)
    return union_all(*known, _not_kept(dialect_name) if by_criterion else _not_subscribed(dialect_name))


_PLACE = func.coalesce(_STOP.list_id, _STOP.topic_id)
_WHAT = (_STOP.reason, _STOP.scope, _PLACE, _STOP.until)
_NOTHING = (literal(""), literal(""), literal(None, Integer), literal(None, UtcDateTime))


def _said(kind: str, who: Any, *what: Any) -> Select[Any]:
    """Without conditions but on keys: each part uses its index, however little the planner knows of the table."""
    return select(literal(kind), who, *(what or _NOTHING))


# --- On no list any more --------------------------------------------------------------------------------------


def _not_subscribed(dialect_name: str) -> Select[Any]:
    key = listed(dialect_name, "keys").c.value
    return _said(_GONE, key).where(_subscribed(key).is_(None))


def _not_kept(dialect_name: str) -> Select[Any]:
    """Those who are on none of the lists, and whom no criterion of the list they were found on keeps."""
    row = records(dialect_name, "rows", {"key": Text(), "list_id": Integer()})
    here = _SUBSCRIPTION.list_id == row.c.list_id
    own_row = select(literal(1)).where(here, *_own(row.c.key)).limit(1).scalar_subquery()
    by_criterion = (
        select(literal(1))
        .where(_LIST.id == row.c.list_id, among(_LIST.id, "lists"), _LIST.criterion_id.is_not(None))
        .limit(1)
        .scalar_subquery()
    )
    kept = and_(by_criterion.is_not(None), own_row.is_(None))
    columns = literal(""), literal(""), row.c.list_id, literal(None, UtcDateTime)
    return _said(_GONE, row.c.key, *columns).where(_subscribed(row.c.key).is_(None), ~kept)


def _subscribed(key: Any) -> Any:
    """A value, not an EXISTS: it is looked up for each key by the index, whatever the planner knows."""
    on_one = among(_SUBSCRIPTION.list_id, "lists"), _SUBSCRIPTION.state == SubscriptionState.SUBSCRIBED.value
    return select(literal(1)).where(*on_one, *_own(key)).limit(1).scalar_subquery()


def _own(key: Any) -> tuple[Any, ...]:
    return _SUBSCRIPTION.contact_source == bindparam("source"), _SUBSCRIPTION.contact_key == key


def _gone(
    host: Host, source_name: str, rows: Sequence[Asked], purpose: Purpose, found: Sequence[_Found]
) -> dict[int, SkipReason]:
    where = {(one.who, one.place) for one in found if one.kind == _GONE}
    gone = [row for row in rows if where & {(row.key, None), (row.key, row.list_id)}]
    themselves = _left_themselves(host, source_name, [row.key for row in gone], purpose.list_ids)
    return {row.id: SkipReason.OPTED_OUT if row.key in themselves else SkipReason.LEFT_LIST for row in gone}


def _left_themselves(host: Host, source_name: str, keys: Sequence[str], lists: Iterable[int]) -> set[str]:
    if not keys:
        return set()
    left = select(SubscriptionEvent.contact_key).where(
        SubscriptionEvent.contact_source == source_name,
        one_of(SubscriptionEvent.contact_key, keys),
        SubscriptionEvent.list_id.in_(lists),
        SubscriptionEvent.state == SubscriptionState.UNSUBSCRIBED,
        or_(SubscriptionEvent.message_id.is_not(None), SubscriptionEvent.way.in_(_BY_CONTACT)),
    )
    return set(host.session.scalars(left))


# --- Stopped --------------------------------------------------------------------------------------------------


def _suppressed(host: Host, rows: Sequence[Asked], purpose: Purpose, found: Sequence[_Found]) -> dict[int, SkipReason]:
    stops = [one for one in found if one.kind in (_CONTACT, _ADDRESS)]
    if any(one.kind == _HASHES for one in found):
        stops += _by_hash(host, rows)
    by_who: dict[tuple[str, str], set[SuppressionReason]] = {}
    for stop in _reaching(host, stops, purpose):
        by_who.setdefault((stop.kind, stop.who), set()).add(SuppressionReason(stop.reason))
    reasons = {row.id: _reasons(by_who, row) for row in rows} if by_who else {}
    return {
        message_id: SkipReason.OPTED_OUT if any(reason.is_wish for reason in why) else SkipReason.SUPPRESSED
        for message_id, why in reasons.items()
        if why
    }


def _reasons(by_who: Mapping[tuple[str, str], set[SuppressionReason]], row: Asked) -> set[SuppressionReason]:
    who = [(_CONTACT, row.key), *((_ADDRESS, form) for form in spellings(row.address))]
    return {reason for one in who for reason in by_who.get(one, ())}


def _reaching(host: Host, stops: Sequence[_Found], purpose: Purpose) -> Iterator[_Found]:
    """Those that hold now and reach the mailing: `suppression.reaches` in Python."""
    now, topics = host.clock(), None
    for stop in stops:
        if stop.until is not None and stop.until <= now:
            continue
        if stop.scope == SuppressionScope.TOPIC:
            topics = _topics(host, purpose) if topics is None else topics
            if stop.place not in topics:
                continue
        elif stop.scope == SuppressionScope.LIST and stop.place not in purpose.list_ids:
            continue
        yield stop


def _topics(host: Host, purpose: Purpose) -> set[int | None]:
    of_lists = select(List.topic_id).where(List.id.in_(purpose.list_ids))
    return ({purpose.topic_id} | set(host.session.scalars(of_lists))) - {None}


def _by_hash(host: Host, rows: Sequence[Asked]) -> list[_Found]:
    """The stops of addresses we no longer hold, as if they were still there."""
    address_of = {one: row.address for row in rows for one in address_hashes(host.config, row.address)}
    given = {"hashes": json.dumps(list(address_of))}
    return [
        _Found(_ADDRESS, form, *what)
        for digest, *what in host.session.connection().execute(_OF_HASH, given)
        for form in spellings(address_of[digest])
    ]


_OF_HASH = select(_STOP.address_hash, *_WHAT).where(among(_STOP.address_hash, "hashes"))


# --- Wanting fewer --------------------------------------------------------------------------------------------


def _wanting_fewer(
    host: Host, source_name: str, rows: Sequence[Asked], purpose: Purpose, found: Sequence[_Found]
) -> dict[int, SkipReason]:
    keys = [one.who for one in found if one.kind == _FEWER]
    if not keys:
        return {}
    soon = too_soon(host, source_name, at=host.clock(), mailing_id=purpose.mailing_id)
    too_early = set(host.session.scalars(soon.where(one_of(Frequency.contact_key, keys))))
    return {row.id: SkipReason.WANTS_FEWER for row in rows if row.key in too_early}
