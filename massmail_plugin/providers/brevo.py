"""Brevo's transactional webhooks, single or in batches, proved by a password. The register enters; no commits."""

import json
from typing import Any

from massmail_plugin.contracts import EventRequest, ProviderEvent
from massmail_plugin.providers.payloads import json_body, moment, objects, possible_tokens, text
from massmail_plugin.providers.signatures import password
from massmail_plugin.providers.verdicts import verdict
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord

WORDS = {
    "request": EventWord.QUEUED,
    "sent": EventWord.QUEUED,
    "delivered": EventWord.DELIVERED,
    "deferred": EventWord.DEFERRED,
    "hard_bounce": EventWord.BOUNCE,
    "soft_bounce": EventWord.BOUNCE,
    "invalid_email": EventWord.BOUNCE,
    "blocked": EventWord.REJECTED,
    "error": EventWord.FAILED,
    "spam": EventWord.COMPLAINT,
    "opened": EventWord.OPEN,
    "unique_opened": EventWord.OPEN,
    "proxy_open": EventWord.OPEN,
    "unique_proxy_open": EventWord.OPEN,
    "click": EventWord.CLICK,
    "unsubscribed": EventWord.UNSUBSCRIBE,
    "unsubscribe": EventWord.UNSUBSCRIBE,
}
_PERMANENT = {"hard_bounce": True, "invalid_email": True, "blocked": True, "soft_bounce": False, "deferred": False}
_MEANINGS = {"invalid_email": Meaning.HARD, "blocked": Meaning.BLOCKED, "error": Meaning.MESSAGE}


class BrevoEvents:
    """Transactional, Settings, Webhook in Brevo."""

    name = "brevo"
    label = "Brevo"
    secret_label = "User and password, or token"
    secret_help = "Choose user:password yourself and put it into the address in Brevo, or enter a token in both places."

    def check(self, request: EventRequest, secret: str) -> None:
        """A user name and password, or a Bearer token; as `contracts.EventReader.check`."""
        password(request, secret)

    def read(self, request: EventRequest) -> list[ProviderEvent]:
        """As `contracts.EventReader.read`."""
        return [_event(row) for row in objects(json_body(request))]

    def token_header(self, token: str) -> tuple[str, str]:
        """As `contracts.EventReader.token_header`."""
        return "X-Mailin-custom", json.dumps({"massmail": token})


def _event(row: dict[str, Any]) -> ProviderEvent:
    name, reason = text(row.get("event")).lower(), text(row.get("reason"))
    permanent = _PERMANENT.get(name)
    failed = permanent is not None or name == "error"
    return ProviderEvent(
        word=WORDS.get(name, EventWord.UNKNOWN),
        recipient=text(row.get("email")) or None,
        message_id=text(row.get("message-id")) or None,
        at=_at(row),
        permanent=permanent,
        meaning=(_MEANINGS.get(name) or verdict(permanent, reason)) if failed else None,
        reply=reason,
        url=text(row.get("link")),
        user_agent=text(row.get("user_agent")),
        machine="proxy" if "proxy" in name else "",
        tokens=possible_tokens(row),
    )


def _at(row: dict[str, Any]) -> Any:
    """Milliseconds where they are given. `date` is in the time zone of the account, which we do not know."""
    milliseconds = row.get("ts_epoch")
    if isinstance(milliseconds, int) and not isinstance(milliseconds, bool):
        return moment(milliseconds / 1000)
    return moment(row.get("ts_event") or row.get("ts"))
