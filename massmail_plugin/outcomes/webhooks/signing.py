"""Secrets and signatures of Standard Webhooks, version 1 of the symmetric kind. Pure; nobody commits here."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from massmail_plugin.errors import BadRequest

PREFIX = "whsec_"
OCTETS = 32


def fresh_secret() -> str:
    """A new secret: whsec_ and 32 random octets as base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(OCTETS)).decode()


def key_of(secret: str) -> bytes:
    """The octets of a secret. Raises BadRequest unless they are 24 to 64, as base64 with or without the prefix."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not 24 <= len(key) <= 64:
        raise BadRequest("A secret is whsec_ and base64 of 24 to 64 octets. Leave it empty, and one is made.")
    return key


def signed(keys: Sequence[bytes], message_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """The three headers for `body`, signed with each key; `seconds` is the POSIX time of this attempt."""
    content = f"{message_id}.{seconds}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
