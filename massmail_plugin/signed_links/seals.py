"""Ids sealed into tokens and opened again: AES-SIV (RFC 5297), so that they read as noise and cannot be forged.

The room's other files enter; nothing is committed.
"""

import base64
import re
from binascii import b2a_base64
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from massmail_plugin.config import Config
from massmail_plugin.errors import BadLink

_TAG_BYTES = 16
_SIGNS = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


@lru_cache(maxsize=64)
def cipher(key: str, purpose: bytes) -> AESSIV:
    """What seals ids for one purpose: a token of one purpose never opens as one of another."""
    return AESSIV(HKDF(SHA256(), length=64, salt=None, info=purpose).derive(key.encode()))


def written(sealed: bytes) -> str:
    """Sealed bytes as text that is safe in an URL. Every third number of bytes has one spelling only."""
    return b2a_base64(sealed, newline=False).translate(_URL_SAFE).decode("ascii")


def unsealed(config: Config, purpose: bytes, sealed: bytes) -> bytes | None:
    """What was sealed, with whichever key of `MASSMAIL_SECRET_KEYS`; None for anything we did not make."""
    for key in config.secret_keys:
        try:
            return cipher(key, purpose).decrypt(sealed, [purpose])
        except InvalidTag:
            continue
    return None


def opened(config: Config, purpose: bytes, token: str, length: int) -> bytes:
    """The `length` bytes a token was made of. Raises BadLink for anything we did not make."""
    if len(token) * 6 != (length + _TAG_BYTES) * 8 or not _SIGNS.fullmatch(token):
        raise BadLink("This link is not complete.")
    octets = unsealed(config, purpose, base64.urlsafe_b64decode(token))
    if octets is None:
        raise BadLink("This link was not made here, or has been changed on its way.")
    return octets
