"""The parts of a mail as bytes, encoded so that any server carries them unharmed (RFC 2045, RFC 2046)."""

from base64 import encodebytes
from binascii import b2a_qp
from hashlib import sha256

_NOT_ASCII = bytes(range(128, 256))


def single(kind: str, text: str) -> bytes:
    """A body of its own: header fields, empty line, content. `kind` is plain or html."""
    encoding, content = _encoded(text)
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode("ascii") + content


def alternative(message_id: str, text: str, html: str) -> bytes:
    """Text and HTML of the same content, text first, as multipart/alternative.

    The boundary follows from the Message-ID, so that the same row gives the same bytes. It starts with "=_", which
    occurs neither in quoted-printable nor in base64.
    """
    boundary = "=_" + sha256(message_id.encode()).hexdigest()[:24]
    head = f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'.encode("ascii")
    between = f"--{boundary}\r\n".encode("ascii")
    end = f"--{boundary}--\r\n".encode("ascii")
    return b"".join([head, between, single("plain", text), between, single("html", html), end])


def _encoded(text: str) -> tuple[str, bytes]:
    """Quoted-printable where most of the text stays readable, else base64; both end with CRLF."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    octets = unified.encode("utf-8", "replace")
    if (len(octets) - len(octets.translate(None, _NOT_ASCII))) * 3 > len(octets):
        return "base64", encodebytes(octets).replace(b"\n", b"\r\n")
    content = b2a_qp(octets, istext=True)
    return "quoted-printable", content if content.endswith(b"\r\n") else content + b"\r\n"
