"""MailerSend's webhooks, one activity each, signed with HMAC. The register enters; nothing is committed."""

from typing import Any

from massmail_plugin.contracts import EventRequest, ProviderEvent
from massmail_plugin.providers.payloads import first, json_body, mapping, moment, objects, possible_tokens, text
from massmail_plugin.providers.signatures import hex_hmac
from massmail_plugin.providers.verdicts import verdict
from massmail_plugin.vocabulary import EventWord

WORDS = {
    "activity.sent": EventWord.SENT,
    "activity.delivered": EventWord.DELIVERED,
    "activity.deferred": EventWord.DEFERRED,
    "activity.soft_bounced": EventWord.BOUNCE,
    "activity.hard_bounced": EventWord.BOUNCE,
    "activity.opened": EventWord.OPEN,
    "activity.opened_unique": EventWord.OPEN,
    "activity.clicked": EventWord.CLICK,
    "activity.clicked_unique": EventWord.CLICK,
    "activity.unsubscribed": EventWord.UNSUBSCRIBE,
    "activity.spam_complaint": EventWord.COMPLAINT,
}
_PERMANENT = {"activity.soft_bounced": False, "activity.deferred": False, "activity.hard_bounced": True}


class MailerSendEvents:
    """Domains, Webhooks in MailerSend."""

    name = "mailersend"
    label = "MailerSend"
    secret_label = "Signing secret"
    secret_help = "In MailerSend: Domains, Webhooks. The signing secret stands on the page of the webhook."

    def check(self, request: EventRequest, secret: str) -> None:
        """HMAC-SHA256 of the body; as `contracts.EventReader.check`."""
        hex_hmac(request, "signature", secret)

    def read(self, request: EventRequest) -> list[ProviderEvent]:
        """As `contracts.EventReader.read`."""
        rows = objects(json_body(request))
        return [_event(row) for row in rows if text(row.get("type")).startswith("activity.")]

    def token_header(self, token: str) -> tuple[str, str] | None:
        """As `contracts.EventReader.token_header`."""
        return "X-MailerSend-Tags", token


def _event(row: dict[str, Any]) -> ProviderEvent:
    name, data = text(row.get("type")), mapping(row.get("data"))
    email, more = mapping(data.get("email")), mapping(data.get("morph"))
    permanent, reason = _PERMANENT.get(name), first(more.get("reason"), more.get("readable_reason"))
    return ProviderEvent(
        word=WORDS.get(name, EventWord.UNKNOWN),
        recipient=text(mapping(email.get("recipient")).get("email")) or None,
        message_id=text(mapping(email.get("message")).get("id")) or None,
        event_id=text(data.get("id")) or None,
        at=moment(data.get("created_at") or row.get("created_at")),
        permanent=permanent,
        meaning=None if permanent is None else verdict(permanent, reason),
        detail=reason,
        url=text(more.get("url")),
        user_agent=text(more.get("user_agent")),
        tokens=possible_tokens(data),
    )
