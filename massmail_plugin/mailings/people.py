"""Who is behind a number: the rows of a mailing by state or response, page by page. Screens enter.

Nothing is committed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, case, exists, func, literal, select, tuple_
from sqlalchemy.orm import aliased

from massmail_plugin import audience
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import Chunk, Event, Mailing, OutboxMessage
from massmail_plugin.vocabulary import WAITING, EventKind, MessageState


class Which(StrEnum):
    """The groups of people a screen can ask for."""

    TOTAL = "total"
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNCERTAIN = "uncertain"
    CANCELLED = "cancelled"
    READ = "read"
    CLICKED = "clicked"
    REPLIED = "replied"
    REMOVED = "removed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


_STATES: Mapping[Which, Sequence[MessageState]] = {
    Which.TOTAL: [state for state in MessageState if state is not MessageState.SKIPPED],
    Which.WAITING: WAITING,
    Which.SENT: (MessageState.SENT,),
    Which.FAILED: (MessageState.REFUSED,),
    Which.SKIPPED: (MessageState.SKIPPED,),
    Which.UNCERTAIN: (MessageState.UNCERTAIN,),
    Which.CANCELLED: (MessageState.CANCELLED,),
}
_EVENTS = {
    Which.READ: (EventKind.OPEN, EventKind.CLICK, EventKind.REPLY),
    Which.CLICKED: (EventKind.CLICK,),
    Which.REPLIED: (EventKind.REPLY,),
    Which.REMOVED: (EventKind.OPT_OUT,),
    Which.BOUNCED: (EventKind.BOUNCE,),
    Which.COMPLAINED: (EventKind.COMPLAINT,),
}


@dataclass(frozen=True)
class Person:
    """One row of a mailing with its contact's name; `when` is the answer's or the first event's time."""

    message: OutboxMessage
    contact: ContactRef
    name: str
    when: datetime | None


def people(host: Host, mailing: Mailing, which: Which, *, after_id: int = 0, limit: int = 50) -> list[Person]:
    """Up to `limit` people the viewer may see, after `after_id`: by state in the order of sending, else by row id.

    The cost does not grow with the mailing: a state is looked for in the chunks that count it, a response among events.
    """
    states = _STATES.get(which)
    messages = (
        _in_state(host, mailing, states, after_id, limit)
        if states
        else _answering(host, mailing, which, after_id, limit)
    )
    refs = [ContactRef(message.contact_source, message.contact_key) for message in messages]
    found = audience.summaries(host, set(refs))
    times = _first_events(host, which, [message.id for message in messages])
    return [
        Person(message, ref, found[ref].name if ref in found else "", times.get(message.id, message.settled_at))
        for message, ref in zip(messages, refs, strict=True)
    ]


def _in_state(
    host: Host, mailing: Mailing, states: Sequence[MessageState], after_id: int, limit: int
) -> list[OutboxMessage]:
    """No index holds the state of a message; the counters of the chunks say where some are."""
    row = OutboxMessage
    after = host.session.execute(
        select(row.chunk, row.id).where(row.id == after_id, row.mailing_id == mailing.id)
    ).first()
    found: list[OutboxMessage] = []
    for numbers in _chunks_with(host, mailing, states, after.chunk if after else 0, limit):
        query = (
            select(row)
            .where(row.mailing_id == mailing.id, row.chunk.in_(numbers))
            .where(row.state.in_([state.value for state in states]))
            .where(audience.visible_rows(host, row.contact_source, row.contact_key))
            .order_by(row.chunk, row.id)
            .limit(limit - len(found))
        )
        if after is not None:
            query = query.where(tuple_(row.chunk, row.id) > (after.chunk, after.id))
        found += host.session.scalars(query)
        if len(found) == limit:
            break
    return found


def _chunks_with(
    host: Host, mailing: Mailing, states: Sequence[MessageState], first: int, limit: int
) -> Iterator[list[int]]:
    """The numbers of the chunks from `first` on that hold such messages, some at a time: enough for a page."""
    held = sum((getattr(Chunk, state.value) for state in states), start=literal(0))
    wanted = select(Chunk.number, held).where(Chunk.mailing_id == mailing.id, held > 0).order_by(Chunk.number)
    while chunks := host.session.execute(wanted.where(Chunk.number >= first).limit(limit)).all():
        # What the first chunk holds may lie before the page.
        before = [sum(number for _, number in chunks[1:place]) for place in range(len(chunks))]
        some = [chunk for (chunk, _), already in zip(chunks, before, strict=True) if already < limit]
        yield some
        first = some[-1] + 1


def _answering(host: Host, mailing: Mailing, which: Which, after_id: int, limit: int) -> list[OutboxMessage]:
    """Those with an event of a person, found through the index over events."""
    of_kind = [
        select(Event.message_id)
        .where(Event.mailing_id == mailing.id, Event.kind == kind.value, Event.by_machine.is_(False))
        .where(Event.message_id > after_id, *([~_came_back()] if which is Which.REMOVED else []), *_seen(host))
        .distinct()
        .order_by(Event.message_id)
        .limit(limit)
        for kind in _EVENTS[which]
    ]
    ids = sorted({message_id for query in of_kind for message_id in host.session.scalars(query)})[:limit]
    return list(host.session.scalars(select(OutboxMessage).where(OutboxMessage.id.in_(ids)).order_by(OutboxMessage.id)))


def _seen(host: Host) -> list[ColumnElement[bool]]:
    """What keeps an event within what the viewer may see; nothing for whoever may see all."""
    if not audience.limited(host):
        return []
    row = OutboxMessage
    seen = audience.visible_rows(host, row.contact_source, row.contact_key)
    return [exists().where(row.id == Event.message_id, seen)]


def _came_back() -> ColumnElement[bool]:
    """Whether every opt-out through an event's message was taken back, as the number of the removed counts it."""
    other = aliased(Event)
    turn = case((other.kind == EventKind.OPT_OUT.value, 1), else_=-1)
    turns = other.kind.in_([EventKind.OPT_OUT.value, EventKind.OPT_BACK_IN.value])
    return select(func.sum(turn)).where(other.message_id == Event.message_id, turns).scalar_subquery() <= 0


def _first_events(host: Host, which: Which, ids: Sequence[int]) -> dict[int, datetime]:
    if which not in _EVENTS:
        return {}
    kinds = [kind.value for kind in _EVENTS[which]]
    query = (
        select(Event.message_id, Event.at)
        .where(Event.message_id.in_(ids), Event.kind.in_(kinds), Event.by_machine.is_(False))
        .order_by(Event.at.desc())
    )
    return {row.message_id: row.at for row in host.session.execute(query)}
