"""One sample for each word of each provider, written after its documentation. `MAIL` is what a mail of ours carries."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord

TO = "ann@example.org"
TOKEN = "0a1b" * 11
"""Where a provider repeats a token, it is this one."""
MAIL = "Qm9va21hcmtlZC1ieS1ub2JvZHktYXQ-"
"""The left part of a Message-ID."""
AT = datetime(2026, 5, 4, 11, 59, 30, tzinfo=UTC)
EPOCH = int(AT.timestamp())
ISO = "2026-05-04T11:59:30Z"
LINK = "https://shop.example/autumn"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

W, M = EventWord, Meaning


@dataclass(frozen=True)
class Sample:
    """What a provider calls it, the payload, and what it means."""

    name: str
    payload: Any
    word: EventWord
    permanent: bool | None = None
    meaning: Meaning | None = None
    machine: str = ""
    one_list: bool = False
    carries_token: bool = True


def _sendgrid(event: str, **more: Any) -> Any:
    ids = {"sg_event_id": f"ev-{event}", "sg_message_id": "14c5d75ce93.filter0001", "smtp-id": f"<{MAIL}@example.org>"}
    return [{"email": TO, "timestamp": EPOCH, "event": event, "massmail_id": TOKEN, **ids, **more}]


SENDGRID = [
    Sample("processed", _sendgrid("processed"), W.QUEUED),
    Sample("delivered", _sendgrid("delivered", response="250 OK"), W.DELIVERED),
    Sample("deferred", _sendgrid("deferred", response="400 try again later"), W.DEFERRED, False, M.SOFT),
    Sample(
        "bounce", _sendgrid("bounce", type="bounce", status="5.1.1", reason="550 5.1.1 none"), W.BOUNCE, True, M.HARD
    ),
    Sample("bounce", _sendgrid("bounce", type="bounce", status="5.2.2", reason="552 full"), W.BOUNCE, True, M.FULL),
    Sample("bounce", _sendgrid("bounce", type="blocked", status="5.7.1", reason="554 no"), W.BOUNCE, False, M.BLOCKED),
    Sample("blocked", _sendgrid("blocked", reason="554 no"), W.BOUNCE, False, M.BLOCKED),
    Sample("dropped", _sendgrid("dropped", reason="Bounced Address"), W.REJECTED, True, M.HARD),
    Sample("dropped", _sendgrid("dropped", reason="Unsubscribed Address"), W.REJECTED, True, M.BLOCKED),
    Sample("open", _sendgrid("open", useragent=AGENT, sg_machine_open=False), W.OPEN),
    Sample("open", _sendgrid("open", useragent=AGENT, sg_machine_open=True), W.OPEN, machine="proxy"),
    Sample("click", _sendgrid("click", useragent=AGENT, url=LINK), W.CLICK),
    Sample("spamreport", _sendgrid("spamreport"), W.COMPLAINT),
    Sample("unsubscribe", _sendgrid("unsubscribe"), W.UNSUBSCRIBE),
    Sample("group_unsubscribe", _sendgrid("group_unsubscribe", asm_group_id=7), W.UNSUBSCRIBE, one_list=True),
    Sample("group_resubscribe", _sendgrid("group_resubscribe", asm_group_id=7), W.SUBSCRIBE),
]


def _mailgun(event: str, **more: Any) -> Any:
    headers = {"headers": {"to": TO, "message-id": f"{MAIL}@example.org", "from": "a@example.org"}}
    variables = {"user-variables": {"massmail": TOKEN}}
    return {
        "event": event,
        "id": f"id-{event}",
        "timestamp": EPOCH,
        "recipient": TO,
        "message": headers,
        **variables,
        **more,
    }


def _mailgun_failed(severity: str, code: int, message: str, reason: str = "bounce") -> Any:
    status = {"code": code, "message": message, "attempt-no": 1}
    return _mailgun("failed", severity=severity, reason=reason, **{"delivery-status": status})


MAILGUN = [
    Sample("accepted", _mailgun("accepted"), W.QUEUED),
    Sample("delivered", _mailgun("delivered"), W.DELIVERED),
    Sample("failed", _mailgun_failed("permanent", 550, "5.1.1 no such user"), W.BOUNCE, True, M.HARD),
    Sample("failed", _mailgun_failed("permanent", 605, "", "suppress-unsubscribe"), W.BOUNCE, True, M.BLOCKED),
    Sample("failed", _mailgun_failed("permanent", 554, "5.7.26 unauthenticated"), W.BOUNCE, True, M.SENDER_FAULT),
    Sample("failed", _mailgun_failed("temporary", 421, "4.7.0 later"), W.DEFERRED, False, M.SOFT),
    Sample("rejected", _mailgun("rejected", reject={"reason": "virus"}), W.REJECTED, True, M.BLOCKED),
    Sample("opened", _mailgun("opened", **{"client-info": {"user-agent": AGENT, "bot": ""}}), W.OPEN),
    Sample(
        "opened", _mailgun("opened", **{"client-info": {"user-agent": AGENT, "bot": "apple"}}), W.OPEN, machine="bot"
    ),
    Sample("clicked", _mailgun("clicked", url=LINK), W.CLICK),
    Sample("complained", _mailgun("complained"), W.COMPLAINT),
    Sample("unsubscribed", _mailgun("unsubscribed"), W.UNSUBSCRIBE),
]


def _postmark(record: str, **more: Any) -> Any:
    return {
        "RecordType": record,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Metadata": {"massmail": TOKEN},
        **more,
    }


def _postmark_bounce(kind: str, details: str = "") -> Any:
    return _postmark("Bounce", ID=42, Type=kind, Email=TO, BouncedAt=ISO, Details=details, Name=kind)


def _postmark_change(*, suppressed: bool, reason: str | None = None) -> Any:
    change = {"SuppressSending": suppressed, "SuppressionReason": reason}
    return _postmark("SubscriptionChange", Recipient=TO, ChangedAt=ISO, **change)


POSTMARK = [
    Sample("Delivery", _postmark("Delivery", Recipient=TO, DeliveredAt=ISO, Details="250 ok"), W.DELIVERED),
    Sample("Open", _postmark("Open", Recipient=TO, ReceivedAt=ISO, UserAgent=AGENT), W.OPEN),
    Sample("Click", _postmark("Click", Recipient=TO, ReceivedAt=ISO, UserAgent=AGENT, OriginalLink=LINK), W.CLICK),
    Sample("SpamComplaint", _postmark("SpamComplaint", ID=7, Email=TO, BouncedAt=ISO), W.COMPLAINT),
    Sample("HardBounce", _postmark_bounce("HardBounce", "smtp;550 5.1.1 unknown"), W.BOUNCE, True, M.HARD),
    Sample("HardBounce", _postmark_bounce("HardBounce", "smtp;554 5.7.1 policy"), W.BOUNCE, True, M.BLOCKED),
    Sample("SoftBounce", _postmark_bounce("SoftBounce"), W.BOUNCE, False, M.SOFT),
    Sample("Transient", _postmark_bounce("Transient"), W.DEFERRED, False, M.SOFT),
    Sample("Unsubscribe", _postmark_bounce("Unsubscribe"), W.UNSUBSCRIBE),
    Sample("AutoResponder", _postmark_bounce("AutoResponder"), W.AUTOREPLY),
    Sample("SpamNotification", _postmark_bounce("SpamNotification"), W.COMPLAINT),
    Sample("BadEmailAddress", _postmark_bounce("BadEmailAddress"), W.REJECTED, True, M.HARD),
    Sample("Blocked", _postmark_bounce("Blocked"), W.REJECTED, True, M.BLOCKED),
    Sample("DMARCPolicy", _postmark_bounce("DMARCPolicy"), W.REJECTED, True, M.SENDER_FAULT),
    Sample("HardBounce", _postmark_change(suppressed=True, reason="HardBounce"), W.BOUNCE, True, M.HARD),
    Sample("ManualSuppression", _postmark_change(suppressed=True, reason="ManualSuppression"), W.UNSUBSCRIBE),
    Sample("subscribed", _postmark_change(suppressed=False), W.SUBSCRIBE),
]


def _brevo(event: str, **more: Any) -> Any:
    custom = {"X-Mailin-custom": json.dumps({"massmail": TOKEN})}
    return {
        "event": event,
        "email": TO,
        "ts_epoch": EPOCH * 1000,
        "message-id": f"<{MAIL}@example.org>",
        **custom,
        **more,
    }


BREVO = [
    Sample("request", _brevo("request"), W.QUEUED),
    Sample("delivered", _brevo("delivered"), W.DELIVERED),
    Sample("deferred", _brevo("deferred", reason="421 later"), W.DEFERRED, False, M.SOFT),
    Sample("hard_bounce", _brevo("hard_bounce", reason="550 5.1.1 unknown"), W.BOUNCE, True, M.HARD),
    Sample("soft_bounce", _brevo("soft_bounce", reason="452 4.2.2 full"), W.BOUNCE, False, M.FULL),
    Sample("invalid_email", _brevo("invalid_email"), W.BOUNCE, True, M.HARD),
    Sample("blocked", _brevo("blocked"), W.REJECTED, True, M.BLOCKED),
    Sample("error", _brevo("error"), W.FAILED, None, M.MESSAGE),
    Sample("spam", _brevo("spam"), W.COMPLAINT),
    Sample("opened", _brevo("opened"), W.OPEN),
    Sample("unique_opened", _brevo("unique_opened"), W.OPEN),
    Sample("proxy_open", _brevo("proxy_open"), W.OPEN, machine="proxy"),
    Sample("click", _brevo("click", link=LINK), W.CLICK),
    Sample("unsubscribed", _brevo("unsubscribed"), W.UNSUBSCRIBE),
]


def _sparkpost(event: str, envelope: str = "message_event", **more: Any) -> Any:
    body = {"type": event, "event_id": f"9{event}", "transmission_id": "65832150921904138", "rcpt_to": TO}
    return [{"msys": {envelope: {**body, "timestamp": str(EPOCH), "rcpt_meta": {"massmail": TOKEN}, **more}}}]


def _sparkpost_bounce(kind: str, reason: str, event: str = "bounce") -> Any:
    return _sparkpost(event, bounce_class=kind, raw_reason=reason, error_code=reason[:3])


SPARKPOST = [
    Sample("injection", _sparkpost("injection"), W.QUEUED),
    Sample("delivery", _sparkpost("delivery"), W.DELIVERED),
    Sample("delay", _sparkpost("delay", raw_reason="454 4.4.4 no MX"), W.DEFERRED, False, M.SOFT),
    Sample("bounce", _sparkpost_bounce("10", "550 5.1.1 unknown"), W.BOUNCE, True, M.HARD),
    Sample("bounce", _sparkpost_bounce("22", "552 5.2.2 full"), W.BOUNCE, False, M.FULL),
    Sample("bounce", _sparkpost_bounce("51", "554 5.7.1 spam"), W.BOUNCE, True, M.BLOCKED),
    Sample("bounce", _sparkpost_bounce("60", "auto-reply"), W.AUTOREPLY),
    Sample("bounce", _sparkpost_bounce("90", "unsubscribe"), W.UNSUBSCRIBE),
    Sample("out_of_band", _sparkpost_bounce("30", "550 no", "out_of_band"), W.BOUNCE, True, M.HARD),
    Sample("policy_rejection", _sparkpost("policy_rejection"), W.REJECTED, True, M.BLOCKED),
    Sample("generation_failure", _sparkpost("generation_failure", "gen_event"), W.FAILED, True, M.MESSAGE),
    Sample("spam_complaint", _sparkpost("spam_complaint", fbtype="abuse"), W.COMPLAINT),
    Sample("initial_open", _sparkpost("initial_open", "track_event", user_agent=AGENT), W.OPEN),
    Sample("open", _sparkpost("open", "track_event", user_agent=AGENT, is_prefetched=True), W.OPEN, machine="proxy"),
    Sample("click", _sparkpost("click", "track_event", target_link_url=LINK), W.CLICK),
    Sample("list_unsubscribe", _sparkpost("list_unsubscribe", "unsubscribe_event"), W.UNSUBSCRIBE),
]


def _mailjet(event: str, **more: Any) -> Any:
    ids = {"MessageID": 19421777396190490, "mj_campaign_id": 7173, "CustomID": TOKEN}
    return [{"event": event, "time": EPOCH, "email": TO, **ids, **more}]


def _mailjet_bounce(error: str, *, hard: bool, comment: str = "") -> Any:
    return _mailjet("bounce", hard_bounce=hard, blocked=hard, error=error, comment=comment)


MAILJET = [
    Sample("sent", _mailjet("sent", smtp_reply="sent (250 2.0.0 OK)"), W.DELIVERED),
    Sample("open", _mailjet("open", agent=AGENT), W.OPEN),
    Sample("click", _mailjet("click", url=LINK), W.CLICK),
    Sample("bounce", _mailjet_bounce("user unknown", hard=True), W.BOUNCE, True, M.HARD),
    Sample("bounce", _mailjet_bounce("quota exceeded", hard=False), W.BOUNCE, False, M.FULL),
    Sample("bounce", _mailjet_bounce("user unknown", hard=False), W.BOUNCE, False, M.SOFT),
    Sample("blocked", _mailjet("blocked", error="typofix"), W.REJECTED, True, M.HARD),
    Sample("blocked", _mailjet("blocked", error="preblocked"), W.REJECTED, True, M.BLOCKED),
    Sample("spam", _mailjet("spam", source="JMRPP"), W.COMPLAINT),
    Sample("unsub", _mailjet("unsub"), W.UNSUBSCRIBE),
]


def _mailersend(event: str, **more: Any) -> Any:
    email = {"message": {"id": "62fb66bef54a112e920b5493"}, "recipient": {"email": TO}, "tags": [TOKEN]}
    data = {"id": f"id-{event}", "type": event, "created_at": ISO, "email": email, "morph": more or None}
    return {"type": f"activity.{event}", "created_at": ISO, "data": data}


MAILERSEND = [
    Sample("activity.sent", _mailersend("sent"), W.SENT),
    Sample("activity.delivered", _mailersend("delivered"), W.DELIVERED),
    Sample("activity.deferred", _mailersend("deferred", reason="later"), W.DEFERRED, False, M.SOFT),
    Sample("activity.soft_bounced", _mailersend("soft_bounced", reason="unknown"), W.BOUNCE, False, M.SOFT),
    Sample("activity.hard_bounced", _mailersend("hard_bounced", reason="no such host"), W.BOUNCE, True, M.HARD),
    Sample("activity.opened", _mailersend("opened", user_agent=AGENT), W.OPEN),
    Sample("activity.clicked", _mailersend("clicked", url=LINK), W.CLICK),
    Sample("activity.unsubscribed", _mailersend("unsubscribed"), W.UNSUBSCRIBE),
    Sample("activity.spam_complaint", _mailersend("spam_complaint"), W.COMPLAINT),
]


def _mandrill(event: str, *, mail: dict[str, Any] | None = None, **more: Any) -> Any:
    msg = {"_id": "b4b7b1c0a1d2", "email": TO, "ts": EPOCH - 60, "metadata": {"massmail": TOKEN}, **(mail or {})}
    return [{"event": event, "_id": "b4b7b1c0a1d2", "ts": EPOCH, "msg": msg, **more}]


MANDRILL = [
    Sample("send", _mandrill("send"), W.SENT),
    Sample("delivered", _mandrill("delivered"), W.DELIVERED),
    Sample("deferral", _mandrill("deferral", mail={"diag": "451 4.3.5 later"}), W.DEFERRED, False, M.SOFT),
    Sample("hard_bounce", _mandrill("hard_bounce", mail={"diag": "550 5.1.1 unknown"}), W.BOUNCE, True, M.HARD),
    Sample("soft_bounce", _mandrill("soft_bounce", mail={"diag": "552 5.2.2 full"}), W.BOUNCE, False, M.FULL),
    Sample("reject", _mandrill("reject", mail={"reject": "unsub"}), W.REJECTED, True, M.BLOCKED),
    Sample("open", _mandrill("open", user_agent=AGENT), W.OPEN),
    Sample("click", _mandrill("click", url=LINK, user_agent=AGENT), W.CLICK),
    Sample("spam", _mandrill("spam"), W.COMPLAINT),
    Sample("unsub", _mandrill("unsub"), W.UNSUBSCRIBE),
]


def _resend(event: str, **more: Any) -> Any:
    headers = [{"name": "X-Entity-Ref-ID", "value": TOKEN}]
    data = {
        "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
        "to": [TO],
        "created_at": ISO,
        "headers": headers,
        **more,
    }
    return {"type": f"email.{event}", "created_at": ISO, "data": data}


def _resend_bounce(kind: str, subtype: str, message: str) -> Any:
    return _resend("bounced", bounce={"type": kind, "subType": subtype, "message": message})


RESEND = [
    Sample("email.sent", _resend("sent"), W.SENT),
    Sample("email.scheduled", _resend("scheduled"), W.QUEUED),
    Sample("email.delivered", _resend("delivered"), W.DELIVERED),
    Sample("email.delivery_delayed", _resend("delivery_delayed"), W.DEFERRED, False, M.SOFT),
    Sample("email.bounced", _resend_bounce("Permanent", "General", "550 5.1.1 no such user"), W.BOUNCE, True, M.HARD),
    Sample("email.bounced", _resend_bounce("Transient", "General", "try later"), W.BOUNCE, False, M.SOFT),
    Sample("email.bounced", _resend_bounce("Permanent", "Suppressed", "on our list"), W.BOUNCE, True, M.BLOCKED),
    Sample("email.suppressed", _resend("suppressed"), W.REJECTED, True, M.BLOCKED),
    Sample("email.failed", _resend("failed", failed={"reason": "reached_daily_quota"}), W.FAILED, True, M.MESSAGE),
    Sample("email.complained", _resend("complained"), W.COMPLAINT),
    Sample("email.opened", _resend("opened"), W.OPEN),
    Sample("email.clicked", _resend("clicked", click={"link": LINK, "userAgent": AGENT}), W.CLICK),
]


def _postal(event: str, *, mail: str = "message", **more: Any) -> Any:
    message = {
        "id": 12345,
        "token": "abcdef123",
        "direction": "outgoing",
        "message_id": f"{MAIL}@example.org",
        "to": TO,
    }
    return {"event": event, "timestamp": EPOCH + 0.25, "uuid": f"u-{event}", "payload": {mail: message, **more}}


def _postal_failed(status: str, output: str) -> Any:
    return _postal("MessageDeliveryFailed", status=status, output=output)


POSTAL = [
    Sample("MessageSent", _postal("MessageSent", output="250 2.0.0 OK"), W.DELIVERED),
    Sample("MessageDelayed", _postal("MessageDelayed", output="450 4.7.1 greylisted"), W.DEFERRED, False, M.SOFT),
    Sample("MessageDeliveryFailed", _postal_failed("HardFail", "550 5.1.1 unknown"), W.FAILED, True, M.HARD),
    Sample("MessageDeliveryFailed", _postal_failed("HardFail", "held"), W.FAILED, True, M.BLOCKED),
    Sample(
        "MessageBounced", _postal("MessageBounced", mail="original_message", bounce={"id": 9}), W.BOUNCE, True, M.HARD
    ),
    Sample("MessageHeld", _postal("MessageHeld", details="over quota"), W.QUEUED),
    Sample("MessageLoaded", _postal("MessageLoaded", user_agent=AGENT), W.OPEN),
    Sample("MessageLinkClicked", _postal("MessageLinkClicked", url=LINK, user_agent=AGENT), W.CLICK),
]
POSTAL = [Sample(**{**vars(sample), "carries_token": False}) for sample in POSTAL]


def _mailtrap(event: str, **more: Any) -> Any:
    ids = {"event_id": f"id-{event}", "message_id": "1df37d17-0286-4d8b-8edf-bc4ec5be86e6"}
    variables = {"custom_variables": {"massmail": TOKEN}}
    return {"events": [{"event": event, "timestamp": EPOCH, "email": TO, **ids, **variables, **more}]}


MAILTRAP = [
    Sample("delivery", _mailtrap("delivery"), W.DELIVERED),
    Sample("soft bounce", _mailtrap("soft bounce", response="450 4.2.0 later"), W.DEFERRED, False, M.SOFT),
    Sample("bounce", _mailtrap("bounce", response="550 5.1.1 none", bounce_category="hard"), W.BOUNCE, True, M.HARD),
    Sample("bounce", _mailtrap("bounce", response="550 no", bounce_category="spam"), W.BOUNCE, True, M.BLOCKED),
    Sample("suspension", _mailtrap("suspension", reason="limit"), W.DEFERRED, False, M.SOFT),
    Sample("reject", _mailtrap("reject", reason="unsubscribed"), W.REJECTED, True, M.BLOCKED),
    Sample("spam", _mailtrap("spam"), W.COMPLAINT),
    Sample("unsubscribe", _mailtrap("unsubscribe"), W.UNSUBSCRIBE),
    Sample("open", _mailtrap("open", user_agent=AGENT), W.OPEN),
    Sample("click", _mailtrap("click", url=LINK), W.CLICK),
]


def _unisender(status: str, **more: Any) -> Any:
    data = {"job_id": "1ZymBc-00041N-9X", "email": TO, "status": status, "event_time": "2026-05-04 11:59:30"}
    event = {
        "event_name": "transactional_email_status",
        "event_data": {**data, "metadata": {"massmail": TOKEN}, **more},
    }
    return [{"user_id": 456, "events": [event]}]


def _unisender_bounce(status: str, code: str, reply: str = "") -> Any:
    return _unisender(status, delivery_info={"delivery_status": code, "destination_response": reply})


UNISENDER_GO = [
    Sample("sent", _unisender("sent"), W.SENT),
    Sample("delivered", _unisender("delivered"), W.DELIVERED),
    Sample("soft_bounced", _unisender_bounce("soft_bounced", "err_mailbox_full"), W.BOUNCE, False, M.FULL),
    Sample("hard_bounced", _unisender_bounce("hard_bounced", "err_user_unknown"), W.BOUNCE, True, M.HARD),
    Sample("hard_bounced", _unisender_bounce("hard_bounced", "err_spam_rejected"), W.BOUNCE, True, M.BLOCKED),
    Sample("opened", _unisender("opened", delivery_info={"user_agent": AGENT}), W.OPEN),
    Sample("clicked", _unisender("clicked", url=LINK), W.CLICK),
    Sample("unsubscribed", _unisender("unsubscribed", comment="too many"), W.UNSUBSCRIBE),
    Sample("subscribed", _unisender("subscribed"), W.SUBSCRIBE),
    Sample("spam", _unisender("spam"), W.COMPLAINT),
]


def _ses(event: str, name: str = "", **details: Any) -> Any:
    tags = {"massmail": [TOKEN], "ses:from-domain": ["example.org"]}
    mail = {"messageId": "0102018f-1", "timestamp": ISO, "destination": [TO], "tags": tags}
    return {"eventType": event, "mail": mail, name or event.lower(): details}


def _ses_bounce(kind: str, subtype: str, status: str) -> Any:
    recipients = [{"emailAddress": TO, "status": status, "diagnosticCode": f"smtp; 550 {status} no"}]
    return _ses("Bounce", bounceType=kind, bounceSubType=subtype, bouncedRecipients=recipients, timestamp=ISO)


SES = [
    Sample("Send", _ses("Send"), W.SENT),
    Sample("Delivery", _ses("Delivery", recipients=[TO], smtpResponse="250 ok"), W.DELIVERED),
    Sample("DeliveryDelay", _ses("DeliveryDelay", "deliveryDelay", delayType="General"), W.DEFERRED, False, M.SOFT),
    Sample("DeliveryDelay", _ses("DeliveryDelay", "deliveryDelay", delayType="MailboxFull"), W.DEFERRED, False, M.FULL),
    Sample("Bounce", _ses_bounce("Permanent", "General", "5.1.1"), W.BOUNCE, True, M.HARD),
    Sample("Bounce", _ses_bounce("Permanent", "OnAccountSuppressionList", "5.1.1"), W.BOUNCE, True, M.BLOCKED),
    Sample("Bounce", _ses_bounce("Transient", "MailboxFull", "5.2.2"), W.BOUNCE, False, M.FULL),
    Sample("Bounce", _ses_bounce("Undetermined", "Undetermined", "5.1.1"), W.BOUNCE, None, M.HARD),
    Sample("Complaint", _ses("Complaint", complainedRecipients=[{"emailAddress": TO}]), W.COMPLAINT),
    Sample("Reject", _ses("Reject", reason="Bad content"), W.REJECTED, True, M.MESSAGE),
    Sample("Rendering Failure", _ses("Rendering Failure", "failure", errorMessage="x"), W.FAILED, True, M.MESSAGE),
    Sample("Open", _ses("Open", userAgent=AGENT), W.OPEN),
    Sample("Click", _ses("Click", link=LINK, userAgent=AGENT), W.CLICK),
    Sample("Subscription", _ses("Subscription", newTopicPreferences={"unsubscribeAll": True}), W.UNSUBSCRIBE),
]


def _signed(event: str, **more: Any) -> Any:
    return {"events": [{"event": event, "recipient": TO, "timestamp": ISO, "event_id": event, "token": TOKEN, **more}]}


SIGNED_JSON = [
    *(Sample(word, _signed(word), word) for word in (W.QUEUED, W.SENT, W.DELIVERED, W.COMPLAINT, W.OPEN, W.CLICK)),
    *(Sample(word, _signed(word), word) for word in (W.UNSUBSCRIBE, W.SUBSCRIBE, W.AUTOREPLY, W.UNKNOWN)),
    Sample("bounce", _signed("bounce", **{"class": "permanent"}), W.BOUNCE, True, M.HARD),
    Sample("bounce", _signed("bounce", reply="550 5.7.1 no"), W.BOUNCE, None, M.BLOCKED),
    Sample("bounce", _signed("bounce", meaning="full"), W.BOUNCE, None, M.FULL),
    Sample("deferred", _signed("deferred"), W.DEFERRED, None, M.SOFT),
    Sample("rejected", _signed("rejected", meaning="blocked"), W.REJECTED, None, M.BLOCKED),
    Sample("failed", _signed("failed", meaning="message"), W.FAILED, None, M.MESSAGE),
]

SAMPLES: dict[str, list[Sample]] = {
    "ses": SES,
    "sendgrid": SENDGRID,
    "mailgun": MAILGUN,
    "postmark": POSTMARK,
    "brevo": BREVO,
    "sparkpost": SPARKPOST,
    "mailjet": MAILJET,
    "mailersend": MAILERSEND,
    "mandrill": MANDRILL,
    "resend": RESEND,
    "postal": POSTAL,
    "mailtrap": MAILTRAP,
    "unisender_go": UNISENDER_GO,
    "signed_json": SIGNED_JSON,
}
