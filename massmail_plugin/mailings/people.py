"""Who is behind a number: the rows of a mailing by state or response, page by page. Screens enter.

Nothing is committed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, exists, func, select

from massmail_plugin import audience
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import Event, Mailing, OutboxMessage
from massmail_plugin.vocabulary import WAITING, EventKind, MessageState


class Which(StrEnum):
    """The groups of people a screen can ask for."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNCERTAIN = "uncertain"
    CANCELLED = "cancelled"
    READ = "read"
    CLICKED = "clicked"
    REMOVED = "removed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


_STATES = {
    Which.WAITING: WAITING,
    Which.SENT: (MessageState.SENT,),
    Which.FAILED: (MessageState.REFUSED,),
    Which.SKIPPED: (MessageState.SKIPPED,),
    Which.UNCERTAIN: (MessageState.UNCERTAIN,),
    Which.CANCELLED: (MessageState.CANCELLED,),
}
_EVENTS = {
    Which.READ: (EventKind.OPEN, EventKind.CLICK),
    Which.CLICKED: (EventKind.CLICK,),
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
    """Up to `limit` people with a row id above `after_id`."""
    query = (
        select(OutboxMessage)
        .where(OutboxMessage.mailing_id == mailing.id, OutboxMessage.id > after_id, _belongs(which))
        .order_by(OutboxMessage.id)
        .limit(limit)
    )
    messages = list(host.session.scalars(query))
    refs = [ContactRef(message.contact_source, message.contact_key) for message in messages]
    found = audience.summaries(host, set(refs))
    times = _first_events(host, which, [message.id for message in messages])
    return [
        Person(message, ref, found[ref].name if ref in found else "", times.get(message.id, message.settled_at))
        for message, ref in zip(messages, refs, strict=True)
    ]


def _belongs(which: Which) -> ColumnElement[bool]:
    if which in _STATES:
        return OutboxMessage.state.in_([state.value for state in _STATES[which]])
    event = Event.message_id == OutboxMessage.id
    happened = exists().where(event, Event.kind.in_([k.value for k in _EVENTS[which]]), Event.by_machine.is_(False))
    return and_(happened, ~_came_back()) if which is Which.REMOVED else happened


def _came_back() -> ColumnElement[bool]:
    """Whether every opt-out through a message was taken back, as the number of the removed counts it."""
    turn = case((Event.kind == EventKind.OPT_OUT.value, 1), else_=-1)
    turns = Event.kind.in_([EventKind.OPT_OUT.value, EventKind.OPT_BACK_IN.value])
    return select(func.sum(turn)).where(Event.message_id == OutboxMessage.id, turns).scalar_subquery() <= 0


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
