"""What receiving servers and readers say about a mail afterwards: it bounced, or it was called spam.

Whoever reads such reports enters with a message they belong to beyond doubt, and commits.
"""

from massmail_plugin import outcomes
from massmail_plugin.consent.suppression import suppress
from massmail_plugin.contracts import Host
from massmail_plugin.models import Event, Mailing, OutboxMessage
from massmail_plugin.smtp_status import Meaning, Reply
from massmail_plugin.vocabulary import EventKind, Outcome, SuppressionReason, SuppressionScope


def bounce(host: Host, message: OutboxMessage, reply: Reply) -> None:
    """A report that the mail could not be delivered. Only a dead address is suppressed and reported as bounced.

    A full mailbox, a block, or a fault of the sender (RFC 3463 5.7.26 and its kind) is kept as an event alone.
    """
    if not _keep(host, message, EventKind.BOUNCE, f"{reply.code} {reply.text}"):
        return
    if reply.meaning is Meaning.HARD:
        _suppress(host, message, SuppressionReason.HARD_BOUNCE, note=reply.text)
        outcomes.record(host, message.id, Outcome.BOUNCED, at=host.clock())


def complaint(host: Host, message: OutboxMessage, *, detail: str = "") -> None:
    """A reader called the mail spam: the address gets no more mail, and the contact's outcome is complained."""
    if _keep(host, message, EventKind.COMPLAINT, detail):
        _suppress(host, message, SuppressionReason.COMPLAINT, note=detail)
        outcomes.record(host, message.id, Outcome.COMPLAINED, at=host.clock())


def _keep(host: Host, message: OutboxMessage, kind: EventKind, detail: str) -> bool:
    """The event row; False for a test mail, which means nothing for the contact."""
    mailing = host.session.get_one(Mailing, message.mailing_id)
    if mailing.is_test:
        return False
    now = host.clock()
    host.session.add(
        Event(message_id=message.id, mailing_id=mailing.id, kind=kind.value, at=now, by_machine=False, detail=detail)
    )
    host.session.flush()
    return True


def _suppress(host: Host, message: OutboxMessage, reason: SuppressionReason, *, note: str) -> None:
    suppress(
        host,
        address=message.address,
        scope=SuppressionScope.ALL_BUT_TRANSACTIONAL,
        reason=reason,
        note=note,
        message_id=message.id,
    )
