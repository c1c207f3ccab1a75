"""Addresses we lost: the mailbox is dead, or its reader complained. Sending and feedback enter and commit."""

from collections.abc import Sequence
from typing import NamedTuple

from massmail_plugin.consent import suppress
from massmail_plugin.contracts import Host
from massmail_plugin.models import OutboxMessage
from massmail_plugin.outcomes.event_rows import NewEvent
from massmail_plugin.outcomes.events import keep_events
from massmail_plugin.outcomes.record import Report, record_each
from massmail_plugin.vocabulary import EventKind, Outcome, SuppressionReason, SuppressionScope

_MEANING = {
    EventKind.BOUNCE: (SuppressionReason.HARD_BOUNCE, Outcome.BOUNCED),
    EventKind.COMPLAINT: (SuppressionReason.COMPLAINT, Outcome.COMPLAINED),
}


class Lost(NamedTuple):
    """A mail whose address is lost by an event: BOUNCE (mail does not arrive there) or COMPLAINT.

    `reason` is for another than HARD_BOUNCE or COMPLAINT, such as SOFT_BOUNCES.
    """

    message: OutboxMessage
    event: NewEvent
    reason: SuppressionReason | None = None


def lose_addresses(host: Host, lost: Sequence[Lost]) -> list[bool]:
    """Keep the events, suppress the addresses for everything but transactional mail, and report the outcomes.

    For each, whether it was news: nothing changes by a repeat or a test mail.
    """
    found = keep_events(host, [one.event for one in lost])
    news = [one for one, is_news in zip(lost, found, strict=True) if is_news]
    for one in news:
        _suppress(host, one)
    record_each(host, [Report(one.message.id, _MEANING[one.event.kind][1], one.event.at) for one in news])
    return found


def lose_address(
    host: Host,
    message: OutboxMessage,
    kind: EventKind,
    *,
    words: str,
    event: NewEvent | None = None,
    reason: SuppressionReason | None = None,
) -> bool:
    """`lose_addresses` for one mail; `words` are what was said about it, `event` says more than that."""
    event = event or NewEvent(message_id=message.id, kind=kind, at=host.clock(), detail=words)
    return lose_addresses(host, [Lost(message, event, reason)])[0]


def _suppress(host: Host, lost: Lost) -> None:
    """Of a mail to somebody who was erased the address is not kept; it is stopped by its hash already."""
    if not lost.message.address:
        return
    suppress(
        host,
        address=lost.message.address,
        scope=SuppressionScope.ALL_BUT_TRANSACTIONAL,
        reason=lost.reason or _MEANING[lost.event.kind][0],
        note=lost.event.detail,
        message_id=lost.message.id,
    )
