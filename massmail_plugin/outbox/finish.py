"""A mailing whose every row is final is finished; what waits in one that ended is set right. Sending and recovery
enter, hold the mailing (`lock_mailing`) and commit.
"""

from sqlalchemy import ColumnElement, exists, or_, select, update

from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, Mailing, OutboxMessage
from massmail_plugin.outbox.lock import lock_mailing
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import WAITING, MailingKind, MailingState, MessageState


def finish_if_done(host: Host, mailing_id: int) -> bool:
    """Finish a sending mailing that has nothing waiting; a campaign's step stays open for those who come later."""
    waiting = exists().where(Chunk.mailing_id == mailing_id, Chunk.due_at.is_not(None))
    statement = (
        update(Mailing)
        .where(Mailing.id == mailing_id, Mailing.state == MailingState.SENDING.value)
        .where(Mailing.kind != MailingKind.STEP.value, ~waiting)
        .values(state=MailingState.FINISHED.value, finished_at=host.clock())
    )
    return changed(host, statement) == 1


def finish_done(host: Host) -> int:
    """Finish every sending mailing that has nothing waiting and nothing in a worker's hands; the number of them.

    For the reconciler: workers finish a mailing with its last chunk, unless they die first. Commits.
    """
    left = exists().where(Chunk.mailing_id == Mailing.id, or_(Chunk.due_at.is_not(None), Chunk.leased_by.is_not(None)))
    over = select(Mailing.id).where(
        Mailing.state == MailingState.SENDING.value, Mailing.kind != MailingKind.STEP.value, ~left
    )
    ids = list(host.session.scalars(over))
    finished = 0
    for mailing_id in ids:
        lock_mailing(host, mailing_id)
        finished += finish_if_done(host, mailing_id)
    host.session.commit()
    return finished


def cancel_if_cancelled(host: Host, mailing_id: int, number: int, mailing_state: str) -> None:
    """What a chunk put off after its mailing had been cancelled is cancelled too; the caller counts it.

    `mailing_state` is what `lock_mailing` gave.
    """
    if mailing_state == MailingState.CANCELLED:
        cancel_waiting(host, OutboxMessage.mailing_id == mailing_id, OutboxMessage.chunk == number)


def cancel_waiting(host: Host, *where: ColumnElement[bool]) -> None:
    """Cancel the waiting messages `where` says."""
    waiting = OutboxMessage.state.in_([state.value for state in WAITING])
    values = {"state": MessageState.CANCELLED.value, "settled_at": host.clock(), "due_at": None}
    changed(host, update(OutboxMessage).where(waiting, *where).values(**values))


def reopen(host: Host, mailing_id: int) -> bool:
    """Let a finished mailing send again, for messages of it that wait; True if it was finished."""
    finished = Mailing.id == mailing_id, Mailing.state == MailingState.FINISHED.value
    values = {"state": MailingState.SENDING.value, "finished_at": None}
    return changed(host, update(Mailing).where(*finished).values(**values)) == 1


def reopen_if_waiting(host: Host, mailing_id: int, number: int) -> None:
    """An answer that came late may have put a message of a finished mailing off: then it sends again."""
    waits = exists().where(Chunk.mailing_id == mailing_id, Chunk.number == number, Chunk.due_at.is_not(None))
    if host.session.scalar(select(waits)):
        reopen(host, mailing_id)
