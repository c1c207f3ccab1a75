"""Tokens in mails that cannot be forged, and the addresses around them. Rooms enter; nothing is committed."""

from massmail_plugin.signed_links.tokens import (
    PREVIEW_TOKEN,
    TOKEN_LENGTH,
    Sealer,
    click_url,
    message_id_field,
    message_token,
    open_url,
    opt_out_url,
    preferences_url,
    read_message_id_field,
    read_message_token,
)

__all__ = [
    "PREVIEW_TOKEN",
    "TOKEN_LENGTH",
    "Sealer",
    "click_url",
    "message_id_field",
    "message_token",
    "open_url",
    "opt_out_url",
    "preferences_url",
    "read_message_id_field",
    "read_message_token",
]
