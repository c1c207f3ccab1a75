"""What receiving servers and readers say about a mail afterwards: it bounced, or it was called spam.

Whoever reads such reports enters with a message they belong to beyond doubt, and commits.
"""

from massmail_plugin import outcomes
from massmail_plugin.contracts import Host
from massmail_plugin.models import Event, Mailing, OutboxMessage
from massmail_plugin.smtp_status import Meaning, Reply
from massmail_plugin.vocabulary import EventKind


def bounce(host: Host, message: OutboxMessage, reply: Reply) -> None:
    """A report that the mail could not be delivered. Only a dead address is suppressed and reported as bounced.

    A full mailbox, a block, or a fault of the sender (RFC 3463 5.7.26 and its kind) is kept as an event alone.
    """
    if _of_test(host, message):
        return
    words = f"{reply.code} {reply.text}"
    if reply.meaning is Meaning.HARD:
        outcomes.lose_address(host, message, EventKind.BOUNCE, words=words)
        return
    event = Event(message_id=message.id, mailing_id=message.mailing_id, kind=EventKind.BOUNCE.value, at=host.clock())
    event.detail = words
    host.session.add(event)
    host.session.flush()


def complaint(host: Host, message: OutboxMessage, *, detail: str = "") -> None:
    """A reader called the mail spam: the address gets no more mail, and the contact's outcome is complained."""
    if not _of_test(host, message):
        outcomes.lose_address(host, message, EventKind.COMPLAINT, words=detail)


def _of_test(host: Host, message: OutboxMessage) -> bool:
    """What came back about a test mail means nothing for the contact."""
    return host.session.get_one(Mailing, message.mailing_id).is_test
