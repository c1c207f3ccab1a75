"""One leased chunk on its way out: its recipients, its marks in the journal, and the answers that came.

Two threads meet here. The lane's own thread begins it, stops recipients and settles; the network thread takes, hands
and answers. Only `hand` and `stop` can contradict each other, so they take the lock. Nothing is committed here.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from massmail_plugin import outbox
from massmail_plugin.contracts import Answer, Outgoing
from massmail_plugin.errors import RenderError
from massmail_plugin.sending.letters import Letters
from massmail_plugin.vocabulary import MailingKind

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Recipient:
    """A row of the chunk; `values` are what its texts may print of the contact."""

    id: int
    key: str
    role: str
    address: str
    attempts: int
    first_tried_at: datetime | None
    name: str
    values: dict[str, Any]
    tracked: bool
    """Whether opens and clicks may be seen, as the contact wishes."""
    list_id: int | None = None
    """The list the contact was found on."""
    domain: str = ""
    """Of the address, in lower case and ASCII, once somebody has asked for it."""


class ChunkRun:
    """A chunk in hand. `recipients` never changes its order: a recipient's place in it is its slot in the journal."""

    def __init__(
        self,
        chunk: outbox.LeasedChunk,
        region: outbox.Region,
        letters: Letters,
        recipients: Sequence[Recipient],
        *,
        kind: MailingKind,
        retries: bool,
    ) -> None:
        self.chunk = chunk
        self.letters = letters
        self.recipients = recipients
        self.kind = kind
        self.retries = retries
        self.halted = False
        """True where nothing of it may be handed any more."""
        self.closing = False
        """True where nothing more is to be taken of it."""
        self.released = False
        """True once the network thread has let go of what it did not take."""
        self.results: deque[tuple[int, Answer, float]] = deque()
        self.unwritten: deque[tuple[int, str]] = deque()
        """Recipients whose letter could not be written, and why."""
        self.settled = 0
        self.settled_at = self.checked_at = time.monotonic()
        self._region = region
        self._lock = threading.Lock()
        self._gone: set[int] = set()
        self._next = 0
        self._out = 0
        self._again = 0

    # --- The network thread ---

    def take(self) -> int | None:
        """The place of the next recipient, or None where there is none to take."""
        while self._next < len(self.recipients) and not (self.halted or self.closing):
            place = self._next
            self._out += 1
            self._next += 1
            if place not in self._gone:
                return place
            self._out -= 1
        return None

    def write(self, place: int) -> Outgoing | None:
        """The letter of a recipient that was taken; None where it cannot be written."""
        recipient = self.recipients[place]
        self._region.writing(place)
        try:
            letter = self.letters.write(
                recipient.id, recipient.address, recipient.name, recipient.values, tracked=recipient.tracked
            )
        except Exception as error:
            self._region.untouched(place)
            self.fail(place, error)
            return None
        self._region.untouched(place)
        return letter

    def fail(self, place: int, error: Exception) -> None:
        """The letter of a recipient that was taken cannot be made."""
        self.unwritten.append((place, _explained(self.recipients[place].id, error)))
        self._out -= 1

    def let_go(self) -> None:
        """A recipient that was taken is not sent now: the row stays as it is."""
        self._out -= 1

    def hand(self, place: int, at: float) -> bool:
        """The durable mark, at this POSIX time; False where the message must not go any more."""
        with self._lock:
            if self.halted or place in self._gone:
                self._out -= 1
                return False
            self._region.handed(place, at)
            return True

    def answer(self, place: int, answer: Answer) -> None:
        """What became of a message that was handed or refused before."""
        at = self._region.handed_at(place)
        self._region.answered(place, answer, at)
        self.results.append((place, answer, at))
        self._out -= 1

    def put_back(self) -> None:
        """A letter that was taken is not handed: it waits to be taken again."""
        self._again += 1
        self._out -= 1

    def take_again(self, place: int) -> bool:
        """Take a letter that was put back; False where it must not go any more."""
        self._out += 1
        self._again -= 1
        if self.halted or self.closing or place in self._gone:
            self._out -= 1
            return False
        return True

    def release(self) -> None:
        """Nothing more is taken of it, and what was put back stays as it is in the outbox."""
        self._again = 0
        self.released = True

    # --- The lane's thread ---

    @property
    def unsent(self) -> int:
        """Recipients nobody has taken yet."""
        return len(self.recipients) - self._next + self._again

    @property
    def on_its_way(self) -> int:
        """Recipients that were taken and got no answer yet."""
        return self._out

    @property
    def finished(self) -> bool:
        """True once the network thread will not touch it again."""
        return self._out == 0 and self._again == 0 and (self.released or self._next == len(self.recipients))

    def untaken(self) -> list[tuple[int, Recipient]]:
        """Recipients that were not handed yet, as far as can be seen from here, with their places."""
        return [
            (place, recipient)
            for place, recipient in enumerate(self.recipients)
            if self._region.waits(place) and place not in self._gone
        ]

    def stop(self, place: int) -> bool:
        """Keep a recipient back; False where the message is handed already."""
        with self._lock:
            if not self._region.waits(place):
                return False
            self._gone.add(place)
            return True

    def halt(self) -> None:
        """Nothing more may be handed: the lease is lost, or the mailing does not send any more."""
        with self._lock:
            self.halted = True

    def taken_in(self, number: int) -> list[outbox.Result]:
        """The first `number` results, for the outbox."""
        return [
            outbox.Result(one.id, answer, at, one.attempts, one.first_tried_at)
            for place, answer, at in [self.results[index] for index in range(number)]
            for one in (self.recipients[place],)
        ]

    def forget(self, results: int, unwritten: int) -> None:
        """So many results and failures are in the database now."""
        for _ in range(results):
            self._region.settled(self.results.popleft()[0])
        for _ in range(unwritten):
            self.unwritten.popleft()
        self.settled += results
        self.settled_at = time.monotonic()

    def unanswered(self) -> dict[int, float]:
        """Messages that were handed and got no answer, with the POSIX time of the hand-over."""
        return {
            recipient.id: self._region.handed_at(place)
            for place, recipient in enumerate(self.recipients)
            if self._region.mark(place) is outbox.Mark.HANDED
        }

    def close(self) -> None:
        """The region of the journal is free again."""
        self._region.free()


def _explained(message_id: int, error: Exception) -> str:
    if isinstance(error, RenderError):
        return str(error)
    log.error("The mail of message %s could not be made", message_id, exc_info=error)
    return f"The mail could not be made: {type(error).__name__}."
