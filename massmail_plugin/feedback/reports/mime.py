"""Takes a mail apart into its leaves, however broken it is: never raises, never recurses. The reader enters."""

import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import unescape

from massmail_plugin.feedback.reports.headers import Headers, decode, read_headers

DEEPEST = 12
"""Levels of multipart opened; what lies deeper stays closed."""
MOST_PARTS = 60
"""Leaves read of one mail."""
LONGEST_TEXT = 128 * 1024
"""Bytes read of one leaf."""

_PARAMETER = re.compile(r"""([\w*-]{1,40})\s*=\s*(?:"((?:[^"\\]|\\.){0,300})"|'([^']{0,300})'|([^\s;"]{1,300}))""")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_SOFT_BREAK = re.compile(rb"[^ =\n]{20}=\n", re.M)
_HIDDEN = re.compile(r"<(?:(style|script|head|title)\b|!--)", re.I)
_BREAK = re.compile(r"<\s*/?\s*(?:br|p|div|tr|td|th|li|h[1-6]|table|pre|blockquote)\b[^<>]{0,3000}>\n?", re.I)
_TAG = re.compile(r"</?[a-z!][^<>@]{0,3000}>|<a\s[^<>]{0,3000}>|<[a-z][^<>]{0,3000}=[^<>]{0,3000}>", re.I)
_HEADER_LINE = re.compile(rb"(?:From |[!-9;-~]{1,76}[ \t]*:)")


class Part:
    """A leaf of a mail: its media type in lower case, its header fields and what it holds."""

    def __init__(self, kind: str, headers: Headers, raw: bytes, parameters: dict[str, str]) -> None:
        self.kind = kind
        self.headers = headers
        self._raw = raw
        self._parameters = parameters

    @cached_property
    def octets(self) -> bytes:
        """What it holds, without its transfer encoding."""
        encoding = self.headers.get("content-transfer-encoding").strip().lower().rstrip(";")
        raw = self._raw[:LONGEST_TEXT]
        if encoding.startswith("quoted"):
            return a2b_qp(raw)
        if encoding == "base64":
            return _from_base64(raw)
        return a2b_qp(raw) if not encoding and _looks_quoted(raw) else raw

    @cached_property
    def text(self) -> str:
        """What it holds as text with single line feeds; HTML without its tags."""
        text = decode(self.octets, self._parameters.get("charset", ""))
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return without_tags(text) if self.kind == "text/html" else text


@dataclass(slots=True)
class Mail:
    """A mail taken apart."""

    headers: Headers
    parameters: dict[str, str]
    """Of its Content-Type."""
    parts: list[Part]


def take_apart(raw: bytes) -> Mail:
    """Take a mail apart into its leaves. Mails it carries (message/rfc822) are leaves: they are not opened."""
    headers, body = split_header(raw.lstrip())
    kind, parameters = media_type(headers)
    return Mail(headers, parameters, list(_leaves(headers, body, kind, parameters)))


def split_header(raw: bytes) -> tuple[Headers, bytes]:
    """Header fields and body. What does not begin with a field has no header; one without an empty line has no body."""
    if not _HEADER_LINE.match(raw):
        return Headers(), raw.removeprefix(b"\n")
    end = raw.find(b"\n\n")
    end = len(raw) if end < 0 else end
    return read_headers(decode(raw[:end], "utf-8")), raw[end + 2 :]


def media_type(headers: Headers, default: str = "text/plain") -> tuple[str, dict[str, str]]:
    """Media type in lower case, and its parameters by lower-case name."""
    value = headers.get("content-type")
    kind = value.partition(";")[0].strip().strip("\"'").lower()
    parameters: dict[str, str] = {}
    if "=" in value:
        for name, quoted, single, bare in _PARAMETER.findall(value):
            parameters.setdefault(name.lower().rstrip("*"), quoted or single or bare)
    return kind if "/" in kind else default, parameters


def without_tags(text: str) -> str:
    """The words of an HTML text, its lines kept apart. Addresses in angle brackets stay."""
    if "<" in text:
        text = _TAG.sub("", _BREAK.sub("\n", _without_hidden(text)))
    return unescape(text).replace("\xa0", " ")


def _without_hidden(text: str) -> str:
    """HTML without styles, scripts, the head and comments; one that does not end hides nothing."""
    lower, kept, start, endless = text.lower(), [], 0, set()
    if len(lower) != len(text):
        return text
    for found in _HIDDEN.finditer(text):
        end = f"</{found[1].lower()}" if found[1] else "-->"
        if found.start() < start or end in endless:
            continue
        until = lower.find(end, found.end())
        if until < 0:
            endless.add(end)
            continue
        kept.append(text[start : found.start()])
        start = lower.find(">", until) + 1 or len(text)
    return "".join([*kept, text[start:]])


def _leaves(headers: Headers, body: bytes, kind: str, parameters: dict[str, str]) -> Iterator[Part]:
    stack = [(headers, body, kind, parameters, 0)]
    found = 0
    while stack and found < MOST_PARTS:
        headers, body, kind, parameters, depth = stack.pop()
        pieces = _pieces(body, parameters.get("boundary", "")) if kind.startswith("multipart/") else []
        if not pieces or depth >= DEEPEST:
            found += 1
            yield Part("text/plain" if kind.startswith("multipart/") else kind, headers, body, parameters)
            continue
        default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        for piece in reversed(pieces[:MOST_PARTS]):
            inner, content = split_header(piece)
            stack.append((inner, content, *media_type(inner, default), depth + 1))


def _pieces(body: bytes, boundary: str) -> list[bytes]:
    """What stands between the delimiters of a multipart; nothing where there is none."""
    if not boundary:
        return []
    delimiter = re.compile(rb"^--" + re.escape(boundary.encode("utf-8", "replace")) + rb"(--)?[ \t]*(?:\n|\Z)", re.M)
    pieces, start = [], -1
    for found in delimiter.finditer(body):
        if start >= 0:
            pieces.append(body[start : found.start()])
        start = -1 if found[1] else found.end()
        if len(pieces) >= MOST_PARTS:
            return pieces
    if start >= 0:
        pieces.append(body[start:])
    return pieces


def _looks_quoted(raw: bytes) -> bool:
    """Whether a text is quoted-printable though nothing says so: its long lines end in soft breaks."""
    return raw.count(b"=\n") > 2 and len(_SOFT_BREAK.findall(raw)) > 2


def _from_base64(raw: bytes) -> bytes:
    clean = _NOT_BASE64.sub(b"", raw)
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return a2b_base64(clean + b"=" * (-len(clean) % 4))
