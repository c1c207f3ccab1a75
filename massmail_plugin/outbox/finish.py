"""A mailing whose every row is final is finished. Sending and recovery enter and commit."""

from sqlalchemy import exists, update

from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, Mailing
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import MailingKind, MailingState


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
