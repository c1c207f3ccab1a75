"""The envelope of one message: paths for MAIL and RCPT, and which extensions it needs. Nothing is committed here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from massmail_plugin.consent.addresses import envelope_form
from massmail_plugin.contracts import Outgoing
from massmail_plugin.smtp_status import Reply, reply

# RFC 5321 section 4.1.2 and RFC 6531: an atom with dots anywhere (seen in the wild), or a quoted string.
_LOCAL = re.compile(r"""[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-\u0080-\U0010ffff]+|"(?:[^"\\]|\\.)*\"""")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._\-]*[A-Za-z0-9])?|\[[A-Za-z0-9:.\-]+\]", re.ASCII)


class BadAddress(ValueError):
    """An address that must not come near a command line."""


class Unsendable(Exception):
    """This one message cannot go to this server; `reply` says why in a server's way. The others can."""

    def __init__(self, answer: Reply) -> None:
        super().__init__(answer.text)
        self.reply = answer


@dataclass(frozen=True)
class Path:
    """An address as MAIL and RCPT take it, in angle brackets, and whether only SMTPUTF8 can carry it."""

    text: str
    needs_utf8: bool


def path(address: str) -> Path:
    """The path of an addr-spec, its domain as A-label (RFC 5891). Raises BadAddress; "" is the null path."""
    if not address:
        return Path("<>", needs_utf8=False)
    local, at, domain = envelope_form(address).rpartition("@")
    if not at or not address.isprintable() or not _LOCAL.fullmatch(local):
        raise BadAddress("This is not one plain address.")
    if len(local.encode()) > 64 or len(domain) > 255 or not _DOMAIN.fullmatch(domain):
        raise BadAddress("This address is too long, or its domain cannot exist.")
    return Path(f"<{local}@{domain}>", needs_utf8=not local.isascii())


@dataclass(frozen=True)
class Envelope:
    """What MAIL and RCPT say for one message."""

    sender: Path
    recipient: Path
    options: tuple[str, ...]
    needed: bool
    """True where the message cannot do without its options: then a server that refuses them refuses it."""


def envelope(message: Outgoing, content: bytes, offered: Mapping[str, str]) -> Envelope:
    """Envelope for a server that offers the extensions `offered` (EHLO keyword in small letters -> parameter).

    Raises Unsendable where this server cannot take this message, BadAddress where `mail_from` is no address.
    """
    sender, recipient = path(message.mail_from), _recipient(message)
    utf8 = sender.needs_utf8 or recipient.needs_utf8
    eight_bit = not content.isascii()
    if utf8 and "smtputf8" not in offered:
        raise Unsendable(reply(553, "5.6.7 The server takes no addresses with letters outside ASCII before the ."))
    if eight_bit and "8bitmime" not in offered:
        raise Unsendable(reply(554, "5.6.3 The message holds 8-bit text, which the server does not take."))
    return Envelope(sender, recipient, tuple(_options(content, offered, utf8, eight_bit)), utf8 or eight_bit)


def _recipient(message: Outgoing) -> Path:
    if not message.rcpt_to:
        raise Unsendable(reply(553, "5.1.3 There is no address."))
    try:
        return path(message.rcpt_to)
    except BadAddress as bad:
        raise Unsendable(reply(553, f"5.1.3 {bad}")) from None


def _options(content: bytes, offered: Mapping[str, str], utf8: bool, eight_bit: bool) -> list[str]:
    options = []
    if "size" in offered:
        _check_size(len(content), offered["size"])
        options.append(f"SIZE={len(content)}")
    if eight_bit or (utf8 and "8bitmime" in offered):
        options.append("BODY=8BITMIME")
    if utf8:
        options.append("SMTPUTF8")
    return options


def _check_size(size: int, limit: str) -> None:
    """RFC 1870: a limit of 0, or none, means that there is none."""
    words = limit.split()
    most = int(words[0]) if words and words[0].isdecimal() else 0
    if most and size > most:
        raise Unsendable(reply(552, f"5.3.4 The message has {size} bytes; the server takes {most} at the most."))
