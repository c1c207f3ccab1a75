"""Mailtrap's webhooks: batches as JSON or JSON lines, signed with HMAC. The register enters; nothing is committed."""

import json
from typing import Any

from massmail_plugin.contracts import EventRequest, ProviderEvent
from massmail_plugin.errors import RequestRefused
from massmail_plugin.providers.payloads import (
    MOST_EVENTS,
    first,
    json_body,
    json_value,
    moment,
    objects,
    possible_tokens,
    text,
)
from massmail_plugin.providers.signatures import hex_hmac, password
from massmail_plugin.providers.verdicts import verdict
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord

WORDS = {
    "delivery": EventWord.DELIVERED,
    "soft bounce": EventWord.DEFERRED,
    "bounce": EventWord.BOUNCE,
    "suspension": EventWord.DEFERRED,
    "reject": EventWord.REJECTED,
    "spam": EventWord.COMPLAINT,
    "unsubscribe": EventWord.UNSUBSCRIBE,
    "open": EventWord.OPEN,
    "click": EventWord.CLICK,
}
_PERMANENT = {"bounce": True, "reject": True, "soft bounce": False, "suspension": False}


class MailtrapEvents:
    """Settings, Webhooks in Mailtrap."""

    name = "mailtrap"
    label = "Mailtrap"
    secret_label = "Signature secret, or user and password"
    secret_help = "In Mailtrap: Settings, Webhooks. Or choose user:password yourself and enter it in both places."

    def check(self, request: EventRequest, secret: str) -> None:
        """HMAC-SHA256 of the body, or a password where there is no signature; `contracts.EventReader.check`."""
        if "mailtrap-signature" in request.headers:
            hex_hmac(request, "mailtrap-signature", secret)
        else:
            password(request, secret)

    def read(self, request: EventRequest) -> list[ProviderEvent]:
        """As `contracts.EventReader.read`."""
        return [_event(row) for row in objects(_rows(request))]

    def token_header(self, token: str) -> tuple[str, str]:
        """As `contracts.EventReader.token_header`."""
        return "X-MT-Custom-Variables", json.dumps({"massmail": token})


def _rows(request: EventRequest) -> Any:
    if "lines" in request.media_type or "ndjson" in request.media_type or "jsonl" in request.media_type:
        return _lines(request.body)
    body = json_body(request)
    return body["events"] if isinstance(body, dict) and "events" in body else body


def _lines(body: bytes) -> list[Any]:
    lines = [line for line in body.splitlines() if line.strip()]
    if len(lines) > MOST_EVENTS:
        raise RequestRefused(413, f"One request may hold {MOST_EVENTS:,} events; this one holds more.")
    return [json_value(line) for line in lines]


def _event(row: dict[str, Any]) -> ProviderEvent:
    name = text(row.get("event")).lower()
    reply = text(row.get("response"))
    return ProviderEvent(
        word=WORDS.get(name, EventWord.UNKNOWN),
        recipient=text(row.get("email")) or None,
        message_id=text(row.get("message_id")) or None,
        event_id=text(row.get("event_id")) or None,
        at=moment(row.get("timestamp")),
        permanent=_PERMANENT.get(name),
        meaning=_meaning(name, row, reply),
        reply=reply,
        detail=first(row.get("reason"), row.get("bounce_category")),
        url=text(row.get("url")),
        user_agent=text(row.get("user_agent")),
        tokens=possible_tokens(row),
    )


def _meaning(name: str, row: dict[str, Any], reply: str) -> Meaning | None:
    if name == "reject":
        return Meaning.BLOCKED
    if name == "bounce" and text(row.get("bounce_category")).lower() in ("spam", "blocked", "policy"):
        return Meaning.BLOCKED
    permanent = _PERMANENT.get(name)
    return None if permanent is None else verdict(permanent, reply)
