"""What a provider's words are among our events. Taking in enters; nothing is read or committed."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from massmail_plugin.contracts import ProviderEvent
from massmail_plugin.feedback.machines import Hit, judge
from massmail_plugin.feedback.machines.hit import PREFETCH
from massmail_plugin.models import OutboxMessage
from massmail_plugin.outcomes import NewEvent
from massmail_plugin.vocabulary import EventKind, EventWord

KINDS: Mapping[EventWord, EventKind] = {
    EventWord.DELIVERED: EventKind.DELIVERED,
    EventWord.DEFERRED: EventKind.DELAY,
    EventWord.BOUNCE: EventKind.BOUNCE,
    EventWord.REJECTED: EventKind.BOUNCE,
    EventWord.FAILED: EventKind.BOUNCE,
    EventWord.COMPLAINT: EventKind.COMPLAINT,
    EventWord.UNSUBSCRIBE: EventKind.OPT_OUT,
    EventWord.OPEN: EventKind.OPEN,
    EventWord.CLICK: EventKind.CLICK,
    EventWord.AUTOREPLY: EventKind.AUTOREPLY,
}
"""The others tell nothing that we do not know (queued, sent), or nothing we act upon (subscribe, unknown)."""

LONGEST_ID = 100
HITS = (EventKind.OPEN, EventKind.CLICK)


def new_event(
    event: ProviderEvent, message: OutboxMessage, provider: str, *, now: datetime, link_id: int | None
) -> NewEvent | None:
    """The event as we keep it; None for a word that is none of ours. `now` stands where the provider gives no time."""
    kind = KINDS.get(event.word)
    if kind is None:
        return None
    at = min(event.at or now, now)
    request = PREFETCH if event.machine else ""
    return NewEvent(
        message_id=message.id,
        kind=kind,
        at=at,
        link_id=link_id,
        machine_reason=_machine(event, kind, at, request),
        user_agent=event.user_agent,
        request=request if kind in HITS else "",
        meaning=event.meaning.value if event.meaning and kind is EventKind.BOUNCE else "",
        detail=words(event),
        provider=provider,
        provider_event_id=f"{sameness(event)}:{message.id}:{kind.value}",
    )


def words(event: ProviderEvent) -> str:
    """What the server and the provider said, for people."""
    return ". ".join(dict.fromkeys(part for part in (event.reply, event.detail) if part)) or event.word.value


def sameness(event: ProviderEvent) -> str:
    """What makes a repeat the same: the provider's id, or a hash of what it says where it gives none."""
    if event.event_id and len(event.event_id) <= LONGEST_ID:
        return event.event_id
    at = event.at.isoformat() if event.at else ""
    what = (event.event_id, event.word, event.recipient, event.message_id, at)
    how = (event.url, event.user_agent, event.reply, event.detail)
    return hashlib.sha256(json.dumps([what, how]).encode()).hexdigest()[:40]


def _machine(event: ProviderEvent, kind: EventKind, at: datetime, request: str) -> str:
    """By the agent, and by what the provider knows; each hit for itself, so that the order of requests is no matter."""
    if kind not in HITS:
        return ""
    return judge([Hit(kind=kind, at=at, user_agent=event.user_agent or _UNNAMED, request=request)], None)[0]


_UNNAMED = "not named"
"""Many providers leave the agent out, which says nothing about who it was."""
