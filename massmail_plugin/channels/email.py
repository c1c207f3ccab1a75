"""A finished e-mail: texts and identities in, the bytes that go to the server out. Nothing is committed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

import idna

from massmail_plugin.channels.mail_bodies import alternative, single
from massmail_plugin.channels.mail_headers import field_name, mailbox_field, plain_field, text_field
from massmail_plugin.errors import RenderError

OWN_FIELDS = {
    "auto-submitted", "bcc", "cc", "content-transfer-encoding", "content-type", "date", "dkim-signature", "from",
    "list-id", "list-unsubscribe", "list-unsubscribe-post", "message-id", "mime-version", "precedence", "received",
    "reply-to", "resent-bcc", "resent-from", "resent-to", "return-path", "sender", "subject", "to",
    "x-auto-response-suppress",
}  # fmt: skip
"""Fields that are ours or the servers'; nobody may set them as extra headers."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LINK = re.compile(r"(?:https?://|mailto:)[!#-;=?-~]+")
_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@dataclass(frozen=True, kw_only=True)
class EmailParts:
    """Everything a mail is made of. Texts may have any line ends; addresses are single addr-specs (RFC 5321)."""

    subject: str
    text: str
    html: str | None = None
    from_name: str = ""
    from_address: str
    to_name: str = ""
    """The contact's own name: line breaks in it become blanks, since the recipient cannot help them."""
    to_address: str
    reply_to: str = ""
    message_id: str
    """`left@right`, with or without angle brackets; the same for every attempt of one row."""
    date: datetime
    list_unsubscribe_url: str | None = None
    """The one-click address (RFC 8058): https, or http where no certificate is to be had."""
    list_unsubscribe_mailto: str | None = None
    list_id: tuple[str, str] | None = None
    """Title and identifier (RFC 2919), such as ("News", "list-3.crm.example.org"); stable over the list's life."""
    bulk: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)


def build(parts: EmailParts) -> bytes:
    """The message as it goes over the wire: CRLF line ends only, 7-bit, no line over 998 octets, no Bcc.

    The same parts give the same bytes. Raises RenderError in words for anything that would let a value become a
    header, and for addresses that are not exactly one address.
    """
    body = single("plain", parts.text) if parts.html is None else alternative(parts.message_id, parts.text, parts.html)
    fields = [*_identity(parts), *_list_fields(parts), *_bulk_fields(parts), *_extra(parts)]
    return b"".join([*fields, b"MIME-Version: 1.0\r\n", body])


def ascii_address(address: str) -> str:
    """`address` with its domain as ASCII (IDNA). Raises RenderError unless it is exactly one plain address."""
    local, at, domain = address.strip(" ").rpartition("@")
    try:
        domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise RenderError(f"The domain of “{address[:80]}” is not valid.") from None
    if not at or not _DOT_ATOM.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise RenderError(f"“{address[:80]}” is not one e-mail address.")
    if len(local) > 64 or len(domain) > 253:
        raise RenderError(f"The address “{address[:80]}…” is too long.")
    return f"{local}@{domain}"


def _identity(parts: EmailParts) -> list[bytes]:
    if parts.date.tzinfo is None:
        raise RenderError("The date of a mail needs a time zone.")
    to_name = _LINE_BREAKS.sub(" ", parts.to_name)
    fields = [
        mailbox_field("From", parts.from_name, ascii_address(parts.from_address)),
        mailbox_field("To", to_name, ascii_address(parts.to_address)),
        text_field("Subject", parts.subject),
        plain_field("Date", format_datetime(parts.date)),
        plain_field("Message-ID", _message_id(parts.message_id)),
    ]
    if parts.reply_to:
        fields.insert(2, mailbox_field("Reply-To", "", ascii_address(parts.reply_to)))
    return fields


def _list_fields(parts: EmailParts) -> list[bytes]:
    fields = []
    if parts.list_unsubscribe_url is not None:
        ways = [_way_out(parts.list_unsubscribe_url, ("https://", "http://"))]
        if parts.list_unsubscribe_mailto:
            ways.append(_way_out(f"mailto:{parts.list_unsubscribe_mailto.removeprefix('mailto:')}", ("mailto:",)))
        fields.append(plain_field("List-Unsubscribe", *ways))
        fields.append(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
    if parts.list_id is not None:
        title, identifier = parts.list_id
        fields.append(mailbox_field("List-Id", _LINE_BREAKS.sub(" ", title)[:100], _list_id(identifier)))
    return fields


def _way_out(address: str, schemes: tuple[str, ...]) -> str:
    if not address.startswith(schemes) or not _LINK.fullmatch(address) or "," in address:
        raise RenderError(f"“{address[:80]}” cannot stand in List-Unsubscribe.")
    return f"<{address}>"


def _list_id(identifier: str) -> str:
    if not _DOT_ATOM.fullmatch(identifier) or "." not in identifier or len(identifier) > 250:
        raise RenderError(f"“{identifier[:80]}” cannot be a List-Id; it looks like list-3.crm.example.org.")
    return identifier


def _message_id(message_id: str) -> str:
    left, at, right = message_id.removeprefix("<").removesuffix(">").partition("@")
    if not at or not _DOT_ATOM.fullmatch(left) or not _DOT_ATOM.fullmatch(right) or len(message_id) > 900:
        raise RenderError(f"“{message_id[:80]}” cannot be a Message-ID; it looks like 17@crm.example.org.")
    return f"<{left}@{right}>"


def _bulk_fields(parts: EmailParts) -> list[bytes]:
    if not parts.bulk:
        return []
    return [
        b"Precedence: bulk\r\n",
        b"Auto-Submitted: auto-generated\r\n",
        b"X-Auto-Response-Suppress: OOF, AutoReply\r\n",
    ]


def _extra(parts: EmailParts) -> list[bytes]:
    for name in parts.headers:
        if field_name(name).lower() in OWN_FIELDS:
            raise RenderError(f"The header {name} is not for you to set.")
    return [text_field(name, value) for name, value in parts.headers.items()]
