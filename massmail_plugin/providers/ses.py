"""Amazon SES: its notifications and events, as they come through Amazon SNS. The register enters; no commits."""

from datetime import timedelta
from typing import Any

from massmail_plugin.contracts import EventRequest, ProviderEvent
from massmail_plugin.errors import RequestRefused
from massmail_plugin.providers import sns
from massmail_plugin.providers.payloads import (
    first,
    json_body,
    json_value,
    mapping,
    moment,
    objects,
    possible_tokens,
    rows_in,
    text,
)
from massmail_plugin.providers.signatures import fresh, keys, refuse
from massmail_plugin.providers.verdicts import verdict
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord

WORDS = {
    "Bounce": EventWord.BOUNCE,
    "Complaint": EventWord.COMPLAINT,
    "Delivery": EventWord.DELIVERED,
    "DeliveryDelay": EventWord.DEFERRED,
    "Send": EventWord.SENT,
    "Reject": EventWord.REJECTED,
    "Rendering Failure": EventWord.FAILED,
    "Open": EventWord.OPEN,
    "Click": EventWord.CLICK,
    "Subscription": EventWord.UNSUBSCRIBE,
}
_KINDS = {
    "MailboxFull": Meaning.FULL,
    "MessageTooLarge": Meaning.MESSAGE,
    "ContentRejected": Meaning.MESSAGE,
    "AttachmentRejected": Meaning.MESSAGE,
    "OnAccountSuppressionList": Meaning.BLOCKED,
}
"""Kinds of bounce that do not speak of a dead address; the rest is told by its code."""
_DETAILS = {
    "Bounce": "bounce",
    "Complaint": "complaint",
    "Delivery": "delivery",
    "DeliveryDelay": "deliveryDelay",
    "Reject": "reject",
    "Rendering Failure": "failure",
    "Open": "open",
    "Click": "click",
    "Subscription": "subscription",
}
LONGEST = timedelta(minutes=65)
"""SNS tries again for an hour at most."""


class SesEvents:
    """Feedback notifications and event publishing. The secret is the topic: only what is signed for it is believed."""

    name = "ses"
    label = "Amazon SES"
    secret_label = "SNS topic (ARN)"
    secret_help = "The topic that SES publishes to, such as arn:aws:sns:eu-west-1:123456789012:mail-events."

    def __init__(self, fetch: sns.Fetch = sns.fetch) -> None:
        self._fetch = fetch
        self._certificates = sns.Certificates(fetch)

    def check(self, request: EventRequest, secret: str) -> None:
        """The topic first, then the certificate's address, then the signature; as `contracts.EventReader.check`."""
        envelope = mapping(json_body(request))
        topic = text(envelope.get("TopicArn"))
        if topic not in keys(secret) or not sns.region_of_topic(topic):
            refuse("The notification is not of a topic that is known here.")
        address = sns.certificate_url(envelope, sns.region_of_topic(topic))
        fresh(request, moment(envelope.get("Timestamp")), LONGEST)
        sns.check_signature(envelope, self._certificates.key(address, request.at))

    def read(self, request: EventRequest) -> list[ProviderEvent]:
        """As `contracts.EventReader.read`. Raw delivery of SNS is read too; it cannot be checked."""
        envelope = objects(json_body(request))[0:1]
        body = envelope[0] if envelope else {}
        kind = text(body.get("Type"))
        if kind in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
            return []
        if kind != "Notification":
            return _events(body, None, None)
        message = _message(_whole(body.get("Message")))
        return _events(message, text(body.get("MessageId")), body.get("Timestamp"))

    def answer(self, request: EventRequest) -> str:
        """Confirm a subscription, which came in a checked request: what was done, or "" where nothing is to be.

        Raises RequestRefused where Amazon does not take the confirmation; SNS asks again.
        """
        envelope = mapping(json_body(request))
        if envelope.get("Type") != "SubscriptionConfirmation":
            return ""
        try:
            self._fetch(sns.confirmation_url(text(envelope.get("TopicArn")), text(envelope.get("Token"))))
        except OSError as error:
            raise RequestRefused(424, "Amazon did not take the confirmation of the subscription.") from error
        return "The subscription was confirmed."

    def token_header(self, token: str) -> tuple[str, str]:
        """As `contracts.EventReader.token_header`."""
        return "X-SES-MESSAGE-TAGS", f"massmail={token}"


def _whole(value: Any) -> str:
    """The whole text, however long: it is JSON itself."""
    return value if isinstance(value, str) else ""


def _message(written: str) -> dict[str, Any]:
    """The event inside a notification; SES sends a plain sentence when a topic is set up."""
    if not written.lstrip().startswith("{"):
        return {}
    return mapping(json_value(written))


def _events(body: dict[str, Any], event_id: str | None, at: Any) -> list[ProviderEvent]:
    name = first(body.get("notificationType"), body.get("eventType"))
    mail = mapping(body.get("mail"))
    if not name or not mail:
        return []
    details = mapping(body.get(_DETAILS.get(name, "")))
    word = WORDS.get(name, EventWord.UNKNOWN)
    known = event_id or text(details.get("feedbackId")) or None
    when = moment(at) or moment(details.get("timestamp")) or moment(mail.get("timestamp"))
    return [
        ProviderEvent(
            word=_word(word, details),
            recipient=text(one.get("emailAddress")) or None,
            message_id=text(mail.get("messageId")) or None,
            event_id=known,
            at=when,
            **_failure(word, details, one),
            reply=first(one.get("diagnosticCode"), details.get("smtpResponse")),
            detail=_said(word, details),
            url=text(details.get("link")),
            user_agent=text(details.get("userAgent")),
            tokens=possible_tokens(mail),
        )
        for one in _recipients(word, details, mail)
    ]


def _word(word: EventWord, details: dict[str, Any]) -> EventWord:
    """A change of topic preferences is an unsubscription only where nothing is left."""
    if word is not EventWord.UNSUBSCRIBE:
        return word
    everything = mapping(details.get("newTopicPreferences")).get("unsubscribeAll")
    return EventWord.UNSUBSCRIBE if everything is True else EventWord.UNKNOWN


def _recipients(word: EventWord, details: dict[str, Any], mail: dict[str, Any]) -> list[dict[str, Any]]:
    """Those the event speaks of: its own list, or all that the mail went to."""
    named = {
        EventWord.BOUNCE: "bouncedRecipients",
        EventWord.COMPLAINT: "complainedRecipients",
        EventWord.DEFERRED: "delayedRecipients",
        EventWord.DELIVERED: "recipients",
    }.get(word, "")
    rows = rows_in(details.get(named)) or rows_in(mail.get("destination"))
    return [row if isinstance(row, dict) else {"emailAddress": row} for row in _objects_or_texts(rows)]


def _objects_or_texts(rows: list[Any]) -> list[dict[str, Any] | str]:
    """At most fifty, as many as one mail of SES may go to."""
    return [row for row in rows if isinstance(row, dict | str)][:50]


def _failure(word: EventWord, details: dict[str, Any], recipient: dict[str, Any]) -> dict[str, Any]:
    if word in (EventWord.REJECTED, EventWord.FAILED):
        return {"permanent": True, "meaning": Meaning.MESSAGE}
    if word is EventWord.DEFERRED:
        full = text(details.get("delayType")) == "MailboxFull"
        return {"permanent": False, "meaning": Meaning.FULL if full else Meaning.SOFT}
    if word is not EventWord.BOUNCE:
        return {}
    permanent = {"Permanent": True, "Transient": False}.get(text(details.get("bounceType")))
    kind = _KINDS.get(text(details.get("bounceSubType")))
    code = text(recipient.get("status")), text(recipient.get("diagnosticCode"))
    return {"permanent": permanent, "meaning": kind or verdict(permanent, *code)}


def _said(word: EventWord, details: dict[str, Any]) -> str:
    if word is EventWord.BOUNCE:
        return ": ".join(filter(None, (text(details.get("bounceType")), text(details.get("bounceSubType")))))
    return first(
        details.get("complaintFeedbackType"),
        details.get("reason"),
        details.get("errorMessage"),
        details.get("delayType"),
    )
