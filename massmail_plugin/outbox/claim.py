"""Workers take chunks of waiting mail by lease, keep them, and give them back. Commits where it says so.

While a chunk is leased, its holder alone changes its rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from sqlalchemy import ColumnElement, Table, Update, and_, bindparam, select, true, update

from massmail_plugin.contracts import Host
from massmail_plugin.leases import database_now
from massmail_plugin.models import Chunk, Mailing, OutboxMessage, Sender
from massmail_plugin.outbox.finish import close_chunk, finish_if_done, reopen_if_waiting
from massmail_plugin.outbox.lock import lock_mailing
from massmail_plugin.portable_sql import changed, one_of
from massmail_plugin.vocabulary import WAITING, MailingState

_CHUNK, _MAILING, _MESSAGE = (cast(Table, model.__table__).c for model in (Chunk, Mailing, OutboxMessage))
_HELD = (
    select(_CHUNK.id)
    .join_from(_CHUNK.id.table, _MAILING.id.table, _MAILING.id == _CHUNK.mailing_id)
    .where(_CHUNK.id.in_(bindparam("chunks", expanding=True)), _CHUNK.leased_by == bindparam("holder"))
    .where(_MAILING.state == MailingState.SENDING.value)
)


_TO_SEND = (
    select(
        _MESSAGE.id,
        _MESSAGE.contact_key,
        _MESSAGE.address_role,
        _MESSAGE.address,
        _MESSAGE.attempts,
        _MESSAGE.first_tried_at,
    )
    .where(_MESSAGE.mailing_id == bindparam("mailing"), _MESSAGE.chunk == bindparam("chunk_number"))
    .where(_MESSAGE.state.in_([state.value for state in WAITING]), _MESSAGE.due_at <= bindparam("now"))
    .order_by(_MESSAGE.id)
    .limit(bindparam("most"))
)


@dataclass(frozen=True)
class LeasedChunk:
    """A chunk this worker may send; `holder` fences off a worker whose lease ran out."""

    id: int
    mailing_id: int
    number: int
    holder: str
    at: datetime
    """When it was leased, by the database's clock."""


class WaitingRow(NamedTuple):
    """A row of a leased chunk that may go now."""

    id: int
    contact_key: str
    address_role: str
    address: str
    attempts: int
    first_tried_at: datetime | None


def lease_chunk(
    host: Host, holder: str, journal: str, *, able: ColumnElement[bool] | None = None, but: Sequence[int] = ()
) -> LeasedChunk | None:
    """Lease the next chunk that is due, the urgent first; None where nothing can be sent now. Commits.

    Safe for any number of workers. `able` narrows the senders, `but` names senders this worker has enough of.
    """
    now = database_now(host)
    free = and_(Chunk.due_at <= now, Chunk.leased_by.is_(None))
    works = (Sender.fault_until.is_(None)) | (Sender.fault_until <= now)
    first = (
        select(Chunk.id)
        .join(Mailing, Mailing.id == Chunk.mailing_id)
        .join(Sender, Sender.id == Mailing.sender_id)
        .where(free, Mailing.state == MailingState.SENDING.value, works, true() if able is None else able)
        .order_by(Chunk.priority, Chunk.due_at, Chunk.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Chunk)
    )
    if but:
        first = first.where(Sender.id.not_in(but))
    statement = (
        update(Chunk)
        .where(Chunk.id == first.scalar_subquery(), Chunk.leased_by.is_(None))
        .values(leased_by=holder, leased_until=now + lease_time(host), journal=journal)
        .returning(Chunk.id, Chunk.mailing_id, Chunk.number)
        .execution_options(synchronize_session=False)
    )
    row = host.session.execute(statement).first()
    host.session.commit()
    return LeasedChunk(row.id, row.mailing_id, row.number, holder, now) if row else None


def rows_to_send(host: Host, chunk: LeasedChunk, *, most: int) -> Sequence[WaitingRow]:
    """The first rows of a leased chunk that may go now."""
    given = {"mailing": chunk.mailing_id, "chunk_number": chunk.number, "now": chunk.at, "most": most}
    return cast(Sequence[WaitingRow], host.session.execute(_TO_SEND, given).all())


def held(host: Host, chunks: Sequence[LeasedChunk]) -> set[int]:
    """Those of the chunks (all of one holder) that are still leased to it and whose mailing still sends."""
    if not chunks:
        return set()
    given = {"chunks": [chunk.id for chunk in chunks], "holder": chunks[0].holder}
    return set(host.session.scalars(_HELD, given))


def renew(host: Host, chunks: Sequence[LeasedChunk]) -> None:
    """Prolong the leases of one holder; the caller commits."""
    if chunks:
        ours = Chunk.id.in_([chunk.id for chunk in chunks]), Chunk.leased_by == chunks[0].holder
        changed(host, update(Chunk).where(*ours).values(leased_until=database_now(host) + lease_time(host)))


def give_back(host: Host, chunk: LeasedChunk) -> bool:
    """End a lease whose every answer is settled, and count the chunk; False where the lease was lost meanwhile.

    Locks the mailing; the caller commits.
    """
    state = lock_mailing(host, chunk.mailing_id)
    ours = changed(host, _own(chunk).values(leased_by=None, leased_until=None, journal=None, crashes=0)) == 1
    close_chunk(host, chunk.mailing_id, chunk.number, state)
    if not ours:
        reopen_if_waiting(host, chunk.mailing_id, chunk.number)
    finish_if_done(host, chunk.mailing_id)
    return ours


def put_off(host: Host, message_ids: Sequence[int], until: datetime) -> None:
    """Let messages that wait in a leased chunk wait until then; the caller commits."""
    waiting = OutboxMessage.state.in_([state.value for state in WAITING])
    if message_ids:
        rows = one_of(OutboxMessage.id, message_ids), waiting, OutboxMessage.due_at < until
        changed(host, update(OutboxMessage).where(*rows).values(due_at=until))


def give_back_others(host: Host, holder: str, in_hand: Sequence[LeasedChunk]) -> None:
    """Give back what is leased to a holder that does not know of it: the answer to its lease was lost. Commits."""
    others = select(Chunk.id, Chunk.mailing_id, Chunk.number).where(
        Chunk.leased_by == holder, Chunk.id.not_in([chunk.id for chunk in in_hand])
    )
    now = host.clock()
    for row in host.session.execute(others).all():
        give_back(host, LeasedChunk(row.id, row.mailing_id, row.number, holder, now))
        host.session.commit()


def lease_time(host: Host) -> timedelta:
    """How long a lease lasts without being renewed."""
    return timedelta(seconds=host.config.lease_seconds)


def _own(chunk: LeasedChunk) -> Update:
    return update(Chunk).where(Chunk.id == chunk.id, Chunk.leased_by == chunk.holder)
