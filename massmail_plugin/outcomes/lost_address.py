"""An address we lost: its mailbox is dead, or its reader complained. Sending and feedback enter and commit."""

from massmail_plugin.consent import suppress
from massmail_plugin.contracts import Host
from massmail_plugin.models import Event, OutboxMessage
from massmail_plugin.outcomes.record import record
from massmail_plugin.vocabulary import EventKind, Outcome, SuppressionReason, SuppressionScope

_MEANING = {
    EventKind.BOUNCE: (SuppressionReason.HARD_BOUNCE, Outcome.BOUNCED),
    EventKind.COMPLAINT: (SuppressionReason.COMPLAINT, Outcome.COMPLAINED),
}


def lose_address(host: Host, message: OutboxMessage, kind: EventKind, *, words: str) -> None:
    """Keep the event, suppress the address for everything but transactional mail, and report the outcome.

    `kind` is BOUNCE (the mailbox does not exist) or COMPLAINT; `words` are what was said about it.
    """
    reason, outcome = _MEANING[kind]
    now = host.clock()
    host.session.add(Event(message_id=message.id, mailing_id=message.mailing_id, kind=kind.value, at=now, detail=words))
    suppress(
        host,
        address=message.address,
        scope=SuppressionScope.ALL_BUT_TRANSACTIONAL,
        reason=reason,
        note=words,
        message_id=message.id,
    )
    record(host, message.id, outcome, at=now)
