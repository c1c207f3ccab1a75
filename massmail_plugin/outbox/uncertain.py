"""A message that was handed and got no answer: nobody knows, so it is not sent again by itself.

Recovery and lanes enter.
"""

from sqlalchemy import update

from massmail_plugin.contracts import Host
from massmail_plugin.models import OutboxMessage
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import WAITING, MessageState


def mark_uncertain(host: Host, mailing_id: int, number: int) -> int:
    """Make every handed row of a chunk that still waits for its answer uncertain; the number of them."""
    statement = (
        update(OutboxMessage)
        .where(OutboxMessage.mailing_id == mailing_id, OutboxMessage.chunk == number)
        .where(OutboxMessage.handed_at.is_not(None), OutboxMessage.state.in_([state.value for state in WAITING]))
        .values(
            state=MessageState.UNCERTAIN.value,
            settled_at=host.clock(),
            reply_text="The mail was handed over and no answer came, so the server may or may not have it.",
        )
    )
    return changed(host, statement)
