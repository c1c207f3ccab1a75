"""One token per outbox message: AES-SIV (RFC 5297) over its id and its mailing's, so it reads as noise and cannot be
forged.

The token alone is the leave to open, click and opt out as that recipient, and it never runs out.
"""

import base64
import re
from binascii import b2a_base64
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from massmail_plugin.config import Config
from massmail_plugin.errors import BadLink

PREVIEW_TOKEN = "preview"
"""Stands in the links of previews and copies: it opens nothing and counts nothing."""

TOKEN_LENGTH = 36
"""Characters of every other token that is made today."""

_LINK = b"massmail message link 2"
_OLD_LINK = b"massmail message link 1"
_MESSAGE_ID = b"massmail message id 1"
_MESSAGE_BYTES, _MAILING_BYTES = 7, 4
# 27 bytes (16 of tag, 11 of ids) are exactly 36 characters, 24 are 32: no spare bits, so each has one spelling.
_SHAPE = re.compile(r"[A-Za-z0-9_-]{36}|[A-Za-z0-9_-]{32}", re.ASCII)
_OLD_LENGTH = 32


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Sealer:
    """Makes tokens and Message-IDs of one mailing's messages, with the keys at hand. Threads may share it."""

    def __init__(self, config: Config, domain: str, mailing_id: int) -> None:
        """`domain` is what the Message-IDs end with."""
        self._link = cipher(config.secret_keys[0], _LINK).encrypt
        self._message_id = cipher(config.secret_keys[-1], _MESSAGE_ID).encrypt
        self._end = f"@{domain}>"
        self._mailing = mailing_id.to_bytes(_MAILING_BYTES, "big")

    def token(self, message_id: int) -> str:
        """As `message_token`."""
        return _written(self._link(message_id.to_bytes(_MESSAGE_BYTES, "big") + self._mailing, [_LINK]))

    def message_id(self, message_id: int) -> str:
        """As `message_id_field`."""
        return f"<{_written(self._message_id(message_id.to_bytes(8, 'big'), [_MESSAGE_ID]))}{self._end}"


class Linked(NamedTuple):
    """Which mail a token belongs to; `mailing_id` is None for a token of the days before it named the mailing."""

    message_id: int
    mailing_id: int | None


def message_token(config: Config, message_id: int, mailing_id: int) -> str:
    """The token of an outbox message: 36 characters safe in an URL, always the same for one key."""
    return Sealer(config, "", mailing_id).token(message_id)


def read_message_token(config: Config, token: str) -> int:
    """The id of the outbox message a token belongs to, without a look at the database. Raises BadLink."""
    return read_link_token(config, token).message_id


def read_link_token(config: Config, token: str) -> Linked:
    """The outbox message and the mailing a token belongs to, without a look at the database.

    Every key of `MASSMAIL_SECRET_KEYS` is tried. Raises BadLink for anything we did not make.
    """
    if len(token) == _OLD_LENGTH:
        return Linked(int.from_bytes(_opened(config, _OLD_LINK, token), "big"), None)
    ids = _opened(config, _LINK, token)
    return Linked(int.from_bytes(ids[:_MESSAGE_BYTES], "big"), int.from_bytes(ids[_MESSAGE_BYTES:], "big"))


def message_id_field(config: Config, message_id: int, domain: str) -> str:
    """The Message-ID of an outbox message: the same at every attempt, and no leave to act for the recipient.

    The oldest key makes it, so that a new key in front does not change it.
    """
    return Sealer(config, domain, 0).message_id(message_id)


def read_message_id_field(config: Config, text: str) -> int:
    """The id of the outbox message whose Message-ID this is. Raises BadLink for one that is not ours."""
    left, at, _ = text.strip().removeprefix("<").removesuffix(">").rpartition("@")
    if not at:
        raise BadLink(f"“{text[:100]}” is no Message-ID.")
    return int.from_bytes(_opened(config, _MESSAGE_ID, left), "big")


def _written(sealed: bytes) -> str:
    return b2a_base64(sealed, newline=False).translate(_URL_SAFE).decode("ascii")


def _opened(config: Config, purpose: bytes, token: str) -> bytes:
    if not _SHAPE.fullmatch(token):
        raise BadLink("This link is not complete.")
    sealed = base64.urlsafe_b64decode(token)
    for key in config.secret_keys:
        try:
            return cipher(key, purpose).decrypt(sealed, [purpose])
        except InvalidTag:
            continue
    raise BadLink("This link was not made here, or has been changed on its way.")


def open_url(config: Config, token: str) -> str:
    """Address of the open pixel."""
    return f"{config.public_root}/o/{token}.gif"


def click_url(config: Config, token: str, number: int) -> str:
    """Address that counts a click on link `number` of the mailing and leads to its target."""
    return f"{config.public_root}/c/{token}/{number}"


def opt_out_url(config: Config, token: str) -> str:
    """Address of the page that asks whether to opt out, and of the one-click POST (RFC 8058)."""
    return f"{config.public_root}/u/{token}"


def preferences_url(config: Config, token: str) -> str:
    """Address of the page where a recipient chooses lists."""
    return f"{config.public_root}/p/{token}"


@lru_cache(maxsize=64)
def cipher(key: str, purpose: bytes) -> AESSIV:
    """What seals ids for one purpose: a token of one purpose never opens as one of another."""
    return AESSIV(HKDF(SHA256(), length=64, salt=None, info=purpose).derive(key.encode()))
