"""Tokens in mails that cannot be forged, and the addresses around them. Rooms enter; nothing is committed."""

from massmail_plugin.signed_links.mail_tokens import Named, mail_token, read_any_token
from massmail_plugin.signed_links.return_paths import (
    OptOutAddresses,
    ReturnPaths,
    checked_return_path,
    read_opt_out_address,
    read_return_path,
)
from massmail_plugin.signed_links.tokens import (
    PREVIEW_TOKEN,
    TOKEN_LENGTH,
    Linked,
    Sealer,
    click_url,
    message_id_field,
    message_token,
    open_url,
    opt_out_url,
    preferences_url,
    read_link_token,
    read_message_id_field,
    read_message_token,
)

__all__ = [
    "PREVIEW_TOKEN",
    "TOKEN_LENGTH",
    "Linked",
    "Named",
    "OptOutAddresses",
    "ReturnPaths",
    "Sealer",
    "checked_return_path",
    "click_url",
    "mail_token",
    "message_id_field",
    "message_token",
    "open_url",
    "opt_out_url",
    "preferences_url",
    "read_any_token",
    "read_link_token",
    "read_message_id_field",
    "read_message_token",
    "read_opt_out_address",
    "read_return_path",
]
