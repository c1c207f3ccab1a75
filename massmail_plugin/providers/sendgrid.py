"""Twilio SendGrid's Event Webhook: batches of events, signed with ECDSA. The register enters; nothing is committed."""

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from massmail_plugin.contracts import EventRequest, ProviderEvent
from massmail_plugin.providers.payloads import first, json_body, moment, objects, possible_tokens, text
from massmail_plugin.providers.signatures import A_DAY, fresh, refuse, verified
from massmail_plugin.providers.verdicts import verdict
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord

WORDS = {
    "processed": EventWord.QUEUED,
    "delivered": EventWord.DELIVERED,
    "deferred": EventWord.DEFERRED,
    "bounce": EventWord.BOUNCE,
    "blocked": EventWord.BOUNCE,
    "dropped": EventWord.REJECTED,
    "open": EventWord.OPEN,
    "click": EventWord.CLICK,
    "spamreport": EventWord.COMPLAINT,
    "unsubscribe": EventWord.UNSUBSCRIBE,
    "group_unsubscribe": EventWord.UNSUBSCRIBE,
    "group_resubscribe": EventWord.SUBSCRIBE,
}
_DEAD = ("bounced address", "invalid")
"""Reasons of "dropped" that speak of an address which does not exist."""
_OWN_IDS = frozenset(
    {"sg_event_id", "sg_message_id", "sg_template_id", "asm_group_id", "marketing_campaign_id", "singlesend_id"}
    | {"template_id", "template_version_id", "mc_auto_id", "mc_auto_step_id", "phase_id"}
)
"""SendGrid's own ids; any other in an event is an argument that the sender gave the mail."""
_STAMP = "x-twilio-email-event-webhook-timestamp"
_SIGNATURE = "x-twilio-email-event-webhook-signature"


class SendGridEvents:
    """Settings, Mail Settings, Event Webhook in SendGrid."""

    name = "sendgrid"
    label = "SendGrid"
    secret_label = "Verification key"
    secret_help = "In SendGrid: Settings, Mail Settings, Event Webhook, Signed Event Webhook. Copy the public key."

    def check(self, request: EventRequest, secret: str) -> None:
        """ECDSA with SHA-256 over time stamp and body; as `contracts.EventReader.check`."""
        stamp = request.headers.get(_STAMP, "")
        if not stamp:
            refuse("The time stamp of the signature is missing.")
        signed = stamp.encode("utf-8", "replace") + request.body
        verified(
            secret,
            request.headers.get(_SIGNATURE, ""),
            lambda key, octets: key.verify(octets, signed, ECDSA(SHA256())),  # type: ignore[union-attr,call-arg,arg-type]
        )
        fresh(request, moment(stamp), A_DAY)

    def read(self, request: EventRequest) -> list[ProviderEvent]:
        """As `contracts.EventReader.read`."""
        return [_event(row) for row in objects(json_body(request))]

    def token_header(self, token: str) -> tuple[str, str]:
        """As `contracts.EventReader.token_header`."""
        return "X-SMTPAPI", json.dumps({"unique_args": {"massmail_id": token}})


def _event(row: dict[str, Any]) -> ProviderEvent:
    name = text(row.get("event"))
    word = WORDS.get(name, EventWord.UNKNOWN)
    permanent = _permanent(name, row)
    return ProviderEvent(
        word=word,
        recipient=text(row.get("email")) or None,
        message_id=_message_id(row),
        event_id=text(row.get("sg_event_id")) or None,
        at=moment(row.get("timestamp")),
        permanent=permanent,
        meaning=_meaning(word, permanent, row),
        reply=first(row.get("response"), row.get("reason") if word is EventWord.BOUNCE else None),
        detail=first(row.get("reason"), row.get("bounce_classification")),
        url=text(row.get("url")),
        user_agent=text(row.get("useragent")),
        machine="proxy" if row.get("sg_machine_open") is True else "",
        one_list=name == "group_unsubscribe",
        tokens=possible_tokens(row),
    )


def _message_id(row: dict[str, Any]) -> str | None:
    """The id that the sender gave the mail as an argument, else its Message-ID, else SendGrid's own."""
    given = [row[name] for name in row if name not in _OWN_IDS and name.endswith("_id")]
    return first(*given, row.get("smtp-id"), row.get("sg_message_id")) or None


def _permanent(name: str, row: dict[str, Any]) -> bool | None:
    if name == "bounce":
        return text(row.get("type")) != "blocked"
    return {"blocked": False, "deferred": False, "dropped": True}.get(name)


def _meaning(word: EventWord, permanent: bool | None, row: dict[str, Any]) -> Meaning | None:
    reason = text(row.get("reason"))
    if word is EventWord.BOUNCE and not permanent:
        return Meaning.BLOCKED
    if word is EventWord.REJECTED:
        return Meaning.HARD if reason.lower().startswith(_DEAD) else Meaning.BLOCKED
    failed = word in (EventWord.BOUNCE, EventWord.DEFERRED)
    return verdict(permanent, text(row.get("status")), reason, text(row.get("response"))) if failed else None
