"""One bounce or complaint that somebody read and names the mail of. The command line enters and commits."""

from massmail_plugin import outcomes
from massmail_plugin.contracts import Host
from massmail_plugin.models import OutboxMessage
from massmail_plugin.outcomes import CameBack, NewEvent
from massmail_plugin.smtp_status import Reply
from massmail_plugin.vocabulary import EventKind


def bounce(host: Host, message: OutboxMessage, reply: Reply) -> bool:
    """A server's word that the mail could not be delivered; False where it meant nothing new."""
    kind, words = EventKind.BOUNCE, f"{reply.code} {reply.text}"
    event = NewEvent(message_id=message.id, kind=kind, at=host.clock(), meaning=reply.meaning.value, detail=words)
    return outcomes.take_in(host, [CameBack(message, event)])[0]


def complaint(host: Host, message: OutboxMessage, *, detail: str = "") -> bool:
    """A reader called the mail spam: the address gets no more mail, and the contact's outcome is complained."""
    event = NewEvent(message_id=message.id, kind=EventKind.COMPLAINT, at=host.clock(), detail=detail)
    return outcomes.take_in(host, [CameBack(message, event)])[0]
