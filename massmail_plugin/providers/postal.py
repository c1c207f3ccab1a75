"""Postal's webhooks, one event each, signed with the installation's RSA key. The register enters; no commits."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from massmail_plugin.contracts import EventRequest, ProviderEvent
from massmail_plugin.providers.payloads import (
    json_body,
    mapping,
    moment,
    number_or_text,
    objects,
    possible_tokens,
    text,
)
from massmail_plugin.providers.signatures import verified
from massmail_plugin.providers.verdicts import verdict
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord

WORDS = {
    "MessageSent": EventWord.DELIVERED,
    "MessageDelayed": EventWord.DEFERRED,
    "MessageDeliveryFailed": EventWord.FAILED,
    "MessageBounced": EventWord.BOUNCE,
    "MessageHeld": EventWord.QUEUED,
    "MessageLoaded": EventWord.OPEN,
    "MessageLinkClicked": EventWord.CLICK,
}


class PostalEvents:
    """Webhooks of a mail server in Postal. "Sent" means that the receiving server took the mail."""

    name = "postal"
    label = "Postal"
    secret_label = "Public key"
    secret_help = "The p= part of the DKIM record that `postal default-dkim-record` prints, or the key as PEM."

    def check(self, request: EventRequest, secret: str) -> None:
        """RSA over the body, with SHA-256 where Postal sends it, else with SHA-1; `contracts.EventReader.check`."""
        newer = request.headers.get("x-postal-signature-256", "")
        given, algorithm = (newer, SHA256()) if newer else (request.headers.get("x-postal-signature", ""), SHA1())
        verified(
            secret,
            given,
            lambda key, octets: key.verify(octets, request.body, PKCS1v15(), algorithm),  # type: ignore[union-attr,call-arg,arg-type]
        )

    def read(self, request: EventRequest) -> list[ProviderEvent]:
        """As `contracts.EventReader.read`. Mails that come in to Postal are no events here."""
        found = [_event(row, mapping(row.get("payload"))) for row in objects(json_body(request))]
        return [event for event in found if event is not None]

    def token_header(self, token: str) -> None:
        """Postal keeps the Message-ID and writes it into every event."""


def _event(row: dict[str, Any], payload: dict[str, Any]) -> ProviderEvent | None:
    bounced = mapping(payload.get("original_message"))
    mail = bounced or mapping(payload.get("message"))
    if not mail or text(mail.get("direction")) == "incoming":
        return None
    word = EventWord.BOUNCE if bounced else WORDS.get(text(row.get("event")), EventWord.UNKNOWN)
    permanent = _permanent(word, payload)
    reply = text(payload.get("output"))
    return ProviderEvent(
        word=word,
        recipient=text(mail.get("to")) or None,
        message_id=number_or_text(mail.get("id")),
        event_id=text(row.get("uuid")) or None,
        at=_second(row.get("timestamp")),
        permanent=permanent,
        meaning=_meaning(word, permanent, reply),
        reply=reply,
        detail=text(payload.get("details")),
        url=text(payload.get("url")),
        user_agent=text(payload.get("user_agent")),
        tokens=possible_tokens(mail),
    )


def _second(value: Any) -> Any:
    """Postal's clock in whole seconds."""
    at = moment(value)
    return at.replace(microsecond=0) if at else None


def _permanent(word: EventWord, payload: dict[str, Any]) -> bool | None:
    if word is EventWord.FAILED:
        return text(payload.get("status")) != "SoftFail"
    return {EventWord.BOUNCE: True, EventWord.DEFERRED: False}.get(word)


def _meaning(word: EventWord, permanent: bool | None, reply: str) -> Meaning | None:
    """A mail that came back later does not say why; a refusal at delivery quotes the server."""
    if word is EventWord.FAILED and not reply[:1].isdigit():
        return Meaning.BLOCKED
    return None if permanent is None else verdict(permanent, reply)
