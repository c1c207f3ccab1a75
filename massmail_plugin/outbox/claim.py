"""Workers take chunks of waiting mail by lease, and mark each message before its content leaves. Commits by itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Row, Update, and_, case, exists, or_, select, update

from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, Mailing, OutboxMessage, Sender
from massmail_plugin.outbox.counters import recount
from massmail_plugin.outbox.uncertain import mark_uncertain
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import WAITING, MailingKind, MailingState

_WAITING = [state.value for state in WAITING]


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


def hand(host: Host, chunk: LeasedChunk, message_id: int, *unless: ColumnElement[bool]) -> bool:
    """Mark a message as handed, durably; False where it must not go any more. Commits.

    It must not go when the lease was lost, the mailing is no longer sending, the row is final, or one of the clauses
    `unless` (over OutboxMessage) holds: they are checked in the same statement, so there is no gap.
    """
    now = host.clock()
    ours = exists().where(Chunk.id == chunk.id, Chunk.leased_by == chunk.holder, Chunk.leased_until > now)
    runs = exists().where(Mailing.id == chunk.mailing_id, Mailing.state == MailingState.SENDING.value)
    statement = (
        update(OutboxMessage)
        .where(OutboxMessage.id == message_id, OutboxMessage.state.in_(_WAITING), OutboxMessage.handed_at.is_(None))
        .where(ours, runs, *(~clause for clause in unless))
        .values(handed_at=now)
    )
    marked = changed(host, statement) == 1
    host.session.commit()
    return marked


def renew(host: Host, chunk: LeasedChunk) -> None:
    """Prolong a lease; the caller commits."""
    until = host.clock() + timedelta(seconds=host.config.lease_seconds)
    changed(host, _own(chunk).values(leased_until=until))


def give_back(host: Host, chunk: LeasedChunk) -> None:
    """End a lease and bring the chunk's counters up to its rows; the caller commits.

    A message that was handed and not settled is uncertain from here on.
    """
    mark_uncertain(host, chunk.mailing_id, chunk.number)
    recount(host, chunk.mailing_id, from_number=chunk.number, to_number=chunk.number)
    changed(host, _own(chunk).values(leased_by=None, leased_until=None))


def _own(chunk: LeasedChunk) -> Update:
    return update(Chunk).where(Chunk.id == chunk.id, Chunk.leased_by == chunk.holder)
