"""One token per outbox message: AES-SIV (RFC 5297) over its id and its mailing's, so it reads as noise and cannot be
forged.

The token alone is the leave to open, click and opt out as that recipient, and it never runs out.
"""

from typing import NamedTuple

from massmail_plugin.config import Config
from massmail_plugin.errors import BadLink
from massmail_plugin.signed_links.seals import cipher, opened, written

PREVIEW_TOKEN = "preview"
"""Stands in the links of previews and copies: it opens nothing and counts nothing."""

TOKEN_LENGTH = 36
"""Characters of every other token that is made today."""

_LINK = b"massmail message link 2"
_OLD_LINK = b"massmail message link 1"
_MESSAGE_ID = b"massmail message id 1"
_MESSAGE_BYTES, _MAILING_BYTES, _ID_BYTES = 7, 4, 8
# 27 bytes (16 of tag, 11 of ids) are exactly 36 characters, 24 are 32: no spare bits, so each has one spelling.
_OLD_LENGTH = 32


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
        return written(self._link(message_id.to_bytes(_MESSAGE_BYTES, "big") + self._mailing, [_LINK]))

    def message_id(self, message_id: int) -> str:
        """As `message_id_field`."""
        return f"<{written(self._message_id(message_id.to_bytes(_ID_BYTES, 'big'), [_MESSAGE_ID]))}{self._end}"


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
        return Linked(int.from_bytes(opened(config, _OLD_LINK, token, _ID_BYTES), "big"), None)
    ids = opened(config, _LINK, token, _MESSAGE_BYTES + _MAILING_BYTES)
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
    return int.from_bytes(opened(config, _MESSAGE_ID, left, _ID_BYTES), "big")


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
