"""The parts of a mail as bytes, encoded so that any server carries them unharmed (RFC 2045, RFC 2046)."""

from binascii import b2a_base64
from dataclasses import dataclass
from hashlib import sha256

from massmail_plugin.channels.quoted_printable import quoted

QUOTED, BASE64 = "quoted-printable", "base64"

_LINE = 76
_NOT_ASCII = bytes(range(128, 256))


@dataclass(frozen=True)
class BodyPlan:
    """How the bodies of a mail are encoded and parted; `html` is None for a mail that is text alone.

    The boundary starts with "=_", which occurs neither in quoted-printable nor in base64.
    """

    boundary: str
    text: str
    html: str | None

    def around(self) -> tuple[bytes, bytes, bytes]:
        """What stands before the text, between text and HTML, and at the end."""
        if self.html is None:
            return _head("plain", self.text), b"", b""
        start = f'Content-Type: multipart/alternative;\r\n boundary="{self.boundary}"\r\n\r\n'.encode("ascii")
        between = f"--{self.boundary}\r\n".encode("ascii")
        end = f"--{self.boundary}--\r\n".encode("ascii")
        return start + between + _head("plain", self.text), between + _head("html", self.html), end


def plan(text: str, html: str | None) -> BodyPlan:
    """The plan that suits these texts; the same texts give the same boundary."""
    known = sha256(f"{text}\0{html}".encode("utf-8", "replace")).hexdigest()[:24]
    return BodyPlan(f"=_{known}", _encoding(text), None if html is None else _encoding(html))


def bodies(how: BodyPlan, text: str, html: str | None) -> bytes:
    """The end of the header and the parts: text first, HTML as its alternative."""
    start, between, end = how.around()
    if how.html is None:
        return start + encoded(text, how.text)
    return b"".join([start, encoded(text, how.text), between, encoded(html or "", how.html), end])


def encoded(text: str, encoding: str) -> bytes:
    """`text` as QUOTED or BASE64; any line ends become CRLF, and the last line has one."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    if not unified.endswith("\n"):
        unified += "\n"
    if encoding == QUOTED:
        return quoted(unified)
    made = b2a_base64(unified.replace("\n", "\r\n").encode("utf-8", "replace"), newline=False)
    return b"".join([made[at : at + _LINE] + b"\r\n" for at in range(0, len(made), _LINE)])


def _encoding(text: str) -> str:
    """Quoted-printable where most of the text stays readable, else base64."""
    octets = text.encode("utf-8", "replace")
    return BASE64 if (len(octets) - len(octets.translate(None, _NOT_ASCII))) * 3 > len(octets) else QUOTED


def _head(kind: str, encoding: str) -> bytes:
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode("ascii")
