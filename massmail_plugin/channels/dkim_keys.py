"""Keys that mails are signed with: read, checked, made, and as the DNS records to publish. Nothing is committed."""

import re
from base64 import b64encode
from typing import NamedTuple

import idna
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from massmail_plugin.errors import BadRequest

SHORTEST, LONGEST = 2048, 4096
"""Bits of an RSA key: what RFC 8301 asks of those who sign, and the most that every verifier must take."""

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


class KeyPair(NamedTuple):
    """Private keys as PEM (PKCS #8, without a password)."""

    rsa: str
    ed25519: str


class Record(NamedTuple):
    """A TXT record of DNS: where it stands and what it says (RFC 6376, 3.6.1; RFC 8463, 4)."""

    name: str
    text: str


def new_keys() -> KeyPair:
    """A pair of new keys: RSA of 2048 bits, and Ed25519 for the second signature."""
    return KeyPair(_pem(generate_private_key(65537, SHORTEST)), _pem(Ed25519PrivateKey.generate()))


def rsa_key(pem: str) -> RSAPrivateKey:
    """The RSA key in `pem`. Raises BadRequest for one that is unreadable, of another kind, too short or too long."""
    key = _private_key(pem)
    if isinstance(key, Ed25519PrivateKey):
        raise BadRequest("This is an Ed25519 key. It goes into the field of the second key; here an RSA key is needed.")
    if not isinstance(key, RSAPrivateKey):
        raise BadRequest("This is not an RSA key. Mails are signed with RSA, and with Ed25519 besides.")
    if not SHORTEST <= key.key_size <= LONGEST:
        raise BadRequest(
            f"The RSA key has {key.key_size} bits. Receivers rely on {SHORTEST} to {LONGEST}; make a new one."
        )
    return key


def ed25519_key(pem: str) -> Ed25519PrivateKey:
    """The Ed25519 key in `pem`. Raises BadRequest for one that is unreadable or of another kind."""
    key = _private_key(pem)
    if not isinstance(key, Ed25519PrivateKey):
        raise BadRequest("This is not an Ed25519 key.")
    return key


def checked_domain(domain: str) -> str:
    """`domain` as DNS has it: lower case, ASCII (IDNA). Raises BadRequest for what is no domain."""
    try:
        name = idna.encode(domain.strip().rstrip("."), uts46=True).decode("ascii")
    except idna.IDNAError:
        name = ""
    if "." not in name or name.rpartition(".")[2].isdigit():
        raise BadRequest(f"“{domain[:80]}” is not a domain. It looks like example.org.")
    return name


def checked_selector(selector: str) -> str:
    """`selector` in lower case. Raises BadRequest unless it can stand in s=: labels of letters, digits, hyphens."""
    name = selector.lower()
    if not _SELECTOR.fullmatch(name) or len(name) > 63:
        raise BadRequest(f"“{selector[:80]}” cannot be a selector. Use letters, digits and hyphens, such as news1.")
    return name


def record(domain: str, selector: str, pem: str) -> Record:
    """The record to publish, so that receivers can check what is signed with the private key `pem`."""
    key = _private_key(pem)
    if isinstance(key, Ed25519PrivateKey):
        kind, public = "ed25519", key.public_key().public_bytes_raw()
    else:
        kind, public = "rsa", rsa_key(pem).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Record(f"{selector}._domainkey.{domain}", f"v=DKIM1; k={kind}; p={b64encode(public).decode()}")


def _private_key(pem: str) -> object:
    if "PUBLIC KEY" in pem:
        raise BadRequest("This is a public key. The private key is needed; the public one goes into DNS.")
    try:
        return load_pem_private_key(pem.strip().encode(), None)
    except TypeError:
        raise BadRequest("The key is protected by a password. Save it without one, then paste it again.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise BadRequest("The key cannot be read. It begins with “-----BEGIN PRIVATE KEY-----” (PEM).") from None


def _pem(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
