"""How many mails of a mailing were answered in each way, counted so that a page may ask every two seconds.

Each process remembers what it counted up to some event, and later counts only what came after it. Reads only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from weakref import WeakKeyDictionary

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Table,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from massmail_plugin.contracts import Host
from massmail_plugin.models import Event
from massmail_plugin.vocabulary import EventKind

UNSETTLED = 1_000
"""The newest events are counted each time: one with a lower number may be committed after one with a higher."""
STRETCH = 5_000
"""So many more events, and the memory is brought forward."""
AFRESH = timedelta(minutes=10)
"""Everything is counted anew now and then, should an event have taken longer to be committed."""
REMEMBERED = 200
"""Mailings whose totals are kept."""

Totals = dict[str, int]


@dataclass(frozen=True)
class _Memory:
    """The totals up to and with the event `upto`."""

    upto: int
    totals: Totals
    counted_at: datetime


_memories: WeakKeyDictionary[Any, dict[int, _Memory]] = WeakKeyDictionary()
"""For each database of a host, those of its mailings."""

_KINDS: Mapping[str, tuple[tuple[EventKind, ...], bool]] = {
    "read": ((EventKind.OPEN, EventKind.CLICK), False),
    "clicked": ((EventKind.CLICK,), False),
    "bounced": ((EventKind.BOUNCE,), False),
    "complained": ((EventKind.COMPLAINT,), False),
    "machine_reads": ((EventKind.OPEN, EventKind.CLICK), True),
}
"""Each way to answer: the kinds of events, and whether it was a program."""


def response_totals(host: Host, mailing_id: int) -> Totals:
    """Mails that were read, clicked, bounced, complained about, and opened by programs (machine_reads)."""
    newest = host.session.scalar(select(func.max(Event.id))) or 0
    memory = _brought_forward(host, mailing_id, newest)
    return _plus(memory.totals, _count(host, mailing_id, memory.upto, newest))


def _brought_forward(host: Host, mailing_id: int, newest: int) -> _Memory:
    memories, now = _memories.setdefault(host.db, {}), host.clock()
    known = memories.get(mailing_id)
    if known is None or now - known.counted_at > AFRESH or known.upto > newest:
        known = _Memory(0, dict.fromkeys(_KINDS, 0), now)
    settled = max(newest - UNSETTLED, 0)
    if settled - known.upto > STRETCH:
        more = _count(host, mailing_id, known.upto, settled)
        known = _Memory(settled, _plus(known.totals, more), known.counted_at)
        while len(memories) >= REMEMBERED:
            memories.pop(next(iter(memories)), None)
        memories[mailing_id] = known
    return known


def _plus(one: Totals, other: Totals) -> Totals:
    return {name: one[name] + other[name] for name in one}


def _count(host: Host, mailing_id: int, after: int, upto: int) -> Totals:
    """The mails answered by the events above `after` that were not answered in the same way by an earlier one."""
    row = host.session.execute(_FIRST if after == 0 else _LATER, {"mailing": mailing_id, "after": after, "upto": upto})
    return dict(row.mappings().one())


_EVENT = cast(Table, Event.__table__)
_EARLIER = _EVENT.alias("earlier")
# The OFFSET makes databases begin with the numbers, not with all there is of the mailing.
_NEWER = (
    select(_EVENT.c.mailing_id, _EVENT.c.message_id, _EVENT.c.kind, _EVENT.c.by_machine)
    .where(_EVENT.c.id > bindparam("after"), _EVENT.c.id <= bindparam("upto"))
    .offset(literal_column("0"))
    .subquery("newer")
)


def _answers(event: FromClause, name: str) -> ColumnElement[bool]:
    kinds, by_machine = _KINDS[name]
    return and_(or_(*(event.c.kind == kind.value for kind in kinds)), event.c.by_machine.is_(by_machine))


def _news(name: str) -> ColumnElement[bool]:
    """Whether nothing up to the remembered event answered the mail in this way."""
    same = _EARLIER.c.message_id == _NEWER.c.message_id, _EARLIER.c.id <= bindparam("after")
    return and_(_answers(_NEWER, name), ~exists().where(*same, _answers(_EARLIER, name)))


def _mails(event: FromClause, name: str, which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(func.distinct(case((which, event.c.message_id)))).label(name)


_FIRST = select(*(_mails(_EVENT, name, _answers(_EVENT, name)) for name in _KINDS)).where(
    _EVENT.c.mailing_id == bindparam("mailing"), _EVENT.c.id <= bindparam("upto")
)
_LATER = select(*(_mails(_NEWER, name, _news(name)) for name in _KINDS)).where(
    _NEWER.c.mailing_id == bindparam("mailing")
)
