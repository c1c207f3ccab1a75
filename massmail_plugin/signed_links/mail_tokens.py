"""Tokens of ours wherever a provider repeats them: which mail they name, and whether only that mail had them.

Feedback enters, and letters; nothing is committed.
"""

from collections.abc import Callable
from typing import NamedTuple

from massmail_plugin.config import Config
from massmail_plugin.errors import BadLink
from massmail_plugin.signed_links.return_paths import ReturnPaths, read_return_path
from massmail_plugin.signed_links.tokens import read_message_id_field, read_message_token

_ANYWHERE = "a@b"


class Named(NamedTuple):
    """The outbox message a token names. `own`: no copy of the mail carries it, as copies carry the Message-ID."""

    message_id: int
    own: bool


def mail_token(config: Config, message_id: int) -> str:
    """What a provider repeats in its events: 44 hexadecimal digits, the same as in the return path.

    It is no leave to act for the recipient.
    """
    return ReturnPaths(config, _ANYWHERE).of(message_id).partition("+")[2].partition("@")[0]


def read_any_token(config: Config, token: str) -> Named:
    """The mail that a token of any kind names: of a return path, a link, or a Message-ID. Raises BadLink."""
    if len(token) == 44:
        return Named(read_return_path(config, f"a+{token}@b"), own=True)
    for read, own in ((read_message_token, True), (_of_message_id, False)):
        if (found := _read(read, config, token)) is not None:
            return Named(found, own)
    raise BadLink("This token was not made here.")


def _of_message_id(config: Config, token: str) -> int:
    return read_message_id_field(config, f"{token}@b")


def _read(read: Callable[[Config, str], int], config: Config, token: str) -> int | None:
    try:
        return read(config, token)
    except BadLink:
        return None
