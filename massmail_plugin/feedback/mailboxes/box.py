"""What reading a mailbox asks of it, whatever its protocol; and the account it is opened with. Nothing is committed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple, Protocol

from massmail_plugin.errors import MassMailError
from massmail_plugin.vocabulary import AfterReading

FETCHED = 1024 * 1024
"""Bytes fetched of one mail over the network. What a report has to say stands at its beginning."""
TIMEOUT = 30.0
"""Seconds a mail server may take for an answer."""


class MailboxFault(MassMailError):
    """A mailbox cannot be read as it is set up; `str` says why. `stage` is connect, login, folder or target."""

    def __init__(self, stage: str, message: str) -> None:
        super().__init__(message)
        self.stage = stage


@dataclass(frozen=True, kw_only=True)
class MailboxAccount:
    """A mailbox as a reader needs it; the secret is in clear and must never be logged."""

    kind: str
    host: str = ""
    port: int = 0
    security: str = ""
    username: str = ""
    secret: str = field(default="", repr=False)
    folder: str = "INBOX"
    after: AfterReading = AfterReading.LEAVE
    move_to: str = ""


class Waiting(NamedTuple):
    """A mail that was not read yet: what the server calls it, and its size in bytes."""

    uid: str
    size: int


@dataclass(frozen=True)
class Listing:
    """What is to be read, and what a reader has to remember."""

    waiting: Sequence[Waiting]
    present: frozenset[str] | None = None
    """Everything that lies there, where the protocol tells it: what is remembered of other mails can be forgotten."""
    total: int = 0
    """Mails in the mailbox."""
    more: bool = False
    """Whether there are more waiting than were asked for."""


class Box(Protocol):
    """An open mailbox. All methods raise MailboxFault or OSError where the connection is of no use any more."""

    def look(self, position: str, known: Collection[str], most: int) -> Listing:
        """Up to `most` mails that were not read: those after `position`, or not `known`."""

    def fetch(self, waiting: Waiting) -> BinaryIO | None:
        """The mail, or its beginning, without changing its flags; None where it is gone. Valid until the next call."""

    def position(self, read: Sequence[Waiting]) -> str:
        """What to remember after these; "" where the mails themselves are remembered."""

    def remove(self, uids: Collection[str]) -> Collection[str]:
        """Move or delete these, as the account says; those that are surely gone by now."""

    def check_target(self) -> None:
        """Raise MailboxFault (stage target) where mails could not be moved to where the account says."""

    def close(self) -> None:
        """Leave in good order; what was deleted is gone afterwards. Never raises."""


def words_of(error: BaseException) -> str:
    """What a mail server or the network said, in one line."""
    said = error.args[0] if error.args and isinstance(error.args[0], bytes) else str(error)
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:300] or type(error).__name__
