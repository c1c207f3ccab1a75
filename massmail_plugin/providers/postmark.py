"""Postmark's webhooks, one event each, proved by a password. The register enters; nothing is committed."""

from typing import Any

from massmail_plugin.contracts import EventRequest, ProviderEvent
from massmail_plugin.providers.payloads import first, json_body, moment, objects, possible_tokens, text
from massmail_plugin.providers.signatures import password
from massmail_plugin.providers.verdicts import verdict
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord

WORDS = {
    "Delivery": EventWord.DELIVERED,
    "Open": EventWord.OPEN,
    "Click": EventWord.CLICK,
    "SpamComplaint": EventWord.COMPLAINT,
}
BOUNCES: dict[str, tuple[EventWord, bool | None, Meaning | None]] = {
    "HardBounce": (EventWord.BOUNCE, True, Meaning.HARD),
    "SoftBounce": (EventWord.BOUNCE, False, Meaning.SOFT),
    "Transient": (EventWord.DEFERRED, False, Meaning.SOFT),
    "DnsError": (EventWord.DEFERRED, False, Meaning.SOFT),
    "Unknown": (EventWord.UNKNOWN, None, None),
    "Unsubscribe": (EventWord.UNSUBSCRIBE, None, None),
    "Subscribe": (EventWord.SUBSCRIBE, None, None),
    "AutoResponder": (EventWord.AUTOREPLY, None, None),
    "AddressChange": (EventWord.AUTOREPLY, None, None),
    "ChallengeVerification": (EventWord.AUTOREPLY, None, None),
    "OpenRelayTest": (EventWord.AUTOREPLY, None, None),
    "SpamNotification": (EventWord.COMPLAINT, None, None),
    "SpamComplaint": (EventWord.COMPLAINT, None, None),
    "VirusNotification": (EventWord.BOUNCE, True, Meaning.MESSAGE),
    "BadEmailAddress": (EventWord.REJECTED, True, Meaning.HARD),
    "ManuallyDeactivated": (EventWord.REJECTED, True, Meaning.BLOCKED),
    "Unconfirmed": (EventWord.REJECTED, True, Meaning.BLOCKED),
    "Blocked": (EventWord.REJECTED, True, Meaning.BLOCKED),
    "DMARCPolicy": (EventWord.REJECTED, True, Meaning.SENDER_FAULT),
    "SMTPApiError": (EventWord.FAILED, True, Meaning.MESSAGE),
    "InboundError": (EventWord.UNKNOWN, None, None),
    "TemplateRenderingFailed": (EventWord.FAILED, True, Meaning.MESSAGE),
}
"""Types of bounces: what they are, whether they stay, what they mean."""
_SUPPRESSED = {
    "HardBounce": (EventWord.BOUNCE, True, Meaning.HARD),
    "SpamComplaint": (EventWord.COMPLAINT, None, None),
    "ManualSuppression": (EventWord.UNSUBSCRIBE, None, None),
}
_NOTHING: tuple[EventWord, bool | None, Meaning | None] = (EventWord.UNKNOWN, None, None)


class PostmarkEvents:
    """Message stream, Webhooks in Postmark."""

    name = "postmark"
    label = "Postmark"
    secret_label = "User and password"
    secret_help = "Choose both yourself, write them here as user:password and enter them in the webhook in Postmark."

    def check(self, request: EventRequest, secret: str) -> None:
        """A user name and password, or a Bearer token; as `contracts.EventReader.check`."""
        password(request, secret)

    def read(self, request: EventRequest) -> list[ProviderEvent]:
        """As `contracts.EventReader.read`."""
        return [_event(row) for row in objects(json_body(request)) if text(row.get("RecordType")) != "Inbound"]

    def token_header(self, token: str) -> tuple[str, str]:
        """As `contracts.EventReader.token_header`."""
        return "X-PM-Metadata-massmail", token


def _event(row: dict[str, Any]) -> ProviderEvent:
    word, permanent, meaning = _said(row)
    reply = text(row.get("Details"))
    return ProviderEvent(
        word=word,
        recipient=first(row.get("Recipient"), row.get("Email")) or None,
        message_id=text(row.get("MessageID")) or None,
        event_id=text(row.get("ID")) or None,
        at=moment(next((row[name] for name in _TIMES if name in row), None)),
        permanent=permanent,
        meaning=verdict(True, reply) if meaning is Meaning.HARD else meaning,
        reply=reply,
        detail=first(row.get("Description"), row.get("Name"), row.get("SuppressionReason")),
        url=text(row.get("OriginalLink")),
        user_agent=text(row.get("UserAgent")),
        tokens=possible_tokens(row),
    )


_TIMES = ("BouncedAt", "DeliveredAt", "ReceivedAt", "ChangedAt")


def _said(row: dict[str, Any]) -> tuple[EventWord, bool | None, Meaning | None]:
    record = text(row.get("RecordType"))
    if record in ("Bounce", ""):
        return BOUNCES.get(text(row.get("Type")), _NOTHING)
    if record == "SubscriptionChange":
        if row.get("SuppressSending") is not True:
            return EventWord.SUBSCRIBE, None, None
        return _SUPPRESSED.get(text(row.get("SuppressionReason")), _NOTHING)
    return WORDS.get(record, EventWord.UNKNOWN), None, None
