"""The encrypted column type for stored passwords. Rooms read and write plain text.

The database holds ciphertext only.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app
from sqlalchemy import Dialect, Text, TypeDecorator

from massmail_plugin.errors import SecretUnreadable


def fernet(keys: Sequence[str]) -> MultiFernet:
    """Encrypts with the first of `keys`, decrypts with any of them."""
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derived(key))) for key in keys])


def _derived(key: str) -> bytes:
    return hashlib.sha256(b"massmail secret text:" + key.encode()).digest()


class SecretText(TypeDecorator[str]):
    """Text that is encrypted with `MASSMAIL_SECRET_KEYS` of the current app (Fernet, AES-128-CBC with HMAC)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _fernet().encrypt(value.encode()).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        try:
            return _fernet().decrypt(value.encode()).decode()
        except InvalidToken:
            raise SecretUnreadable(
                "A stored password cannot be read with MASSMAIL_SECRET_KEYS. Put the key it was saved with back "
                "into the list, or open the sender and enter the password again."
            ) from None


def _fernet() -> MultiFernet:
    return fernet(current_app.extensions["massmail"].config.secret_keys)
