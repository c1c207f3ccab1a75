"""RFC 3463 and its neighbours: what an SMTP reply means for the address, the message, or the sender. A leaf."""

import re
from dataclasses import dataclass
from enum import StrEnum

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")

# Replies that speak of us, not of the recipient (Gmail 5.7.26/4.7.28 ..., Outlook 5.7.515, RFC 4954 authentication).
SENDER_FAULTS = frozenset(
    {"5.7.26", "5.7.27", "5.7.29", "5.7.30", "5.7.31", "5.7.32", "5.7.515", "5.7.60", "5.7.606"}
    | {"4.7.26", "4.7.27", "4.7.28", "4.7.29", "4.7.30", "4.7.31", "4.7.32"}
    | {"5.7.8", "5.7.9", "5.7.14"}
)
# RFC 3463 and RFC 7505: the mailbox or its domain does not exist, for good.
DEAD_ADDRESS = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"})
MAILBOX_FULL = frozenset({"4.2.2", "5.2.2"})


class Meaning(StrEnum):
    """What a refusing reply means."""

    HARD = "hard"
    SOFT = "soft"
    FULL = "full"
    BLOCKED = "blocked"
    SENDER_FAULT = "sender_fault"
    MESSAGE = "message"


@dataclass(frozen=True)
class Reply:
    """One SMTP reply: three-digit `code`, `enhanced` status such as "5.1.1" (or ""), and the server's words."""

    code: int
    enhanced: str
    text: str

    @property
    def accepted(self) -> bool:
        return 200 <= self.code < 300

    @property
    def temporary(self) -> bool:
        """True for a 4yz reply, and for one whose two codes disagree (RFC 3463 section 2: then be patient)."""
        if self.enhanced and self.enhanced[0] != str(self.code)[0]:
            return not self.accepted
        return 400 <= self.code < 500

    @property
    def meaning(self) -> Meaning:
        """Whose fault it is and how lasting; only meaningful for a reply that is not accepted."""
        if self.code in (530, 534, 535) or self.enhanced in SENDER_FAULTS:
            return Meaning.SENDER_FAULT
        if self.enhanced in MAILBOX_FULL:
            return Meaning.FULL
        if self.temporary:
            return Meaning.SOFT
        if self.enhanced in DEAD_ADDRESS or (not self.enhanced and self.code in (550, 551, 553, 556)):
            return Meaning.HARD
        if self.code in (552, 554) or self.enhanced[:4] in ("5.3.", "5.6."):
            return Meaning.MESSAGE
        return Meaning.BLOCKED


def reply(code: int, text: str | bytes) -> Reply:
    """Read a reply: `text` is what follows the code, lines joined; undecodable bytes are shown as they can be."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    words = " ".join(words.split())[:500]
    found = _ENHANCED.search(words[:40])
    return Reply(code, found.group(0) if found else "", words)
