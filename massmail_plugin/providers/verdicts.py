"""What a provider's failure means for the address: its own word, corrected by the code it quotes. No commits."""

import re

from massmail_plugin.smtp_status import MAILBOX_FULL, SENDER_FAULTS, Meaning

_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")

_NOT_THE_ADDRESS = {
    "5.2.3": Meaning.MESSAGE,
    "5.3.": Meaning.MESSAGE,
    "5.4.6": Meaning.BLOCKED,
    "5.4.7": Meaning.BLOCKED,
    "5.6.": Meaning.MESSAGE,
    "5.7.": Meaning.BLOCKED,
}
"""Permanent codes (RFC 3463) that speak of the mail, the route or a policy."""


def verdict(permanent: bool | None, *quoted: str) -> Meaning:
    """The meaning of a failure that the provider calls permanent or temporary.

    `quoted` are texts that may hold an enhanced status code (RFC 3463). A provider calls a block or a full mailbox
    permanent too; where the code says so, only the mail was lost, not the address. None leaves it to the code.
    """
    code = next((found.group(1) for one in quoted if (found := _ENHANCED.search(one))), "")
    if permanent is None:
        permanent = code.startswith("5")
    if code in SENDER_FAULTS:
        return Meaning.SENDER_FAULT
    if code in MAILBOX_FULL:
        return Meaning.FULL
    if not permanent or code.startswith("4"):
        return Meaning.SOFT
    return next((meaning for start, meaning in _NOT_THE_ADDRESS.items() if code.startswith(start)), Meaning.HARD)
