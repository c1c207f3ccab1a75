"""New signing keys that wait in a page, encrypted, until their DNS records are published. Views enter; no commits."""

import json
from dataclasses import asdict

from cryptography.fernet import InvalidToken

from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.secret_text import fernet
from massmail_plugin.sending.senders import SigningKeys

KIND = "signing keys"


def sealed(host: Host, keys: SigningKeys) -> str:
    """The keys as the value of a hidden field; only this application can read it."""
    return fernet(host.config.secret_keys).encrypt(json.dumps({"kind": KIND, **asdict(keys)}).encode()).decode()


def opened(host: Host, value: str) -> SigningKeys:
    """The keys again. Raises BadRequest for what is none of ours."""
    try:
        values = json.loads(fernet(host.config.secret_keys).decrypt(value.encode()))
    except (InvalidToken, ValueError):
        values = {}
    if not isinstance(values, dict) or values.pop("kind", "") != KIND:
        raise BadRequest("The keys did not come along with the page. Make new ones.")
    return SigningKeys(**values)
