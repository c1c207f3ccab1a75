"""Workers take chunks of waiting mail by lease, and mark each message before its content leaves. Commits by itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import (
    ColumnElement,
    Row,
    Table,
    Update,
    and_,
    bindparam,
    case,
    exists,
    false,
    or_,
    select,
    update,
)

from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, Mailing, OutboxMessage, Sender
from massmail_plugin.models.base import UtcDateTime
from massmail_plugin.outbox.finish import close_chunk
from massmail_plugin.outbox.lock import lock_mailing
from massmail_plugin.outbox.uncertain import mark_uncertain
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import WAITING, MailingKind, MailingState

_WAITING = [state.value for state in WAITING]
_MESSAGE = cast(Table, OutboxMessage.__table__)
_NOW = bindparam("now", type_=UtcDateTime())


@dataclass(frozen=True)
class LeasedChunk:
    """A chunk this worker may send; `holder` fences off a worker whose lease ran out."""

    id: int
    mailing_id: int
    number: int
    holder: str


def lease_chunk(host: Host, holder: str) -> LeasedChunk | None:
    """Lease the next chunk that is due, tests first; None where nothing can be sent now.

    Safe for any number of workers.
    """
    now = host.clock()
    free = and_(Chunk.due_at <= now, Chunk.leased_by.is_(None))
    able = or_(Sender.fault_until.is_(None), Sender.fault_until <= now)
    first = (
        select(Chunk.id)
        .join(Mailing, Mailing.id == Chunk.mailing_id)
        .join(Sender, Sender.id == Mailing.sender_id)
        .where(free, Mailing.state == MailingState.SENDING.value, able)
        .order_by(case((Mailing.kind == MailingKind.TEST.value, 0), else_=1), Chunk.due_at, Chunk.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Chunk)
    )
    until = now + timedelta(seconds=host.config.lease_seconds)
    statement = (
        update(Chunk)
        .where(Chunk.id == first.scalar_subquery(), Chunk.leased_by.is_(None))
        .values(leased_by=holder, leased_until=until)
        .returning(Chunk.id, Chunk.mailing_id, Chunk.number)
        .execution_options(synchronize_session=False)
    )
    row = host.session.execute(statement).first()
    host.session.commit()
    return LeasedChunk(row.id, row.mailing_id, row.number, holder) if row else None


def rows_to_send(
    host: Host, chunk: LeasedChunk
) -> list[Row[tuple[int, str, str, str, str, int | None, int, datetime | None]]]:
    """The rows of a leased chunk that may go now: id, source, key, role, address, list, attempts, first tried."""
    message = OutboxMessage
    query = (
        select(
            message.id,
            message.contact_source,
            message.contact_key,
            message.address_role,
            message.address,
            message.list_id,
            message.attempts,
            message.first_tried_at,
        )
        .where(message.mailing_id == chunk.mailing_id, message.chunk == chunk.number)
        .where(message.state.in_(_WAITING), message.due_at <= host.clock(), message.handed_at.is_(None))
        .order_by(message.id)
    )
    return list(host.session.execute(query))


class HandOver:
    """The durable mark of one chunk's messages. Its statement is made once, since it runs for every message."""

    def __init__(self, host: Host, chunk: LeasedChunk, *unless: ColumnElement[bool]) -> None:
        """`unless`: clauses over OutboxMessage; where one holds, a message must not go.

        They may have parameters that are not called like a column.
        """
        row = _MESSAGE.c
        self._host = host
        here = row.id == bindparam("message"), row.state.in_(_WAITING), row.handed_at.is_(None)
        ours = exists().where(Chunk.id == chunk.id, Chunk.leased_by == chunk.holder, Chunk.leased_until > _NOW)
        runs = exists().where(Mailing.id == chunk.mailing_id, Mailing.state == MailingState.SENDING.value)
        self._mark = update(_MESSAGE).where(*here, ours, runs, *(~clause for clause in unless)).values(handed_at=_NOW)
        self._stop = select(row.id).where(*here, or_(false(), *unless))

    def mark(self, message_id: int, **values: object) -> bool:
        """Mark a message as handed, durably; False where it must not go any more. Commits.

        It must not go when the lease was lost, the mailing is no longer sending, the row is final, or one of the
        clauses holds (`values` are their parameters): checked in the same statement, so there is no gap.
        """
        given = {"message": message_id, "now": self._host.clock(), **values}
        marked = changed(self._host, self._mark, given) == 1
        self._host.session.commit()
        return marked

    def stops(self, message_id: int, **values: object) -> bool:
        """Whether one of the clauses is what keeps a waiting message back."""
        return self._host.session.execute(self._stop, {"message": message_id, **values}).first() is not None


def renew(host: Host, chunk: LeasedChunk) -> None:
    """Prolong a lease; the caller commits."""
    until = host.clock() + timedelta(seconds=host.config.lease_seconds)
    changed(host, _own(chunk).values(leased_until=until))


def give_back(host: Host, chunk: LeasedChunk) -> None:
    """End a lease and bring the chunk's counters up to its rows; the caller commits.

    A message that was handed and not settled is uncertain from here on. Where the lease was lost, what is handed
    belongs to another worker and is left alone.
    """
    lock_mailing(host, chunk.mailing_id)
    if changed(host, _own(chunk).values(leased_by=None, leased_until=None)) == 1:
        mark_uncertain(host, chunk.mailing_id, chunk.number)
    close_chunk(host, chunk.mailing_id, chunk.number)


def _own(chunk: LeasedChunk) -> Update:
    return update(Chunk).where(Chunk.id == chunk.id, Chunk.leased_by == chunk.holder)
