"""Rows of a provider's export, whatever it calls its columns, as events. Imports enter; nothing is committed."""

from collections.abc import Mapping
from typing import Any

from massmail_plugin.contracts import ProviderEvent
from massmail_plugin.providers.payloads import text
from massmail_plugin.providers.signed_json import event_of
from massmail_plugin.vocabulary import EventWord

_COLUMNS = {
    "event": ("event", "event_type", "event_name", "record_type", "status", "type"),
    "recipient": ("recipient", "email", "email_address", "to", "rcpt_to", "address", "recipient_email"),
    "timestamp": ("timestamp", "time", "date", "event_time", "occurred_at", "created_at", "processed", "ts"),
    "class": ("class", "bounce_type", "severity", "bounce_class_name"),
    "reply": ("reply", "response", "smtp_response", "reason", "mta_response", "diagnostic_code", "details"),
    "detail": ("detail", "description", "note"),
    "url": ("url", "link", "clicked_url"),
    "user_agent": ("user_agent", "useragent", "agent"),
    "event_id": ("event_id", "sg_event_id"),
    "provider_message_id": ("provider_message_id", "message_id", "msg_id", "sg_message_id"),
}
"""Our name of a field -> the columns that may hold it, the likeliest first."""

WORDS: Mapping[str, tuple[EventWord, str]] = {
    **{word.value: (word, "") for word in EventWord},
    **dict.fromkeys(("processed", "accepted", "request", "injection"), (EventWord.QUEUED, "")),
    **dict.fromkeys(("send",), (EventWord.SENT, "")),
    **dict.fromkeys(("delivery",), (EventWord.DELIVERED, "")),
    **dict.fromkeys(("deferral", "delay", "delayed", "transient"), (EventWord.DEFERRED, "temporary")),
    **dict.fromkeys(("bounced",), (EventWord.BOUNCE, "")),
    **dict.fromkeys(("hard bounce", "hardbounce", "hard bounced"), (EventWord.BOUNCE, "permanent")),
    **dict.fromkeys(("soft bounce", "softbounce", "soft bounced"), (EventWord.BOUNCE, "temporary")),
    **dict.fromkeys(("dropped", "blocked", "reject", "suppressed"), (EventWord.REJECTED, "")),
    **dict.fromkeys(("failure", "error", "rendering failure"), (EventWord.FAILED, "")),
    **dict.fromkeys(
        ("spam", "spamreport", "spam report", "spam complaint", "spamcomplaint", "complained", "abuse"),
        (EventWord.COMPLAINT, ""),
    ),
    **dict.fromkeys(("unsub", "unsubscribed", "group unsubscribe", "opt out"), (EventWord.UNSUBSCRIBE, "")),
    **dict.fromkeys(("resubscribe", "subscribed"), (EventWord.SUBSCRIBE, "")),
    **dict.fromkeys(("opened", "unique open", "first open"), (EventWord.OPEN, "")),
    **dict.fromkeys(("clicked",), (EventWord.CLICK, "")),
}
"""What exports call an event, and the class they give it with the name."""

_CLASSES = {"hard": "permanent", "permanent": "permanent", "soft": "temporary", "temporary": "temporary"}


def exported(row: Mapping[str, Any]) -> ProviderEvent:
    """The event in a row; EventWord.UNKNOWN for one whose word is not known."""
    named = {_name(column): value for column, value in row.items()}
    fields = {ours: _first(named, columns) for ours, columns in _COLUMNS.items()}
    word, known_class = WORDS.get(_plain(fields["event"]), (EventWord.UNKNOWN, ""))
    given = _CLASSES.get(_plain(fields["class"]), "")
    others = {name: value for name, value in named.items() if name not in _COLUMNS}
    return event_of({**others, **fields, "event": word.value, "class": known_class or given})


def _name(column: str) -> str:
    return "_".join(column.strip().lower().replace("-", " ").replace("_", " ").split())


def _plain(value: Any) -> str:
    return " ".join(text(value).lower().replace("_", " ").replace("-", " ").split())


def _first(named: Mapping[str, Any], columns: tuple[str, ...]) -> Any:
    return next((named[column] for column in columns if named.get(column) not in (None, "")), None)
