"""Return paths: the address that bounces of one mail come back to, with a token in it that cannot be forged.

Letters make them, mailboxes read them; nothing is committed.
"""

import re

from cryptography.exceptions import InvalidTag

from massmail_plugin.config import Config
from massmail_plugin.errors import BadLink, BadRequest
from massmail_plugin.signed_links.tokens import cipher

_PURPOSE = b"massmail return path 1"
_ID_BYTES = 6
_TOKEN = re.compile(r"\+([0-9a-f]{44})@", re.ASCII | re.IGNORECASE)
LONGEST_LOCAL = 64 - 45
"""Characters before the @ that leave room for the token (RFC 5321, 4.5.3.1.1)."""


class ReturnPaths:
    """Makes the return paths of one sender's mails. Threads may share it."""

    def __init__(self, config: Config, address: str) -> None:
        """`address` is one that passed `checked_return_path`, such as bounces@mail.example.com."""
        self._seal = cipher(config.secret_keys[0], _PURPOSE).encrypt
        self._local, _, self._domain = address.rpartition("@")

    def of(self, message_id: int) -> str:
        """The envelope sender of an outbox message: bounces+TOKEN@mail.example.com.

        Hexadecimal, for some servers change capital letters on the way. It is no leave to act for the recipient.
        """
        sealed = self._seal(message_id.to_bytes(_ID_BYTES, "big"), [_PURPOSE])
        return f"{self._local}+{sealed.hex()}@{self._domain}"


def checked_return_path(address: str) -> str:
    """`address`, if a token fits into its left part. Raises BadRequest otherwise."""
    local = address.rpartition("@")[0]
    if len(local) > LONGEST_LOCAL:
        raise BadRequest(f"At most {LONGEST_LOCAL} characters may stand before the @: a token of 45 is put there.")
    return address


def read_return_path(config: Config, address: str) -> int:
    """The id of the outbox message that a return path belongs to; every key is tried.

    Raises BadLink for an address that is none of ours.
    """
    found = _TOKEN.search(address)
    if found is None:
        raise BadLink("This address holds no token.")
    sealed = bytes.fromhex(found[1])
    for key in config.secret_keys:
        try:
            return int.from_bytes(cipher(key, _PURPOSE).decrypt(sealed, [_PURPOSE]), "big")
        except InvalidTag:
            continue
    raise BadLink("This address was not made here, or has been changed on its way.")
