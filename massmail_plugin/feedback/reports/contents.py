"""A received mail laid out by meaning: the server's words, the fields of reports, and the mail it returns."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from massmail_plugin.feedback.reports.addresses import addresses, first_address, rewritten_from
from massmail_plugin.feedback.reports.complaints import has_feedback_fields
from massmail_plugin.feedback.reports.headers import Headers
from massmail_plugin.feedback.reports.mime import Part, take_apart
from massmail_plugin.feedback.reports.returned import Returned, read_returned, split_text

_CARRIED = frozenset(
    {"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers", "text/rfc822"}
)
_STATUS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_RECEIPT = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
_SENT_TO = ("to", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "x-rcpt-to")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,500}>")


@dataclass(slots=True)
class Contents:
    """What a mail holds."""

    headers: Headers
    report_type: str
    said: str = ""
    """What it says itself, as plain text."""
    status: list[str] = field(default_factory=list)
    feedback: str = ""
    receipt: bool = False
    """It is a read receipt (RFC 8098)."""
    returned: Returned = field(default_factory=Returned)
    carried: bytes = b""
    """The first mail it carries, as bytes."""

    @property
    def sender(self) -> str:
        return first_address(self.headers.words("from"))

    @property
    def senders(self) -> list[str]:
        """Addresses of those who sent the mail that is reported on, and of who reports."""
        rewritten = [one for address in self.sent_to for one in rewritten_from(address)]
        return [*self.sent_to, *rewritten, *self.returned.senders, self.sender]

    @property
    def sent_to(self) -> tuple[str, ...]:
        found = [one for value in self.headers.all(*_SENT_TO) for one in addresses(value)]
        return tuple(dict.fromkeys(found))[:50]

    @property
    def came_at(self) -> datetime | None:
        """When it came: the latest of what its servers and its writer say."""
        said = [*(value.rpartition(";")[2] for value in self.headers.all("received")), self.headers.get("date")]
        return max(filter(None, map(_moment, said)), default=None)

    @property
    def answers(self) -> tuple[str, ...]:
        named = " ".join(self.headers.all("in-reply-to", "references"))
        return tuple(dict.fromkeys(_MESSAGE_ID.findall(named)))[:50]


def _moment(text: str) -> datetime | None:
    """A date of RFC 5322; one without a zone is in UTC."""
    try:
        moment = parsedate_to_datetime(text.strip()[:100])
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def lay_out(raw: bytes) -> Contents:
    """Take a mail apart and sort what it holds. A delivery report that carries another one speaks for both."""
    contents = _sorted(raw)
    if contents.report_type != "delivery-status" or "delivery-status" not in _type_of(contents.returned):
        return contents
    inner = _sorted(contents.carried)
    if inner.status and not contents.status:
        contents.said, contents.returned = inner.said, inner.returned
    contents.status += inner.status
    return contents


def _type_of(returned: Returned) -> str:
    return returned.headers.get("content-type").lower()


def _sorted(raw: bytes) -> Contents:
    mail = take_apart(raw)
    contents = Contents(mail.headers, mail.parameters.get("report-type", "").lower())
    contents.receipt = contents.report_type == "disposition-notification"
    plain: list[str] = []
    marked: list[Part] = []
    for part in mail.parts:
        _sort(part, contents, plain, marked)
    said = "\n\n".join(plain)
    if marked and "@" not in said:
        said = f"{said}\n\n" + "\n\n".join(part.text for part in marked)
    contents.said, rest = split_text(said)
    if rest and not contents.returned.there:
        contents.returned = read_returned(rest)
    return contents


def _sort(part: Part, contents: Contents, plain: list[str], marked: list[Part]) -> None:
    kind = part.kind
    if kind in _STATUS:
        contents.status.append(part.text)
    elif kind == "message/feedback-report":
        contents.feedback = contents.feedback or part.text
    elif kind in _RECEIPT:
        contents.receipt = True
    elif kind in _CARRIED:
        if not contents.returned.there:
            contents.returned = read_returned(part.text)
            contents.carried = part.octets
    elif kind == "text/html":
        marked.append(part)
    elif kind.startswith("text/"):
        if has_feedback_fields(part.text[:2000]):
            contents.feedback = contents.feedback or part.text
        else:
            plain.append(part.text)
