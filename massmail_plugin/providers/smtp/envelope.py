"""The envelope of one message: what MAIL and RCPT say, and which extensions it needs. Nothing is committed here."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from massmail_plugin.consent.addresses import envelope_form
from massmail_plugin.contracts import Outgoing
from massmail_plugin.smtp_status import Reply, reply

# RFC 5321 section 4.1.2 and RFC 6531: an atom with dots anywhere (seen in the wild), or a quoted string.
_LOCAL = re.compile(r"""[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-\u0080-\U0010ffff]+|"(?:[^"\\]|\\.)*\"""")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._\-]*[A-Za-z0-9])?|\[[A-Za-z0-9:.\-]+\]", re.ASCII)
# Nearly every address there is; the others take the long way through `path`.
_USUAL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9._\-]{0,180}[A-Za-z0-9])?", re.ASCII
)
_NOT_XTEXT = re.compile(r"[^!-*,-<>-~]")


class BadAddress(ValueError):
    """An address that must not come near a command line."""


class Unsendable(Exception):
    """This one message cannot go to this server; `reply` says why in a server's way. The others can."""

    def __init__(self, answer: Reply) -> None:
        super().__init__(answer.text)
        self.reply = answer


class Path(NamedTuple):
    """An address as MAIL and RCPT take it, without the angle brackets, and whether only SMTPUTF8 can carry it."""

    text: str
    needs_utf8: bool


def path(address: str) -> Path:
    """The path of an addr-spec, its domain as A-label (RFC 5891). Raises BadAddress; "" is the null path."""
    if not address or _USUAL.fullmatch(address):
        return Path(address, False)
    local, at, domain = envelope_form(address).rpartition("@")
    if not at or not address.isprintable() or not _LOCAL.fullmatch(local):
        raise BadAddress("This is not one plain address.")
    if len(local.encode()) > 64 or len(domain) > 255 or not _DOMAIN.fullmatch(domain):
        raise BadAddress("This address is too long, or its domain cannot exist.")
    return Path(f"{local}@{domain}", not local.isascii())


class Offer(NamedTuple):
    """What a server offers for a message, read once for each connection."""

    size: bool
    most: int
    """The largest message in bytes; 0 where there is no limit (RFC 1870)."""
    eight_bit: bool
    utf8: bool
    dsn: bool
    pipelining: bool


def offer(offered: Mapping[str, str]) -> Offer:
    """Read EHLO's keywords (in small letters) and their parameters."""
    limit = offered.get("size", "").split()
    most = int(limit[0]) if limit and limit[0].isdecimal() else 0
    keywords = ("size", "8bitmime", "smtputf8", "dsn", "pipelining")
    size, eight_bit, utf8, dsn, pipelining = (keyword in offered for keyword in keywords)
    return Offer(size, most, eight_bit, utf8, dsn, pipelining)


class Envelope(NamedTuple):
    """The lines MAIL, RCPT and DATA for one message."""

    lines: bytes
    needed: bool
    """True where MAIL has parameters the message cannot do without: a server that refuses them refuses it."""
    options: bool
    """True where it has parameters the message can do without."""


def envelope(message: Outgoing, content: bytes, has: Offer, *, bare: bool = False) -> Envelope:
    """Envelope for a server that offers `has`; `bare` leaves out all it can do without.

    Raises Unsendable where this server cannot take this message, BadAddress where `mail_from` is no address.
    """
    sender, recipient = path(message.mail_from), _recipient(message.rcpt_to)
    utf8 = sender.needs_utf8 or recipient.needs_utf8
    eight_bit = not content.isascii()
    if utf8 or eight_bit or 0 < has.most < len(content):
        _check(has, len(content), utf8=utf8, eight_bit=eight_bit)
    needs = _needs(utf8=utf8, eight_bit=eight_bit, declares=has.eight_bit) if utf8 or eight_bit else ""
    size = f" SIZE={len(content)}" if has.size and not bare else ""
    wants, notify = _report(message, recipient) if has.dsn and not bare else ("", "")
    lines = f"MAIL FROM:<{sender.text}>{size}{needs}{wants}\r\nRCPT TO:<{recipient.text}>{notify}\r\nDATA\r\n"
    return Envelope(lines.encode(), bool(needs), bool(size or wants))


def _recipient(address: str) -> Path:
    if not address:
        raise Unsendable(reply(553, "5.1.3 There is no address."))
    try:
        return path(address)
    except BadAddress as bad:
        raise Unsendable(reply(553, f"5.1.3 {bad}")) from None


def _check(has: Offer, size: int, *, utf8: bool, eight_bit: bool) -> None:
    if utf8 and not has.utf8:
        raise Unsendable(reply(553, "5.6.7 The server takes no addresses with letters outside ASCII before the @."))
    if eight_bit and not has.eight_bit:
        raise Unsendable(reply(554, "5.6.3 The message holds 8-bit text, which the server does not take."))
    if 0 < has.most < size:
        raise Unsendable(reply(552, f"5.3.4 The message has {size} bytes; the server takes {has.most} at the most."))


@lru_cache
def _needs(*, utf8: bool, eight_bit: bool, declares: bool) -> str:
    body = " BODY=8BITMIME" if eight_bit or (utf8 and declares) else ""
    return body + (" SMTPUTF8" if utf8 else "")


def _report(message: Outgoing, recipient: Path) -> tuple[str, str]:
    """RFC 3461: parameters for MAIL and RCPT by which a later report names our row and the address we used."""
    asked = " NOTIFY=FAILURE,DELAY"
    if not recipient.needs_utf8:
        asked += f" ORCPT=rfc822;{xtext(recipient.text)}"
    return f" RET=HDRS ENVID={message.message_id}", asked


def xtext(text: str) -> str:
    """RFC 3461 section 4: "+", "=" and all that is not printable ASCII as "+" and two hex digits."""
    return _NOT_XTEXT.sub(lambda found: f"+{ord(found.group()):02X}", text)
