"""Stops and restarts the way out of a mailing: hold with a reason, resume, cancel what waits, retry what failed.

Mailings, campaigns and sending enter; their doors commit.
"""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, exists, update

from massmail_plugin.contracts import Host
from massmail_plugin.leases import database_now
from massmail_plugin.models import Chunk, Mailing, OutboxMessage
from massmail_plugin.outbox.counters import recount
from massmail_plugin.outbox.finish import cancel_waiting, finish_if_done, reopen
from massmail_plugin.outbox.lock import lock_mailing
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import HoldReason, MailingState, MessageState


def hold(host: Host, mailing_id: int, reason: HoldReason, note: str = "") -> bool:
    """Pause a mailing that is filling or sending; what is handed already still gets its answer. False if it was not."""
    running = [MailingState.FILLING.value, MailingState.SENDING.value]
    values = {"state": MailingState.PAUSED.value, "hold_reason": reason.value, "hold_note": note}
    return _move(host, mailing_id, running, values)


def resume(host: Host, mailing_id: int, *, filled: bool) -> bool:
    """Let a paused mailing go on where it stopped; False if it is not paused."""
    state = MailingState.SENDING if filled else MailingState.FILLING
    values = {"state": state.value, "hold_reason": "", "hold_note": ""}
    resumed = _move(host, mailing_id, [MailingState.PAUSED.value], values)
    if resumed and filled:
        finish_if_done(host, mailing_id)
    return resumed


def cancel(host: Host, mailing_id: int) -> bool:
    """Cancel a mailing: every waiting row becomes cancelled; those in a worker's hands as soon as it looks.

    False if it had ended already.
    """
    running = [state.value for state in MailingState if state.running or state is MailingState.SCHEDULED]
    values = {"state": MailingState.CANCELLED.value, "finished_at": host.clock(), "hold_reason": "", "hold_note": ""}
    if not _move(host, mailing_id, running, values):
        return False
    cancel_waiting(host, OutboxMessage.mailing_id == mailing_id, _at_rest())
    recount(host, mailing_id)
    return True


def _at_rest() -> ColumnElement[bool]:
    """Rows of no leased chunk: what a worker has in hand, it cancels itself when it sees that the mailing ended."""
    leased = Chunk.mailing_id == OutboxMessage.mailing_id, Chunk.number == OutboxMessage.chunk
    return ~exists().where(*leased, Chunk.leased_by.is_not(None))


def retry_refused(host: Host, mailing_id: int) -> int:
    """Plan exactly the refused rows of a mailing again and reopen it; the number of them."""
    statement = (
        update(OutboxMessage)
        .where(OutboxMessage.mailing_id == mailing_id, OutboxMessage.state == MessageState.REFUSED.value)
        .values(
            state=MessageState.PLANNED.value,
            reason="",
            due_at=database_now(host),
            handed_at=None,
            first_tried_at=None,
            attempts=0,
        )
    )
    lock_mailing(host, mailing_id)
    number = changed(host, statement)
    if number:
        recount(host, mailing_id)
        reopen(host, mailing_id)
        host.session.expire_all()
    return number


def _move(host: Host, mailing_id: int, states: list[str], values: Mapping[str, object]) -> bool:
    """Change a mailing's state only if it is in one of `states` now, so that two acts at once cannot both win."""
    statement = update(Mailing).where(Mailing.id == mailing_id, Mailing.state.in_(states)).values(**values)
    moved = changed(host, statement) == 1
    host.session.expire_all()
    return moved
