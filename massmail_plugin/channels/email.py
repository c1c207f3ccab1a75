"""A finished e-mail: texts and identities in, the bytes that go to the server out. Nothing is committed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

import idna

from massmail_plugin.channels.mail_bodies import BodyPlan, bodies, plan
from massmail_plugin.channels.mail_headers import field_name, mailbox_field, plain_field, text_field
from massmail_plugin.errors import RenderError

OWN_FIELDS = {
    "auto-submitted", "bcc", "cc", "content-transfer-encoding", "content-type", "date", "dkim-signature", "from",
    "list-id", "list-unsubscribe", "list-unsubscribe-post", "message-id", "mime-version", "precedence", "received",
    "reply-to", "resent-bcc", "resent-from", "resent-to", "return-path", "sender", "subject", "to",
    "x-auto-response-suppress",
}  # fmt: skip
"""Fields that are ours or the servers'; nobody may set them as extra headers."""

MIME_VERSION = b"MIME-Version: 1.0\r\n"

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_USUAL_ADDRESS = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*+@[a-z0-9]+(?:[.-][a-z0-9]+)*+")
_MESSAGE_ID = re.compile(rf"<?(?P<id>{_ATOM}(?:\.{_ATOM})*+@{_ATOM}(?:\.{_ATOM})*+)>?")
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
    list_unsubscribe_address: str = ""
    """Where the recipient may write to opt out as well (RFC 2369)."""
    list_id: tuple[str, str] | None = None
    """Title and identifier (RFC 2919), such as ("News", "list-3.crm.example.org"); stable over the list's life."""
    bulk: bool = True
    asked_for: bool = False
    """Somebody asked for this one mail just now: no way out is in its header, and no word of many."""
    headers: Mapping[str, str] = field(default_factory=dict)
    plan: BodyPlan | None = None
    """How the texts are encoded; None: as suits these very texts."""


def build(parts: EmailParts) -> bytes:
    """The message as it goes over the wire: CRLF line ends only, 7-bit, no line over 998 octets or beginning with a
    dot, no Bcc.

    The same parts give the same bytes. Raises RenderError in words for anything that would let a value become a
    header, and for addresses that are not exactly one address.
    """
    fields = [*_identity(parts), *list_fields(parts, parts.list_unsubscribe_url), *bulk_fields(parts), *_extra(parts)]
    how = parts.plan or plan(parts.text, parts.html)
    return b"".join([*fields, MIME_VERSION, bodies(how, parts.text, parts.html)])


def ascii_address(address: str) -> str:
    """`address` with its domain as ASCII (IDNA). Raises RenderError unless it is exactly one plain address."""
    if len(address) <= 64 and _USUAL_ADDRESS.fullmatch(address):
        return address
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
    return [
        from_field(parts.from_name, parts.from_address),
        to_field(parts.to_name, parts.to_address),
        reply_to_field(parts.reply_to),
        text_field("Subject", parts.subject),
        date_field(parts.date),
        message_id_field(parts.message_id),
    ]


def from_field(name: str, address: str) -> bytes:
    """Who writes. Raises RenderError, as the functions below, where a value cannot stand in a header."""
    return mailbox_field("From", name, ascii_address(address))


def reply_to_field(address: str) -> bytes:
    """Nothing where there is no address."""
    return mailbox_field("Reply-To", "", ascii_address(address)) if address else b""


def to_field(name: str, address: str) -> bytes:
    """Whom it is for; line breaks in the name become blanks."""
    name = name if name.isprintable() else _LINE_BREAKS.sub(" ", name)
    return mailbox_field("To", name, ascii_address(address))


def date_field(date: datetime) -> bytes:
    """When it was written; `date` must be aware."""
    if date.tzinfo is None:
        raise RenderError("The date of a mail needs a time zone.")
    return plain_field("Date", format_datetime(date))


def message_id_field(message_id: str) -> bytes:
    """`left@right`, with or without angle brackets."""
    found = _MESSAGE_ID.fullmatch(message_id)
    if not found or len(message_id) > 900:
        raise RenderError(f"“{message_id[:80]}” cannot be a Message-ID; it looks like 17@crm.example.org.")
    return f"Message-ID: <{found['id']}>\r\n".encode("ascii")


def list_fields(parts: EmailParts, unsubscribe_url: str | None) -> list[bytes]:
    """How to leave (RFC 2369, RFC 8058) and which list it is (RFC 2919)."""
    fields = []
    if unsubscribe_url is not None and not parts.asked_for:
        ways = [_way_out(unsubscribe_url, ("https://", "http://"))]
        if parts.list_unsubscribe_address:
            ways.append(_way_out(f"mailto:{parts.list_unsubscribe_address}?subject=unsubscribe", ("mailto:",)))
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


def bulk_fields(parts: EmailParts) -> list[bytes]:
    """That a machine wrote it, to many, so that no machine answers (RFC 3834)."""
    if not parts.bulk:
        return []
    many = [] if parts.asked_for else [b"Precedence: bulk\r\n"]
    return [
        *many,
        b"Auto-Submitted: auto-generated\r\n",
        b"X-Auto-Response-Suppress: OOF, AutoReply\r\n",
    ]


def _extra(parts: EmailParts) -> list[bytes]:
    for name in parts.headers:
        if field_name(name).lower() in OWN_FIELDS:
            raise RenderError(f"The header {name} is not for you to set.")
    return [text_field(name, value) for name, value in parts.headers.items()]
