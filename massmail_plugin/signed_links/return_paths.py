"""Addresses of ours with the token of a mail in them: return paths, and where recipients write to opt out.

Letters make them, mailboxes read them; nothing is committed.
"""

import re

from massmail_plugin.config import Config
from massmail_plugin.errors import BadLink, BadRequest
from massmail_plugin.signed_links.seals import cipher, unsealed

_RETURN_PATH = b"massmail return path 1"
_OPT_OUT = b"massmail opt-out address 1"
_ID_BYTES = 6
_TOKEN = re.compile(r"\+([0-9a-f]{44})@", re.ASCII | re.IGNORECASE)
LONGEST_LOCAL = 64 - 45
"""Characters before the @ that leave room for the token (RFC 5321, 4.5.3.1.1)."""


class _Addresses:
    """Makes the addresses of one sender's mails. Threads may share it."""

    _purpose: bytes

    def __init__(self, config: Config, address: str) -> None:
        """`address` is one that passed `checked_return_path`, such as bounces@mail.example.com."""
        self._seal = cipher(config.secret_keys[0], self._purpose).encrypt
        self._local, _, self._domain = address.rpartition("@")

    def of(self, message_id: int) -> str:
        """The address of an outbox message: bounces+TOKEN@mail.example.com, as long as that of any other.

        Hexadecimal, for some servers change capital letters on the way.
        """
        sealed = self._seal(message_id.to_bytes(_ID_BYTES, "big"), [self._purpose])
        return f"{self._local}+{sealed.hex()}@{self._domain}"


class ReturnPaths(_Addresses):
    """The envelope senders of mails. The token is no leave to act for the recipient."""

    _purpose = _RETURN_PATH


class OptOutAddresses(_Addresses):
    """Where a recipient writes to opt out (RFC 2369). The token is the leave to do that for them, and nothing else."""

    _purpose = _OPT_OUT


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
    return _read(config, address, _RETURN_PATH)


def read_opt_out_address(config: Config, address: str) -> int:
    """The id of the outbox message whose recipient opts out by writing to this address. Raises BadLink likewise."""
    return _read(config, address, _OPT_OUT)


def _read(config: Config, address: str, purpose: bytes) -> int:
    found = _TOKEN.search(address)
    if found is None:
        raise BadLink("This address holds no token.")
    octets = unsealed(config, purpose, bytes.fromhex(found[1]))
    if octets is None:
        raise BadLink("This address was not made here, or has been changed on its way.")
    return int.from_bytes(octets, "big")
