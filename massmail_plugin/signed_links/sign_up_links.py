"""Tokens of sign-ups: the form of a list, a form that was shown, and the leave to confirm. Sealed as those of mails.

Sign-ups, public pages and screens enter; nothing is committed.
"""

from typing import NamedTuple

from massmail_plugin.config import Config
from massmail_plugin.signed_links.seals import cipher, opened, written

_FORM = b"massmail sign-up form 1"
_SHOWN = b"massmail sign-up form shown 1"
_CONFIRM = b"massmail sign-up confirmation 1"
# With 16 bytes of tag all of them fill their characters, so that each token has one spelling.
_LIST_BYTES, _SIGN_UP_BYTES, _TIME_BYTES, MARK_BYTES = 5, 8, 5, 4


class Shown(NamedTuple):
    """A form as somebody saw it: whose it is, when (POSIX seconds), and a mark of the words above its button."""

    list_id: int
    at: int
    mark: bytes


def form_token(config: Config, list_id: int) -> str:
    """The token of a list's form: it stands in web sites for years, so the oldest key makes it."""
    return _sealed(config.secret_keys[-1], _FORM, list_id.to_bytes(_LIST_BYTES, "big"))


def read_form_token(config: Config, token: str) -> int:
    """The list a form is for. Raises BadLink for anything we did not make."""
    return int.from_bytes(opened(config, _FORM, token, _LIST_BYTES), "big")


def shown_token(config: Config, shown: Shown) -> str:
    """What a form carries, so that it can be told what was seen and when."""
    parts = shown.list_id.to_bytes(_LIST_BYTES, "big"), shown.at.to_bytes(_TIME_BYTES, "big"), shown.mark
    return _sealed(config.secret_keys[0], _SHOWN, b"".join(parts))


def read_shown_token(config: Config, token: str) -> Shown:
    """Raises BadLink for anything we did not make."""
    parts = opened(config, _SHOWN, token, _LIST_BYTES + _TIME_BYTES + MARK_BYTES)
    list_id, at = parts[:_LIST_BYTES], parts[_LIST_BYTES : _LIST_BYTES + _TIME_BYTES]
    return Shown(int.from_bytes(list_id, "big"), int.from_bytes(at, "big"), parts[-MARK_BYTES:])


def confirm_token(config: Config, sign_up_id: int) -> str:
    """The leave to confirm a sign-up; whoever reads the mail to its address has it."""
    return _sealed(config.secret_keys[0], _CONFIRM, sign_up_id.to_bytes(_SIGN_UP_BYTES, "big"))


def read_confirm_token(config: Config, token: str) -> int:
    """The sign-up that a token confirms. Raises BadLink."""
    return int.from_bytes(opened(config, _CONFIRM, token, _SIGN_UP_BYTES), "big")


def sign_up_url(config: Config, list_id: int) -> str:
    """Address of the form of a list."""
    return f"{config.public_root}/s/{form_token(config, list_id)}"


def confirm_url(config: Config, sign_up_id: int) -> str:
    """Address of the page that asks whether a sign-up was meant."""
    return f"{config.public_root}/s/confirm/{confirm_token(config, sign_up_id)}"


def _sealed(key: str, purpose: bytes, octets: bytes) -> str:
    return written(cipher(key, purpose).encrypt(octets, [purpose]))
