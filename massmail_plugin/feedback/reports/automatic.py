"""Tells mail that a machine wrote from mail by people (RFC 3834). The reader enters."""

from massmail_plugin.feedback.reports.headers import Headers
from massmail_plugin.feedback.reports.phrases import AUTOMATIC_SUBJECT, AUTOMATIC_TEXT, says

_MARKS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-autoreply-from",
    "x-mail-autoreply",
    "x-vacation",
    "x-cron-env",
    "x-auto-response-suppress-reply",
    "x-ms-exchange-inbox-rules-loop",
)
_PRECEDENCES = ("auto_reply", "auto-reply", "autoreply", "bulk", "junk", "list")


def answers_by_itself(headers: Headers, subject: str, text: str) -> bool:
    """Whether a mail is an absence notice, a challenge, or another automatic answer. Texts are lower-case."""
    said = headers.get("auto-submitted").strip().lower()
    if said.startswith("auto-replied") or any(mark in headers for mark in _MARKS):
        return True
    if headers.get("precedence").strip().lower() in ("auto_reply", "auto-reply", "autoreply"):
        return True
    return says(subject, AUTOMATIC_SUBJECT) or says(text[:2000], AUTOMATIC_TEXT)


def written_by_machine(headers: Headers, sender: str) -> bool:
    """Whether a mail must not be taken for a person's, nor be answered (RFC 3834 sections 2 and 5)."""
    said = headers.get("auto-submitted").strip().lower()
    if (said and not said.startswith("no")) or headers.get("precedence").strip().lower() in _PRECEDENCES:
        return True
    if any(mark in headers for mark in _MARKS) or "list-id" in headers:
        return True
    return headers.get("return-path").strip() == "<>" or not sender or sender.startswith(("mailer-daemon@", "noreply@"))
