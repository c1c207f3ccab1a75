"""Mailgun's webhooks, as JSON and as older forms; HMAC over time and nonce. The register enters; no commits."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from massmail_plugin.contracts import EventRequest, ProviderEvent
from massmail_plugin.errors import RequestRefused
from massmail_plugin.providers.payloads import (
    first,
    form_body,
    json_body,
    json_value,
    mapping,
    moment,
    possible_tokens,
    rows_in,
    text,
)
from massmail_plugin.providers.signatures import any_same, fresh, hmac_of, keys, refuse
from massmail_plugin.providers.verdicts import verdict
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord

WORDS = {
    "accepted": EventWord.QUEUED,
    "delivered": EventWord.DELIVERED,
    "failed": EventWord.BOUNCE,
    "bounced": EventWord.BOUNCE,
    "dropped": EventWord.REJECTED,
    "rejected": EventWord.REJECTED,
    "opened": EventWord.OPEN,
    "clicked": EventWord.CLICK,
    "complained": EventWord.COMPLAINT,
    "unsubscribed": EventWord.UNSUBSCRIBE,
}
_BY_WISH = ("suppress-unsubscribe", "suppress-complaint")
"""Reasons of a failure that speak of what the reader wanted, not of the address."""
LONGEST = timedelta(hours=12)
"""Mailgun repeats what was not taken for eight hours."""


class MailgunEvents:
    """Sending, Webhooks in Mailgun. Its signature does not cover the events: the nonce may come with one body only."""

    name = "mailgun"
    label = "Mailgun"
    secret_label = "HTTP webhook signing key"
    secret_help = "In Mailgun: Sending, Webhooks. The signing key stands beside the list."

    def check(self, request: EventRequest, secret: str) -> None:
        """HMAC-SHA256 over time stamp and nonce; as `contracts.EventReader.check`."""
        proof = _proof(request)
        stamp, nonce = text(proof.get("timestamp")), text(proof.get("token"))
        if not stamp or not nonce:
            refuse("The signature is missing.")
        made = [hmac_of(key.encode(), (stamp + nonce).encode("utf-8", "replace")).hex() for key in keys(secret)]
        if not any_same(text(proof.get("signature")).lower(), made):
            refuse("The signature is missing or wrong.")
        fresh(request, moment(stamp), LONGEST)

    def read(self, request: EventRequest) -> list[ProviderEvent]:
        """As `contracts.EventReader.read`."""
        if not _is_json(request):
            fields = form_body(request)
            return [_of_form(fields.to_dict(), possible_tokens(*fields.values()))]
        body = mapping(json_body(request))
        if not isinstance(body.get("event-data"), dict):
            raise RequestRefused(400, "The body has no event-data.")
        return [_of_json(body["event-data"], text(mapping(body.get("signature")).get("token")))]

    def nonce(self, request: EventRequest) -> str:
        """What may be used for one body only: the signature covers it and the time, and nothing else."""
        return text(_proof(request).get("token"))

    def token_header(self, token: str) -> tuple[str, str]:
        """As `contracts.EventReader.token_header`."""
        return "X-Mailgun-Variables", json.dumps({"massmail": token})


def _is_json(request: EventRequest) -> bool:
    return "form" not in request.media_type


def _proof(request: EventRequest) -> Mapping[str, Any]:
    return mapping(mapping(json_body(request)).get("signature")) if _is_json(request) else form_body(request).to_dict()


def _of_json(data: dict[str, Any], nonce: str) -> ProviderEvent:
    name, permanent = text(data.get("event")), _permanent(data)
    word = EventWord.DEFERRED if name == "failed" and permanent is False else WORDS.get(name, EventWord.UNKNOWN)
    status, refusal = mapping(data.get("delivery-status")), mapping(data.get("reject"))
    headers = mapping(mapping(data.get("message")).get("headers"))
    return ProviderEvent(
        word=word,
        recipient=text(data.get("recipient")) or _address(headers.get("to")),
        message_id=_bracketed(headers.get("message-id")),
        event_id=text(data.get("id")) or nonce or None,
        at=moment(data.get("timestamp")),
        permanent=permanent,
        meaning=_meaning(word, permanent, data, status),
        reply=first(status.get("message"), status.get("description")),
        detail=first(refusal.get("reason"), status.get("description"), data.get("reason")),
        url=text(data.get("url")),
        user_agent=text(mapping(data.get("client-info")).get("user-agent")),
        machine="bot" if mapping(data.get("client-info")).get("bot") else "",
        tokens=possible_tokens(data),
    )


def _permanent(data: dict[str, Any]) -> bool | None:
    if text(data.get("event")) == "rejected":
        return True
    return {"permanent": True, "temporary": False}.get(text(data.get("severity")))


def _meaning(word: EventWord, permanent: bool | None, data: dict[str, Any], status: dict[str, Any]) -> Meaning | None:
    if word is EventWord.REJECTED or (word is EventWord.BOUNCE and text(data.get("reason")) in _BY_WISH):
        return Meaning.BLOCKED
    failed = word in (EventWord.BOUNCE, EventWord.DEFERRED)
    return verdict(permanent, text(status.get("enhanced-code")), text(status.get("message"))) if failed else None


def _bracketed(value: Any) -> str | None:
    """Mailgun leaves the brackets of a Message-ID out where it writes JSON, and keeps them in forms."""
    plain = text(value).removeprefix("<").removesuffix(">")
    return f"<{plain}>" if plain else None


def _address(value: Any) -> str | None:
    """The address of a To header with one mailbox."""
    return text(value).rpartition("<")[2].removesuffix(">").strip() or None


def _of_form(fields: Mapping[str, str], tokens: tuple[str, ...]) -> ProviderEvent:
    name = fields.get("event", "")
    word = WORDS.get(name, EventWord.UNKNOWN)
    headers = dict(_pairs(fields.get("message-headers", "")))
    return ProviderEvent(
        word=word,
        recipient=text(fields.get("recipient")) or None,
        message_id=_bracketed(fields.get("Message-Id") or fields.get("message-id") or headers.get("message-id")),
        event_id=text(fields.get("token")) or None,
        at=moment(fields.get("timestamp")),
        permanent=True if word in (EventWord.BOUNCE, EventWord.REJECTED) else None,
        meaning=_form_meaning(name, fields),
        reply=text(fields.get("error")),
        detail=first(fields.get("description"), fields.get("notification"), fields.get("reason")),
        url=text(fields.get("url")),
        user_agent=text(fields.get("user-agent")),
        tokens=tokens,
    )


def _form_meaning(name: str, fields: Mapping[str, str]) -> Meaning | None:
    if name == "dropped":
        return Meaning.HARD if fields.get("code") == "605" else Meaning.BLOCKED
    return verdict(True, fields.get("error", "")) if name == "bounced" else None


def _pairs(written: str) -> list[tuple[str, str]]:
    """The headers of the mail, as Mailgun writes them into one field of a form."""
    try:
        rows = rows_in(json_value(written)) if written else []
    except RequestRefused:
        return []
    pairs = [row for row in rows if isinstance(row, list) and len(row) == 2]
    return [(text(name).lower(), text(value)) for name, value in pairs]
