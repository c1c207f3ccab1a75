"""Sets right what a worker left behind that died or lost its lease. The reconciler and each lane enter.

A journal that was left says of each message how far it came: untouched goes again, answered is settled, handed
without an answer is uncertain. Where the journal cannot be read - its machine is gone - all of the chunk that has no
result is uncertain. Commits by itself.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, select, update

from massmail_plugin.contracts import Host
from massmail_plugin.leases import database_now
from massmail_plugin.models import Chunk, Mailing, OutboxMessage
from massmail_plugin.outbox import journal
from massmail_plugin.outbox.counters import recount
from massmail_plugin.outbox.finish import cancel_if_cancelled, finish_if_done
from massmail_plugin.outbox.hold import hold
from massmail_plugin.outbox.journal import Found, Left, Mark
from massmail_plugin.outbox.lock import lock_mailing
from massmail_plugin.outbox.settle import NO_ANSWER, Result, mark_uncertain, refuse, settle
from massmail_plugin.portable_sql import changed, one_of
from massmail_plugin.vocabulary import WAITING, HoldReason, MessageState, RefusalReason

log = logging.getLogger(__name__)

CRASHES = 3
"""So often may a worker die over one message, or one chunk, until it is set aside."""

POISON_ROWS = 5
"""So many messages of one chunk may be set aside until its mailing is."""

GONE = "The machine that was sending this is gone with its journal, so the server may or may not have it."
RESTARTED = "The machine was started anew while this was being sent, so the server may or may not have it."


Report = Callable[[int, Sequence[Result], Mapping[int, MessageState]], None]
"""Tells the host what was settled, in the same commit: mailing, answers, and message -> what it became."""


def recover(host: Host, report: Report) -> int:
    """Free every chunk whose worker is no more, and settle what its journal says; the number of chunks.

    Commits chunk by chunk. Raises SetupError where the state directory cannot be used.
    """
    folder, _ = journal.open_folder(host.state_dir)
    freed = sum(_from_journal(host, found, report) for found in journal.left(folder))
    return freed + _without_journal(host)


def _from_journal(host: Host, found: Left, report: Report) -> int:
    leased = select(Chunk.id, Chunk.mailing_id, Chunk.number).where(Chunk.leased_by == found.holder)
    chunks = host.session.execute(leased.order_by(Chunk.id)).all() if found.holder else []
    host.session.commit()
    freed = sum(_settle_chunk(host, found, report, *chunk) for chunk in chunks)
    found.path.unlink(missing_ok=True)
    return freed


def _settle_chunk(host: Host, found: Left, report: Report, chunk_id: int, mailing_id: int, number: int) -> bool:
    state = lock_mailing(host, mailing_id)
    if not _take(host, chunk_id, Chunk.leased_by == found.holder):
        host.session.rollback()
        return False
    rows = found.chunks.get(chunk_id)
    if rows is None:
        _count_crash(host, chunk_id, mailing_id, number, most=CRASHES)
    elif any(row.mark is Mark.WRITING for row in rows):
        _count_crash(host, chunk_id, mailing_id, number, most=CRASHES * POISON_ROWS)
    rows = rows or []
    answered = _answered(host, rows)
    became = settle(host, answered, retries=_retries(host, mailing_id))
    became |= _unanswered(host, rows, trusted=found.trusted)
    report(mailing_id, answered, became)
    _close(host, mailing_id, number, state, became)
    return True


def _answered(host: Host, rows: Sequence[Found]) -> list[Result]:
    query = select(OutboxMessage.id, OutboxMessage.attempts, OutboxMessage.first_tried_at)
    tried = {row.id: row for row in host.session.execute(query.where(one_of(OutboxMessage.id, _ids(rows))))}
    return [
        Result(row.id, row.answer, row.handed_at, tried[row.id].attempts, tried[row.id].first_tried_at)
        for row in rows
        if row.answer is not None and row.id in tried
    ]


def _unanswered(host: Host, rows: Sequence[Found], *, trusted: bool) -> dict[int, MessageState]:
    became: dict[int, MessageState] = {}
    begun = (Mark.HANDED,) if trusted else (Mark.HANDED, Mark.WRITING, Mark.UNTOUCHED)
    unsure = [row for row in rows if row.mark in begun]
    mark_uncertain(
        host,
        _ids(unsure),
        NO_ANSWER if trusted else RESTARTED,
        {row.id: row.handed_at for row in unsure if row.mark is Mark.HANDED},
    )
    for row in rows:
        if row.mark is Mark.WRITING and trusted:
            _count_death(host, row.id, became)
    return became | {row.id: MessageState.UNCERTAIN for row in unsure}


def _ids(rows: Sequence[Found]) -> list[int]:
    return [row.id for row in rows]


def _count_death(host: Host, message_id: int, became: dict[int, MessageState]) -> None:
    """The worker died while it wrote this message; after some times it is not tried any more."""
    row = OutboxMessage.id == message_id
    changed(host, update(OutboxMessage).where(row).values(crashes=OutboxMessage.crashes + 1))
    if (host.session.scalar(select(OutboxMessage.crashes).where(row)) or 0) >= CRASHES:
        refuse(host, message_id, RefusalReason.POISON, f"A worker died {CRASHES} times while it wrote this mail.")
        became[message_id] = MessageState.REFUSED


def _count_crash(host: Host, chunk_id: int, mailing_id: int, number: int, *, most: int) -> None:
    """A worker died over this chunk: after `most` times without a good end its mailing waits for a person."""
    this = Chunk.id == chunk_id
    changed(host, update(Chunk).where(this).values(crashes=Chunk.crashes + 1))
    crashes = host.session.scalar(select(Chunk.crashes).where(this)) or 0
    if crashes >= most:
        changed(host, update(Chunk).where(this).values(crashes=0))
        words = f"A worker died {crashes} times over chunk {number} of this mailing; its log says why."
        hold(host, mailing_id, HoldReason.CRASHED, words)


def _without_journal(host: Host) -> int:
    """Chunks whose lease ran out long ago and whose journal nobody could read."""
    until = database_now(host) - timedelta(seconds=host.config.journal_wait_seconds)
    lost = Chunk.leased_by.is_not(None), Chunk.leased_until < until
    chunks = host.session.execute(select(Chunk.id, Chunk.mailing_id, Chunk.number).where(*lost).order_by(Chunk.id))
    found = chunks.all()
    host.session.commit()
    return sum(_give_up(host, lost, *chunk) for chunk in found)


def _give_up(host: Host, lost: tuple[ColumnElement[bool], ...], chunk_id: int, mailing_id: int, number: int) -> bool:
    state = lock_mailing(host, mailing_id)
    if not _take(host, chunk_id, *lost):
        host.session.rollback()
        return False
    waiting = select(OutboxMessage.id).where(
        OutboxMessage.mailing_id == mailing_id,
        OutboxMessage.chunk == number,
        OutboxMessage.state.in_([state.value for state in WAITING]),
        OutboxMessage.due_at <= host.clock(),
    )
    ids = list(host.session.scalars(waiting))
    mark_uncertain(host, ids, GONE, {})
    _close(host, mailing_id, number, state, dict.fromkeys(ids, MessageState.UNCERTAIN))
    return True


def _take(host: Host, chunk_id: int, *still: ColumnElement[bool]) -> bool:
    """End the lease, if it is still the one that was found: of two recoveries one goes on."""
    free = update(Chunk).where(Chunk.id == chunk_id, *still).values(leased_by=None, leased_until=None, journal=None)
    return changed(host, free) == 1


def _close(host: Host, mailing_id: int, number: int, state: str, became: Mapping[int, MessageState]) -> None:
    cancel_if_cancelled(host, mailing_id, number, state)
    recount(host, mailing_id, from_number=number, to_number=number)
    finish_if_done(host, mailing_id)
    host.session.commit()
    uncertain = sum(state is MessageState.UNCERTAIN for state in became.values())
    log.warning("Chunk %s of mailing %s was left by its worker; %s uncertain", number, mailing_id, uncertain)


def _retries(host: Host, mailing_id: int) -> bool:
    return bool(host.session.scalar(select(Mailing.retries).where(Mailing.id == mailing_id)))
