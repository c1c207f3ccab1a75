"""Why mails of a mailing failed, in numbers: what one wants to know before they are tried again. Reads only."""

from sqlalchemy import func, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, Mailing, OutboxMessage
from massmail_plugin.vocabulary import MessageState


def failures(host: Host, mailing: Mailing) -> dict[str, int]:
    """How many mails failed for each reason (a value of RefusalReason), the most frequent first.

    Reads only the chunks in which a mail failed.
    """
    message = OutboxMessage
    here = (Chunk.mailing_id == message.mailing_id) & (Chunk.number == message.chunk)
    number = func.count()
    query = (
        select(message.reason, number)
        .join(Chunk, here)
        .where(message.mailing_id == mailing.id, Chunk.refused > 0, message.state == MessageState.REFUSED.value)
        .group_by(message.reason)
        .order_by(number.desc(), message.reason)
    )
    return {row[0]: int(row[1]) for row in host.session.execute(query)}
