"""How providers prove their requests: passwords, HMAC, public keys, times. Compared in constant time; no commits."""

import hashlib
import hmac
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from massmail_plugin.contracts import EventRequest
from massmail_plugin.errors import RequestRefused

MINUTES = timedelta(minutes=5)
"""For providers that sign each attempt anew (Standard Webhooks): how old and how far ahead a signature may be."""
A_DAY = timedelta(hours=25)
"""For providers that may repeat a request for a day as it was signed at first."""


def refuse(why: str) -> NoReturn:
    """Raise RequestRefused with HTTP status 401."""
    raise RequestRefused(401, why)


def keys(secret: str) -> list[str]:
    """The secrets that are good now, one on each line. Raises RequestRefused where there is none."""
    found = [line.strip() for line in secret.splitlines() if line.strip()]
    if not found:
        refuse("No key is stored to check the request with.")
    return found


def fresh(request: EventRequest, signed_at: datetime | None, longest: timedelta) -> None:
    """Raise RequestRefused where the signature is older than `longest`, or from further ahead than five minutes."""
    if signed_at is None:
        refuse("The request does not say when it was signed.")
    if not -MINUTES <= request.at - signed_at <= longest:
        refuse("The request was signed too long ago, or its clock is wrong.")


def hmac_of(key: bytes, content: bytes, digest: str = "sha256") -> bytes:
    """The keyed hash (RFC 2104)."""
    return hmac.new(key, content, digest).digest()


def same(given: str, made: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ or how long they are."""
    halves = (hashlib.sha256(one.encode("utf-8", "replace")).digest() for one in (given, made))
    return hmac.compare_digest(*halves)


def any_same(given: str, made: Iterable[str]) -> bool:
    """Whether `given` equals one of those made with the keys that are good now; all are compared."""
    return bool(given) & any(same(given, one) for one in made)


def password(request: EventRequest, secret: str) -> None:
    """HTTP Basic (RFC 7617) where `secret` is user:password, else a Bearer token (RFC 6750); raises RequestRefused."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    known = keys(secret)
    if scheme.lower() == "basic":
        good = any_same(_decoded(given).decode("utf-8", "replace"), [one for one in known if ":" in one])
    else:
        good = scheme.lower() == "bearer" and any_same(given.strip(), known)
    if not good:
        refuse("The user name and password are missing or wrong.")


def hex_hmac(request: EventRequest, header: str, secret: str) -> None:
    """The SHA-256 HMAC of the body as hexadecimal digits in a header; raises RequestRefused."""
    made = [hmac_of(key.encode(), request.body).hex() for key in keys(secret)]
    if not any_same(request.headers.get(header, "").strip().lower(), made):
        refuse("The signature is missing or wrong.")


def verified(secret: str, signature: str, check: Callable[[PublicKeyTypes, bytes], None]) -> None:
    """Whether one of the public keys in `secret` accepts a Base64 signature; raises RequestRefused.

    `check(key, signature)` raises InvalidSignature, or AttributeError and TypeError for a key of another kind.
    """
    octets = _decoded(signature)
    if not octets:
        refuse("The signature is missing.")
    for key in _public_keys(secret):
        try:
            return check(key, octets)
        except (InvalidSignature, UnsupportedAlgorithm, AttributeError, TypeError):
            continue
    refuse("The signature is wrong.")


def _public_keys(secret: str) -> list[PublicKeyTypes]:
    """PEM blocks, or the Base64 of one DER key on each line."""
    keys(secret)
    marker = "-----END PUBLIC KEY-----"
    try:
        if marker in secret:
            return [load_pem_public_key(f"{one}{marker}\n".encode()) for one in secret.split(marker)[:-1]]
        return [load_der_public_key(b64decode("".join(line.split()), validate=True)) for line in keys(secret)]
    except (ValueError, UnsupportedAlgorithm):
        refuse("The stored key is no public key.")


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text.strip(), validate=True)
    except (Base64Error, ValueError):
        return b""
