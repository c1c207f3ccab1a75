"""The counters of chunks: set from the rows in the commit that changes them, summed up for progress."""

from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import cast

from sqlalchemy import Integer, Table, Update, UpdateBase, bindparam, case, func, or_, select, update

from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, OutboxMessage
from massmail_plugin.models.base import BigId
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import WAITING, MessageState

_ROW = cast(Table, OutboxMessage.__table__)
_CHUNK = cast(Table, Chunk.__table__)
LAST = 2**31 - 1
"""No chunk has a higher number."""


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
    """Set the counters and `due_at` of a mailing's chunks from their rows, in one pass; those in the range only."""
    span = {"mailing": mailing_id, "first": from_number, "last": LAST if to_number is None else to_number}
    changed(host, _recount(), span)


def recount_returned(host: Host, chunk_id: int, mailing_id: int, number: int, holder: str) -> bool | None:
    """End a chunk's lease and count it, in one statement; whether something of it still waits.

    None, and nothing done, where the lease is not the holder's any more.
    """
    given = {"mailing": mailing_id, "first": number, "last": number, "chunk_id": chunk_id, "holder": holder}
    row = host.session.connection().execute(_recount_returned(), given).first()
    return None if row is None else row.due_at is not None


@cache
def _recount_returned() -> UpdateBase:
    ours = _CHUNK.c.id == bindparam("chunk_id", type_=BigId), _CHUNK.c.leased_by == bindparam("holder")
    free = {"leased_by": None, "leased_until": None, "journal": None, "crashes": 0}
    return _recount().where(*ours).values(free).returning(_CHUNK.c.due_at)


@cache
def _recount() -> Update:
    """Made once, since it runs whenever a worker settles."""
    mailing = bindparam("mailing", type_=Integer)
    first, last = bindparam("first", type_=Integer), bindparam("last", type_=Integer)
    found = {state.value: func.sum(case((_ROW.c.state == state.value, 1), else_=0)) for state in MessageState}
    waits = or_(*(_ROW.c.state == state.value for state in WAITING))
    counted = (
        select(_ROW.c.chunk, func.min(case((waits, _ROW.c.due_at))).label("due_at"))
        .add_columns(*(number.label(name) for name, number in found.items()))
        .where(_ROW.c.mailing_id == mailing, _ROW.c.chunk.between(first, last))
        .group_by(_ROW.c.chunk)
        .subquery("counted")
    )
    return (
        update(_CHUNK)
        .where(_CHUNK.c.mailing_id == mailing, _CHUNK.c.number.between(first, last))
        .where(_CHUNK.c.number == counted.c.chunk)
        .values({"uncounted": True} | {name: counted.c[name] for name in ("due_at", *found)})
    )


def counts(host: Host, mailing_id: int) -> Counts:
    """The counts of a mailing, from its chunks: the cost grows with chunks, not with messages."""
    states = [state.value for state in MessageState]
    columns = [func.coalesce(func.sum(getattr(Chunk, state)), 0) for state in states]
    row = host.session.execute(select(*columns).where(Chunk.mailing_id == mailing_id)).one()
    return Counts(**{state: int(value) for state, value in zip(states, row, strict=True)})


def next_due(host: Host, mailing_id: int) -> datetime | None:
    """When the next message of a mailing may go; None where nothing waits."""
    return host.session.scalar(select(func.min(Chunk.due_at)).where(Chunk.mailing_id == mailing_id))
