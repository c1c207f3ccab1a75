"""The counters of chunks: set from the rows in the commit that changes them, summed up for progress."""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import func, select, update

from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, OutboxMessage
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import WAITING, MessageState


@dataclass(frozen=True)
class Counts:
    """How many rows of a mailing are in each state."""

    planned: int = 0
    deferred: int = 0
    sent: int = 0
    refused: int = 0
    uncertain: int = 0
    skipped: int = 0
    cancelled: int = 0

    @property
    def rows(self) -> int:
        return sum(getattr(self, f.name) for f in fields(self))

    @property
    def waiting(self) -> int:
        return self.planned + self.deferred

    @property
    def recipients(self) -> int:
        """Rows that were meant to leave: all but the skipped."""
        return self.rows - self.skipped


def recount(host: Host, mailing_id: int, *, from_number: int = 0, to_number: int | None = None) -> None:
    """Set the counters and `due_at` of a mailing's chunks from their rows; the chunks in the range only."""
    message = OutboxMessage
    own = message.mailing_id == Chunk.mailing_id, message.chunk == Chunk.number
    number = select(func.count()).select_from(message).where(*own)
    values = {
        state.value: number.where(message.state == state.value).correlate(Chunk).scalar_subquery()
        for state in MessageState
    }
    waits = message.state.in_([state.value for state in WAITING])
    values["due_at"] = select(func.min(message.due_at)).where(*own, waits).correlate(Chunk).scalar_subquery()
    chunks = [Chunk.mailing_id == mailing_id, Chunk.number >= from_number]
    if to_number is not None:
        chunks.append(Chunk.number <= to_number)
    changed(host, update(Chunk).where(*chunks).values(values))


def counts(host: Host, mailing_id: int) -> Counts:
    """The counts of a mailing, from its chunks: the cost grows with chunks, not with messages."""
    states = [state.value for state in MessageState]
    columns = [func.coalesce(func.sum(getattr(Chunk, state)), 0) for state in states]
    row = host.session.execute(select(*columns).where(Chunk.mailing_id == mailing_id)).one()
    return Counts(**{state: int(value) for state, value in zip(states, row, strict=True)})


def next_due(host: Host, mailing_id: int) -> datetime | None:
    """When the next message of a mailing may go; None where nothing waits."""
    return host.session.scalar(select(func.min(Chunk.due_at)).where(Chunk.mailing_id == mailing_id))
