"""Tells a server's own words from the mail it returns, and reads who that mail was from and to. The reader enters."""

import re
from dataclasses import dataclass, field

from massmail_plugin.feedback.reports.addresses import addresses
from massmail_plugin.feedback.reports.headers import Headers, read_headers
from massmail_plugin.feedback.reports.phrases import says

LONGEST_TEXT = 24_000
"""Characters of the server's words that are read."""
LONGEST_HEADER = 32_000
"""Characters read of the header of the returned mail."""

# A trace field is never part of what a server says itself; it begins the mail that it returns.
_TRACE = re.compile(
    r"^[ \t>|]{0,8}(?:Received:[ \t]+(?:from|by|\(|via|with)|Return-Path:|X-Received:|DKIM-Signature:|"
    r"ARC-Seal:|MIME-Version:|Delivered-To:|X-Originating-IP:|X-Google-Smtp-Source:|X-Apparently-To:)",
    re.M | re.I,
)
_ANY_FIELD = re.compile(r"^[ \t>|]{0,8}[A-Za-z][A-Za-z0-9-]{0,60}:(?:[ \t]|$)|^[ \t>|]{0,8}From [^ ]+ ")
_CONTINUED = re.compile(r"^[ \t]+\S")
_ANNOUNCED = (
    "copy of the message",
    "copy of your message",
    "copy of the original",
    "copy of the mail",
    "copy of the first",
    "copy of the header",
    "is a copy of",
    "original message",
    "original mail",
    "original e-mail",
    "returned message",
    "returned mail",
    "unsent message",
    "undelivered message",
    "rejected message",
    "message text follows",
    "message headers follow",
    "message header",
    "message follows",
    "message below",
    "headers of the",
    "headers of your",
    "lines of your",
    "lines of the",
    "ursprüngliche nachricht",
    "ursprünglichen nachricht",
    "message d'origine",
    "message original",
    "mensaje original",
    "mensagem original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "исходное сообщение",
    "копия письма",
    "копия сообщения",
    "元のメール",
    "原邮件",
    "原始邮件",
    "원본 메시지",
)
_RULES = "-=*_#|+~"
_NOT_ANNOUNCED = ("was received", "recipient", "could not", "was not", "has been", "deliver", "addressed", "failed")
_FOR = re.compile(r"\bfor\s+<?([^\s<>;]+@[^\s<>;]+)>?", re.I)
_ENVELOPE_FROM = re.compile(r"envelope-(?:from|sender)[ :=]*<?([^\s<>()]+@[^\s<>()]+)>?", re.I)


@dataclass(slots=True)
class Returned:
    """The mail that came back, as far as it was returned."""

    senders: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    """Addresses of its To, Cc, Bcc and X-Original-To."""
    traces: list[str] = field(default_factory=list)
    """Addresses its Received fields name after "for"."""
    message_ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    headers: Headers = field(default_factory=Headers)

    @property
    def there(self) -> bool:
        return len(self.headers) > 0


_MESSAGE_ID = re.compile(r"<[^<>\s]{1,500}>")
_LINK = re.compile(r"<\s*([^<>\s]{1,2000})\s*>")


def split_text(text: str) -> tuple[str, str]:
    """What a server says itself, and the mail it returns below it (or nothing)."""
    text = _unquoted(text)
    start = _start_of_header(text)
    said, rest = text[:start][:LONGEST_TEXT], text[start:]
    at, seen = 0, False
    for line in said.split("\n"):
        if seen and _announces(line):
            return said[:at], rest or said[at + len(line) :].lstrip("\n")
        seen = seen or "@" in line
        at += len(line) + 1
    return said, rest


def _announces(line: str) -> bool:
    """Whether a line says that the returned mail follows."""
    bare = line.strip().lower()
    if not 10 < len(bare) < 120 or not says(bare, _ANNOUNCED) or says(bare, _NOT_ANNOUNCED):
        return False
    return bare[0] in _RULES or bare[-1] in _RULES or bare[-1] == ":" or "follow" in bare


def read_returned(text: str) -> Returned:
    """Read the header of a returned mail."""
    lines: list[str] = []
    for line in text.lstrip("\n")[:LONGEST_HEADER].split("\n"):
        bare = line[2:] if line.startswith("> ") else line
        if not bare.strip():
            if lines:
                break
            continue
        lines.append(bare)
    if lines and lines[0][:1] in " \t":
        margin = len(lines[0]) - len(lines[0].lstrip())
        lines = [line[margin:] if line[:margin].isspace() else line for line in lines]
    return of_headers(read_headers("\n".join(lines)))


def of_headers(headers: Headers) -> Returned:
    """Sender, recipients and ids of a returned mail."""
    if not len(headers):
        return Returned()
    traces = headers.all("received")
    senders = headers.all("from", "sender", "return-path", "reply-to", "errors-to", "resent-from", "x-sender")
    named = [found for trace in traces for found in _ENVELOPE_FROM.findall(trace)]
    to = headers.all("to", "cc", "bcc", "x-original-to", "resent-to", "x-rcpt-to", "envelope-to")
    return Returned(
        senders=_addresses(senders) + named,
        recipients=_addresses(to),
        traces=[one for trace in traces for found in _FOR.findall(trace) for one in addresses(found)],
        message_ids=_MESSAGE_ID.findall(" ".join(headers.all("message-id", "x-original-message-id")))[:5],
        links=_LINK.findall(" ".join(headers.all("list-unsubscribe")))[:10],
        headers=headers,
    )


def _addresses(fields: list[str]) -> list[str]:
    return list(dict.fromkeys(one for value in fields for one in addresses(value)))


def _start_of_header(text: str) -> int:
    """Where the returned mail begins: at the first line of the block of fields around its first trace field."""
    found = _TRACE.search(text)
    if found is None:
        return len(text)
    start = field_start = found.start()
    for line in reversed(text[: found.start()].split("\n")[:-1]):
        start -= len(line) + 1
        if _ANY_FIELD.match(line):
            field_start = start
        elif not _CONTINUED.match(line):
            break
    return field_start


def _unquoted(text: str) -> str:
    """The text of a forwarded report without its signs of quotation."""
    lines = text[:4000].split("\n")
    quoted = sum(line.startswith(">") and not line.startswith(">>>") for line in lines)
    if quoted < 4 or quoted * 2 < sum(bool(line.strip()) for line in lines):
        return text
    return re.sub(r"(?m)^> ?", "", text)
