"""Resend's webhooks, one event each, signed as Svix does. The register enters; nothing is committed."""

from typing import Any

from massmail_plugin.contracts import EventRequest, ProviderEvent
from massmail_plugin.providers.payloads import (
    first,
    json_body,
    mapping,
    moment,
    objects,
    possible_tokens,
    rows_in,
    text,
)
from massmail_plugin.providers.standard_webhooks import check_standard
from massmail_plugin.providers.verdicts import verdict
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord

WORDS = {
    "email.scheduled": EventWord.QUEUED,
    "email.sent": EventWord.SENT,
    "email.delivered": EventWord.DELIVERED,
    "email.delivery_delayed": EventWord.DEFERRED,
    "email.bounced": EventWord.BOUNCE,
    "email.suppressed": EventWord.REJECTED,
    "email.failed": EventWord.FAILED,
    "email.complained": EventWord.COMPLAINT,
    "email.opened": EventWord.OPEN,
    "email.clicked": EventWord.CLICK,
}


class ResendEvents:
    """Webhooks in Resend."""

    name = "resend"
    label = "Resend"
    secret_label = "Signing secret"
    secret_help = "In Resend: Webhooks, the webhook's page. It begins with whsec_."

    def check(self, request: EventRequest, secret: str) -> None:
        """HMAC-SHA256 over id, time and body; as `contracts.EventReader.check`."""
        check_standard(request, secret, "svix")

    def read(self, request: EventRequest) -> list[ProviderEvent]:
        """As `contracts.EventReader.read`; one event for each address in "to"."""
        rows = [row for row in objects(json_body(request)) if text(row.get("type")).startswith("email.")]
        wanted = [row for row in rows if row["type"] != "email.received"]
        return [_event(row, to, request) for row in wanted for to in _recipients(row)]

    def token_header(self, token: str) -> tuple[str, str] | None:
        """As `contracts.EventReader.token_header`."""
        return "X-Entity-Ref-ID", token


def _recipients(row: dict[str, Any]) -> list[str | None]:
    to = mapping(row.get("data")).get("to")
    return [text(one) or None for one in rows_in(to)[:50]] or [text(to) or None]


def _event(row: dict[str, Any], to: str | None, request: EventRequest) -> ProviderEvent:
    data = mapping(row.get("data"))
    word = WORDS.get(text(row.get("type")), EventWord.UNKNOWN)
    bounce, click, opened = mapping(data.get("bounce")), mapping(data.get("click")), mapping(data.get("open"))
    permanent = _permanent(word, bounce)
    return ProviderEvent(
        word=word,
        recipient=to,
        message_id=text(data.get("email_id")) or None,
        event_id=text(request.headers.get("svix-id")) or None,
        at=moment(row.get("created_at") or data.get("created_at")),
        permanent=permanent,
        meaning=_meaning(word, permanent, bounce),
        detail=first(bounce.get("message"), mapping(data.get("failed")).get("reason")),
        url=text(click.get("link")),
        user_agent=first(click.get("userAgent"), opened.get("userAgent")),
        tokens=possible_tokens(data),
    )


def _permanent(word: EventWord, bounce: dict[str, Any]) -> bool | None:
    if word is EventWord.BOUNCE:
        return {"permanent": True, "transient": False}.get(text(bounce.get("type")).lower(), True)
    return {EventWord.DEFERRED: False, EventWord.REJECTED: True, EventWord.FAILED: True}.get(word)


def _meaning(word: EventWord, permanent: bool | None, bounce: dict[str, Any]) -> Meaning | None:
    """An address on Resend's own list may have been put there by a complaint."""
    said = text(bounce.get("message"))
    if word is EventWord.REJECTED or "suppress" in f"{said} {text(bounce.get('subType'))}".lower():
        return Meaning.BLOCKED
    if word is EventWord.FAILED:
        return Meaning.MESSAGE
    return verdict(permanent, said) if word in (EventWord.BOUNCE, EventWord.DEFERRED) else None
