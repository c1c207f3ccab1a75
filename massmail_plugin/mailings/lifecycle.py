"""What a person does to a running mailing: pause, resume, cancel, retry, back to draft.

Admin and CLI enter and commit.
"""

from sqlalchemy import exists, select, update

from massmail_plugin import outbox
from massmail_plugin.consent import after_commit
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Chunk, Link, Mailing, PreparedMessage
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import HoldReason, MailingKind, MailingState


def pause(host: Host, mailing: Mailing, *, by: str) -> None:
    """Stop handing over; what is on its way still gets its answer."""
    if not outbox.hold(host, mailing.id, HoldReason.BY_PERSON, f"Paused by {by}."):
        raise BadRequest(f"“{mailing.name}” is {_state(host, mailing)}; only a running mailing can be paused.")


def resume(host: Host, mailing: Mailing) -> None:
    """Go on where it stopped."""
    filled = not _is_to_be_filled(host, mailing)
    if not outbox.resume(host, mailing.id, filled=filled):
        raise BadRequest(f"“{mailing.name}” is {_state(host, mailing)}; only a paused mailing can be resumed.")
    after_commit(host, lambda: host.wake("send" if filled else "fill"))


def _is_to_be_filled(host: Host, mailing: Mailing) -> bool:
    """Only a mailing of its own is filled from its lists: a campaign's step by the campaign, a test at once."""
    chunks = exists().where(Chunk.mailing_id == mailing.id)
    return mailing.kind == MailingKind.ONE_OFF and not host.session.scalar(select(chunks))


def halt(host: Host, mailing: Mailing, *, by: str) -> None:
    """Before `cancel`, with a commit of its own: workers stop at once, however long a million rows take to cancel."""
    outbox.hold(host, mailing.id, HoldReason.BY_PERSON, f"Being cancelled by {by}.")


def cancel(host: Host, mailing: Mailing) -> None:
    """End it: what waits is not sent any more."""
    if not outbox.cancel(host, mailing.id):
        raise BadRequest(f"“{mailing.name}” is {_state(host, mailing)}; there is nothing left to cancel.")


def unschedule(host: Host, mailing: Mailing) -> None:
    """Make a scheduled mailing a draft again, free to be changed."""
    waiting = Mailing.id == mailing.id, Mailing.state == MailingState.SCHEDULED.value
    values = {"state": MailingState.DRAFT.value, "launched_at": None, "launched_by": "", "version_id": None}
    if changed(host, update(Mailing).where(*waiting).values(**values)) != 1:
        raise BadRequest(
            f"“{mailing.name}” is {_state(host, mailing)}; only a scheduled mailing can become a draft again."
        )
    for model in (Link, PreparedMessage):
        host.session.query(model).filter_by(mailing_id=mailing.id).delete()
    host.session.refresh(mailing)


def retry_failed(host: Host, mailing: Mailing) -> int:
    """Try exactly the failed ones again; the number of them."""
    if mailing.state not in (MailingState.SENDING.value, MailingState.PAUSED.value, MailingState.FINISHED.value):
        raise BadRequest(f"“{mailing.name}” is {mailing.state}; its failed mails cannot be tried again.")
    number = outbox.retry_refused(host, mailing.id)
    if number == 0:
        raise BadRequest(f"“{mailing.name}” has no failed mails.")
    after_commit(host, lambda: host.wake("send"))
    return number


def _state(host: Host, mailing: Mailing) -> str:
    host.session.refresh(mailing)
    return mailing.state
