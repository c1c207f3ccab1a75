"""What servers and readers say about mails, and what it means for the address and the host, as one act.

Sending enters with refusals, feedback with what mailboxes and providers tell; their doors commit.
"""

from collections.abc import Sequence
from typing import NamedTuple

from massmail_plugin.contracts import Host
from massmail_plugin.models import OutboxMessage
from massmail_plugin.outcomes.event_rows import NewEvent
from massmail_plugin.outcomes.events import keep_events, one_at_a_time
from massmail_plugin.outcomes.lost_address import Lost, lose_addresses
from massmail_plugin.outcomes.soft_bounces import COUNTING, worn_out
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventKind, SuppressionReason


class CameBack(NamedTuple):
    """A mail and the event that came back about it; the event of a bounce has a meaning."""

    message: OutboxMessage
    event: NewEvent


def take_in(host: Host, news: Sequence[CameBack]) -> list[bool]:
    """Keep what came back and do what it means; for each, whether it was news. One call for each transaction.

    A dead mailbox and a complaint end the address at once, temporary failures once there are too many of them. A
    block, a fault of the sender (RFC 3463 5.7.26 and its kind), a delay, a reply are kept as events. A repeat changes
    nothing, and neither does what came back about a test mail.
    """
    one_at_a_time(host, {(one.message.mailing_id, one.event.kind) for one in news})
    lost = _lost(host, news)
    ends = iter(lose_addresses(host, list(lost.values())))
    others = iter(keep_events(host, [one.event for place, one in enumerate(news) if place not in lost]))
    return [next(ends if place in lost else others) for place in range(len(news))]


def _lost(host: Host, news: Sequence[CameBack]) -> dict[int, Lost]:
    """Place -> what ends an address."""
    tired = worn_out(host, [one.message for one in news if _is_soft(one.event)])
    lost = {}
    for place, one in enumerate(news):
        if one.event.kind is EventKind.COMPLAINT or _is_hard(one.event):
            lost[place] = Lost(one.message, one.event)
        elif _is_soft(one.event) and one.message.id in tired:
            lost[place] = Lost(one.message, one.event, SuppressionReason.SOFT_BOUNCES)
    return lost


def _is_hard(event: NewEvent) -> bool:
    return event.kind is EventKind.BOUNCE and event.meaning == Meaning.HARD


def _is_soft(event: NewEvent) -> bool:
    return event.kind is EventKind.BOUNCE and event.meaning in COUNTING
