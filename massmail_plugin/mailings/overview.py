"""The numbers of many mailings at once, for lists of mailings. Screens and CLI enter; nothing is committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, Event
from massmail_plugin.vocabulary import EventKind


@dataclass(frozen=True)
class Numbers:
    """How many mails were meant to leave, were sent, read and clicked (people only)."""

    recipients: int = 0
    sent: int = 0
    read: int = 0
    clicked: int = 0


def overview(host: Host, mailing_ids: Sequence[int]) -> dict[int, Numbers]:
    """The numbers of each mailing: one read of chunks, one of indexed events."""
    sent = {row[0]: (int(row[1]), int(row[2])) for row in host.session.execute(_chunks(mailing_ids))}
    events = {row[0]: (int(row[1]), int(row[2])) for row in host.session.execute(_events(mailing_ids))}
    return {id_: Numbers(*sent.get(id_, (0, 0)), *events.get(id_, (0, 0))) for id_ in mailing_ids}


def _chunks(mailing_ids: Sequence[int]) -> Any:
    meant = Chunk.planned + Chunk.deferred + Chunk.sent + Chunk.refused + Chunk.uncertain + Chunk.cancelled
    return (
        select(Chunk.mailing_id, func.sum(meant), func.sum(Chunk.sent))
        .where(Chunk.mailing_id.in_(mailing_ids))
        .group_by(Chunk.mailing_id)
    )


def _events(mailing_ids: Sequence[int]) -> Any:
    clicks = case((Event.kind == EventKind.CLICK.value, Event.message_id))
    return (
        select(Event.mailing_id, func.count(func.distinct(Event.message_id)), func.count(func.distinct(clicks)))
        .where(Event.mailing_id.in_(mailing_ids), Event.by_machine.is_(False))
        .where(Event.kind.in_([EventKind.OPEN.value, EventKind.CLICK.value]))
        .group_by(Event.mailing_id)
    )
