"""Workers take chunks of waiting mail by lease, keep them, and give them back. Commits where it says so.

While a chunk is leased, its holder alone changes its rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, cast

from sqlalchemy import ColumnElement, Table, UpdateBase, and_, bindparam, or_, select, true, update

from massmail_plugin.contracts import Host
from massmail_plugin.leases import database_now
from massmail_plugin.models import Chunk, Mailing, OutboxMessage, Sender
from massmail_plugin.models.base import UtcDateTime
from massmail_plugin.outbox.counters import recount, recount_returned
from massmail_plugin.outbox.finish import cancel_if_cancelled, finish_if_done, reopen_if_waiting
from massmail_plugin.outbox.lock import lock_mailing
from massmail_plugin.portable_sql import changed, one_of
from massmail_plugin.vocabulary import WAITING, MailingState

_CHUNK, _MAILING, _MESSAGE, _SENDER = (
    cast(Table, model.__table__).c for model in (Chunk, Mailing, OutboxMessage, Sender)
)
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
        _MESSAGE.list_id,
    )
    .where(_MESSAGE.mailing_id == bindparam("mailing"), _MESSAGE.chunk == bindparam("chunk_number"))
    .where(_MESSAGE.state.in_([state.value for state in WAITING]), _MESSAGE.due_at <= bindparam("now"))
    .order_by(_MESSAGE.id)
)
# No LIMIT: with one the planner may walk the whole table in the order of its key.


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
    list_id: int | None


def lease_chunk(
    host: Host, holder: str, journal: str, *, able: ColumnElement[bool] | None = None, but: Sequence[int] = ()
) -> LeasedChunk | None:
    """Lease the next chunk that is due, the urgent first; None where nothing can be sent now. Commits.

    Safe for any number of workers. `able` narrows the senders, `but` names senders this worker has enough of.
    """
    now = database_now(host)
    given = {"now": now, "until": now + lease_time(host), "holder": holder, "journal": journal, "but": list(but)}
    row = host.session.connection().execute(_lease(true() if able is None else able), given).first()
    host.session.commit()
    return LeasedChunk(row.id, row.mailing_id, row.number, holder, now) if row else None


@lru_cache(maxsize=4)
def _lease(able: ColumnElement[bool]) -> UpdateBase:
    """Made once for each answer to who is able, which stays the same for hundreds of leases."""
    now = bindparam("now", type_=UtcDateTime)
    free = and_(_CHUNK.due_at <= now, _CHUNK.leased_by.is_(None))
    works = or_(_SENDER.fault_until.is_(None), _SENDER.fault_until <= now)
    first = (
        select(_CHUNK.id)
        .join_from(_CHUNK.id.table, _MAILING.id.table, _MAILING.id == _CHUNK.mailing_id)
        .join(_SENDER.id.table, _SENDER.id == _MAILING.sender_id)
        .where(free, _MAILING.state == MailingState.SENDING.value, works, able)
        .where(_SENDER.id.not_in(bindparam("but", expanding=True)))
        .order_by(_CHUNK.priority, _CHUNK.due_at, _CHUNK.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=_CHUNK.id.table)
    )
    return (
        update(_CHUNK.id.table)
        .where(_CHUNK.id == first.scalar_subquery(), _CHUNK.leased_by.is_(None))
        .values(leased_by=bindparam("holder"), leased_until=bindparam("until"), journal=bindparam("journal"))
        .returning(_CHUNK.id, _CHUNK.mailing_id, _CHUNK.number)
    )


def rows_to_send(host: Host, chunk: LeasedChunk, *, most: int) -> Sequence[WaitingRow]:
    """The first rows of a leased chunk that may go now."""
    given = {"mailing": chunk.mailing_id, "chunk_number": chunk.number, "now": chunk.at}
    return cast(Sequence[WaitingRow], host.session.connection().execute(_TO_SEND, given).fetchmany(most))


def held(host: Host, chunks: Sequence[LeasedChunk]) -> set[int]:
    """Those of the chunks (all of one holder) that are still leased to it and whose mailing still sends."""
    if not chunks:
        return set()
    given = {"chunks": [chunk.id for chunk in chunks], "holder": chunks[0].holder}
    return set(host.session.connection().scalars(_HELD, given))


def renew(host: Host, chunks: Sequence[LeasedChunk]) -> None:
    """Prolong the leases of one holder; the caller commits."""
    if chunks:
        ours = Chunk.id.in_([chunk.id for chunk in chunks]), Chunk.leased_by == chunks[0].holder
        changed(host, update(Chunk).where(*ours).values(leased_until=database_now(host) + lease_time(host)))


def give_back(host: Host, chunk: LeasedChunk, *, state: str = "") -> bool:
    """End a lease whose every answer is settled, and count the chunk; False where the lease was lost meanwhile.

    Locks the mailing, unless the caller has done so and got its `state`. The caller commits.
    """
    state = state or lock_mailing(host, chunk.mailing_id)
    cancel_if_cancelled(host, chunk.mailing_id, chunk.number, state)
    waits = recount_returned(host, chunk.id, chunk.mailing_id, chunk.number, chunk.holder)
    if waits is None:
        recount(host, chunk.mailing_id, from_number=chunk.number, to_number=chunk.number)
        reopen_if_waiting(host, chunk.mailing_id, chunk.number)
    if not waits:
        finish_if_done(host, chunk.mailing_id)
    return waits is not None


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
