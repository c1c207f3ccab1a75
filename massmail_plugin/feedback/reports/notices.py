"""Reads the JSON notices that Amazon SES mails through SNS where no webhook is set up. The reader enters."""

import json
import re
from dataclasses import dataclass
from typing import Any

_FOLD = re.compile(r"!\n[ \t]?")
_KINDS = {"bounce": "bounce", "complaint": "complaint", "delivery": "delivered", "deliverydelay": "delay"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticedRecipient:
    """One address of a notice."""

    address: str
    action: str = ""
    status: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a notice says: `kind` is one of bounce, complaint, delivered, delay."""

    kind: str
    status: str
    """RFC 3463, for recipients without a status of their own."""
    recipients: tuple[NoticedRecipient, ...]
    message_ids: tuple[str, ...]
    feedback_type: str = ""


def read_notice(text: str) -> Notice | None:
    """Read a notice at the head of a text; None where there is none."""
    start = text[:200].find("{")
    if start < 0 or not ("notificationType" in text or "eventType" in text):
        return None
    try:
        data, _ = json.JSONDecoder(strict=False).raw_decode(_FOLD.sub("", text[start:]))
        return _notice(data)
    except (ValueError, RecursionError, AttributeError, TypeError):
        return None


def _notice(data: Any) -> Notice | None:
    if "Message" in data and isinstance(data["Message"], str):
        data = json.loads(data["Message"], strict=False)
    kind = _KINDS.get(str(data.get("notificationType") or data.get("eventType")).lower())
    if kind is None:
        return None
    about = data.get("bounce") or data.get("complaint") or data.get("delivery") or data.get("deliveryDelay") or {}
    mail = data.get("mail") or {}
    ids = [mail.get("messageId")] + [
        one.get("value") for one in mail.get("headers") or [] if str(one.get("name")).lower() == "message-id"
    ]
    return Notice(
        kind=kind,
        status={"Permanent": "5.0.0", "Transient": "4.0.0"}.get(str(about.get("bounceType")), ""),
        recipients=tuple(_recipient(one) for one in _named(about)),
        message_ids=tuple(f"<{str(one).strip('<>')}>" for one in ids if one),
        feedback_type=str(about.get("complaintFeedbackType") or ""),
    )


def _named(about: dict[str, Any]) -> list[Any]:
    for name in ("bouncedRecipients", "complainedRecipients", "delayedRecipients", "recipients"):
        if about.get(name):
            return list(about[name])[:100]
    return []


def _recipient(one: Any) -> NoticedRecipient:
    if isinstance(one, str):
        return NoticedRecipient(address=one, action="delivered")
    return NoticedRecipient(
        address=str(one.get("emailAddress") or ""),
        action=str(one.get("action") or ""),
        status=str(one.get("status") or ""),
        words=str(one.get("diagnosticCode") or "").removeprefix("smtp; "),
    )
