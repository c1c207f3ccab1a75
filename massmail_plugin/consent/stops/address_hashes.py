"""Addresses we no longer hold but must still know again: keyed hashes. Whoever forgets an address enters; no commits.

A hash begins with the name of its key, so that it can be told which hashes no key of today can find any more.
"""

import hashlib
import hmac
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import or_, select

from massmail_plugin.config import Config
from massmail_plugin.consent.addresses import normalised
from massmail_plugin.contracts import Host
from massmail_plugin.models import Suppression

_PURPOSE = b"massmail address hash 1"
_NAME_LENGTH, _LENGTH = 8, 64


class _Key(NamedTuple):
    name: str
    """Eight hexadecimal digits that tell nothing of the key itself."""
    secret: bytes


def address_hash(config: Config, normal_address: str) -> str:
    """HMAC-SHA256 (RFC 2104) of a normalised address: 64 characters, the same for as long as the oldest key stays.

    The oldest key of `MASSMAIL_SECRET_KEYS` makes it, so that a new key in front does not change it. Spellings of one
    address have one hash. Without the key nobody can tell the address from it, nor try addresses.
    """
    return _hash(_key(config.secret_keys[-1]), normalised(normal_address))


def address_hashes(config: Config, normal_address: str) -> list[str]:
    """The address under every configured key: what to compare stored hashes with."""
    address = normalised(normal_address)
    return [_hash(_key(key), address) for key in config.secret_keys]


def key_names(config: Config) -> list[str]:
    """What the hashes begin with that configured keys can find. Others stop nobody until their key is back."""
    return [_key(key).name for key in config.secret_keys]


def no_key_finds(host: Host) -> bool:
    """Whether stops of addresses we no longer hold were made with a key that is gone: they stop nobody."""
    known = [Suppression.address_hash.startswith(name) for name in key_names(host.config)]
    lost = select(Suppression.id).where(Suppression.address_hash > "", ~or_(*known)).limit(1)
    return host.session.scalar(lost) is not None


def _hash(key: _Key, address: str) -> str:
    digest = hmac.digest(key.secret, address.encode("utf-8", "surrogatepass"), "sha256").hex()
    return key.name + digest[: _LENGTH - _NAME_LENGTH]


@lru_cache(maxsize=16)
def _key(key: str) -> _Key:
    secret = hmac.digest(key.encode(), _PURPOSE, "sha256")
    return _Key(hashlib.sha256(_PURPOSE + secret).hexdigest()[:_NAME_LENGTH], secret)
