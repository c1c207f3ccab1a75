"""Reads complaints: RFC 5965 reports, and the older forms large providers still send. The reader enters."""

import re
from dataclasses import dataclass

from massmail_plugin.feedback.reports.addresses import addresses, first_address
from massmail_plugin.feedback.reports.headers import Headers, read_headers
from massmail_plugin.feedback.reports.phrases import says
from massmail_plugin.feedback.reports.returned import Returned

COMPLAINING = frozenset({"abuse", "fraud", "opt-out", "opt-out-list", "virus", "other", "miscategorized"})
"""Feedback types that are a reader's complaint. All others (auth-failure, dmarc, not-spam) never suppress."""

_SUBJECTS = (
    "complaint about message from",
    "email feedback report for",
    "abuse report",
    "spam report",
    "feedback loop",
)
_SENDERS = ("scomp@aol.net", "feedbackloop@", "feedback-loop@", "fbl@", "staff@hotmail.com", "fblreport")

_FEEDBACK_TYPE = re.compile(r"^Feedback-Type[ \t]*:", re.I | re.M)
_BESIDE_IT = re.compile(r"^(?:Version|User-Agent)[ \t]*:", re.I | re.M)
_RECIPIENT_FIELDS = ("original-rcpt-to", "original-recipient", "removal-recipient", "redacted-address")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What a feedback report says."""

    kind: str
    recipients: tuple[str, ...]

    @property
    def complains(self) -> bool:
        return self.kind in COMPLAINING


def has_feedback_fields(text: str) -> bool:
    """Whether a text carries the fields of an RFC 5965 report."""
    return _FEEDBACK_TYPE.search(text) is not None and _BESIDE_IT.search(text) is not None


def read_feedback(text: str, returned: Returned) -> Feedback:
    """Read the fields of RFC 5965; the recipients are those it names, else those of the mail complained about."""
    fields = read_headers(text)
    kind = fields.get("feedback-type").strip().lower().split(";")[0].strip("\"' ") or "abuse"
    named = [one for value in fields.all(*_RECIPIENT_FIELDS) for one in addresses(value)]
    return Feedback(kind=kind, recipients=tuple(dict.fromkeys(named or recipients_of(returned))))


def older_form(headers: Headers, subject: str, said: str, returned: Returned) -> Feedback | None:
    """A complaint that is no RFC 5965 report: a provider's own form, or a mail program that asks to unsubscribe."""
    sender = headers.words("from").lower()
    if subject.strip() == "unsubscribe" and headers.get("auto-submitted").lower().startswith("auto"):
        return Feedback(kind="opt-out", recipients=(first_address(headers.words("from")),))
    marked = "x-hmxmroriginalrecipient" in returned.headers
    if marked or (returned.there and (says(subject, _SUBJECTS) or says(sender, _SENDERS))):
        return Feedback(kind="abuse", recipients=tuple(recipients_of(returned)))
    return None


def recipients_of(returned: Returned) -> list[str]:
    """Whom a mail complained about went to, as its reader's provider wrote it."""
    for name in ("x-hmxmroriginalrecipient", "x-apparently-to", "x-rcpt-to", "x-original-to", "delivered-to"):
        found = first_address(returned.headers.get(name).partition(" via ")[0])
        if found:
            return [found]
    return returned.recipients or returned.traces[:1]
