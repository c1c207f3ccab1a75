"""A provider's event as JSON: what commands print and what is kept of it. Nothing is read or committed here."""

from typing import Any

from massmail_plugin.contracts import ProviderEvent

_CLASSES = {True: "permanent", False: "temporary", None: None}


def event_shown(event: ProviderEvent) -> dict[str, Any]:
    """An event as JSON: the words of `EventWord`, times in ISO 8601 and UTC."""
    return {
        "event": event.word.value,
        "recipient": event.recipient,
        "provider_message_id": event.message_id,
        "timestamp": event.at.isoformat() if event.at else None,
        "class": _CLASSES[event.permanent],
        "meaning": event.meaning.value if event.meaning else None,
        "reply": event.reply,
        "detail": event.detail,
        "url": event.url,
        "user_agent": event.user_agent,
    }
