"""DKIM signatures over finished mails (RFC 6376, RFC 8301, RFC 8463). Whoever hands mails over enters; no commits."""

from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from massmail_plugin.channels.dkim_keys import checked_domain, checked_selector, ed25519_key, rsa_key
from massmail_plugin.errors import BadRequest, RenderError
from massmail_plugin.models import Sender

SIGNED = frozenset(
    {
        b"auto-submitted", b"content-transfer-encoding", b"content-type", b"date", b"feedback-id", b"from",
        b"message-id", b"mime-version", b"precedence", b"reply-to", b"subject", b"to",
    }
)  # fmt: skip
"""Fields that are signed where they are present, and with them every List-*."""

_NAME = b"DKIM-Signature:"
_FOLD = b"\r\n "
_LINE = 72


class Signer:
    """Signs the mails of one sender: with RSA, and with Ed25519 besides where there is such a key.

    Made once, then used by any number of threads; signing lets other threads run. Raises BadRequest for keys that
    cannot be used, and for an Ed25519 key alone, which many receivers cannot check (RFC 8463, 3).
    """

    def __init__(
        self, *, domain: str, selector: str, rsa_pem: str, ed25519_selector: str = "", ed25519_pem: str = ""
    ) -> None:
        if not rsa_pem:
            raise BadRequest("Mails are signed with an RSA key; an Ed25519 key comes besides, never alone.")
        domain = checked_domain(domain)
        rsa = rsa_key(rsa_pem)
        padding, digest = PKCS1v15(), SHA256()
        self._keys = [_Key("rsa-sha256", domain, selector, lambda data: rsa.sign(data, padding, digest))]
        if ed25519_pem:
            if ed25519_selector.lower() == selector.lower():
                raise BadRequest("Each key needs a selector of its own: one record in DNS holds one key.")
            ed = ed25519_key(ed25519_pem)
            self._keys.append(
                _Key("ed25519-sha256", domain, ed25519_selector, lambda data: ed.sign(sha256(data).digest()))
            )

    def sign(self, content: bytes, at: int) -> bytes:
        """`content` with its signatures in front. `content` has CRLF line ends alone; `at` is seconds since 1970.

        To be called before dots are doubled. Raises RenderError where there is no From to sign.
        """
        head, _, body = content.partition(b"\r\n\r\n")
        names, fields = _signed_fields(head)
        body_hash = b64encode(sha256(relaxed_body(body)).digest())
        return b"".join([*(key.signature(names, fields, body_hash, at) for key in self._keys), content])


def signer(sender: Sender) -> Signer | None:
    """What signs the mails of `sender`; None where it has no key. Raises BadRequest for keys that cannot be used."""
    if not sender.dkim_key:
        return None
    return Signer(
        domain=sender.dkim_domain,
        selector=sender.dkim_selector,
        rsa_pem=sender.dkim_key,
        ed25519_selector=sender.dkim_ed_selector,
        ed25519_pem=sender.dkim_ed_key or "",
    )


class _Key:
    """One key under its selector."""

    def __init__(self, algorithm: str, domain: str, selector: str, sign: Callable[[bytes], bytes]) -> None:
        self._sign = sign
        self._begin = (
            f" v=1; a={algorithm}; c=relaxed/relaxed;\r\n d={domain};\r\n s={checked_selector(selector)}; t=".encode()
        )

    def signature(self, names: tuple[bytes, ...], fields: bytes, body_hash: bytes, at: int) -> bytes:
        """The whole DKIM-Signature field; `fields` are the signed fields in canonical form, in the order of `names`."""
        tags = b"%b%d;\r\n h=%b;\r\n bh=%b;\r\n b=" % (self._begin, at, _folded_names(names), body_hash)
        own = b"dkim-signature:" + tags[1:].replace(_FOLD, b" ")
        signature = b64encode(self._sign(fields + own))
        lines = [signature[at : at + _LINE] for at in range(0, len(signature), _LINE)]
        return b"".join([_NAME, tags, _FOLD.join(lines), b"\r\n"])


def relaxed_body(body: bytes) -> bytes:
    """The body as it is hashed: runs of blanks are one, none ends a line, no empty lines at the end (3.4.4)."""
    body = _single_blanks(body)
    if b" \r\n" in body:
        body = body.replace(b" \r\n", b"\r\n")
    body = body.removesuffix(b" ").rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def _single_blanks(text: bytes) -> bytes:
    """Every run of spaces and tabs as one space. Replacing is done in C; each round halves the runs."""
    if b"\t" in text:
        text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def _signed_fields(head: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """The names for h= and the fields in canonical form (3.4.2), from the last one up, as verifiers look for them."""
    unfolded = _single_blanks(head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" "))
    names, lines = [], []
    for field in reversed(unfolded.split(b"\r\n")):
        name, _, value = field.partition(b":")
        name = name.rstrip(b" ").lower()
        if name in SIGNED or name.startswith(b"list-"):
            names.append(name)
            lines.append(b"%b:%b\r\n" % (name, value.strip(b" ")))
    if b"from" not in names:
        raise RenderError("A mail without From cannot be signed.")
    return (*names, b"from"), b"".join(lines)


@lru_cache(maxsize=256)
def _folded_names(names: tuple[bytes, ...]) -> bytes:
    """The value of h=. From stands there once more than it occurs, so that one added later breaks the signature."""
    lines = [b""]
    for name in names:
        if lines[-1] and len(lines[-1]) + len(name) > _LINE:
            lines.append(b"")
        lines[-1] += name + b":"
    return _FOLD.join(lines)[:-1]
