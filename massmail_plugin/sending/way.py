"""The way out through one sender: what its carriage takes, hands and settles. The network thread calls it.

Never blocks and never touches the database. The lane puts chunk runs in and takes them out again.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable

from massmail_plugin.channels.dkim import Signer
from massmail_plugin.contracts import Answer, Carriage, Clock, Hand, Outgoing
from massmail_plugin.errors import RenderError
from massmail_plugin.sending.admission import Admission, Place, domain_of
from massmail_plugin.sending.chunk_run import ChunkRun
from massmail_plugin.sending.limits import Rest
from massmail_plugin.sending.signing import SigningDesk
from massmail_plugin.vocabulary import MessageState

log = logging.getLogger(__name__)

FRESH_SECONDS = 0.1
"""So old may the last look at opt-outs, pauses and leases be when a message is handed."""

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def awake_seconds() -> float:
    """Seconds of a clock that goes on while the machine sleeps."""
    return time.clock_gettime(_CLOCK)


class Way:
    """`contracts.Feed` for one sender."""

    def __init__(self, sender_id: int, carriage: Carriage, ring: Callable[[], None], *, override: str = "") -> None:
        """`ring` tells the lane that something is to be done. With `override`, every mail goes to that address."""
        self.sender_id = sender_id
        self.carriage = carriage
        self.mailings: set[int] = set()
        self.runs: list[ChunkRun] = []
        """Those in hand, settled or not; the lane's own list."""
        self.cleared_at = 0.0
        """When it was last seen that nothing in hand has been stopped."""
        self.clock_shift = 0.0
        """From `awake_seconds` to POSIX time, as it was at that moment."""
        self.gate_asked_at = self.reserved_at = 0.0
        self.rest: Rest | None = None
        """Set where the sender's limits let nothing go for a while."""
        self.waiting = False
        """Whether a connection waits for a newer look."""
        self._ring = ring
        self._override = override
        self._queue: deque[ChunkRun] = deque()
        self.admission = Admission(carriage.wake)
        self._back: deque[Outgoing] = deque()
        self._copies: deque[Outgoing] = deque()
        self._ended = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._signing: SigningDesk | None = None

    # --- The lane's thread ---

    def sign_with(self, signer: Signer, clock: Clock, *, ahead: int) -> None:
        """Have every letter signed, `ahead` of them before they are asked for. To be said before the first run."""
        self._signing = SigningDesk(signer, clock, ahead=ahead, more=self._next_letter, wake=self._wake)

    @property
    def unsent(self) -> int:
        """Recipients in hand that nobody has taken yet."""
        return sum(run.unsent for run in self.runs)

    # --- The network thread ---

    def add(self, run: ChunkRun) -> None:
        """Send this one too."""
        self._loop = asyncio.get_running_loop()
        self._queue.append(run)
        self.carriage.wake()

    def release(self, run: ChunkRun) -> None:
        """Take nothing more of this one."""
        if run in self._queue:
            self._queue.remove(run)
        self.admission.drop(run)
        if self._signing is not None:
            self._signing.drop(run)
        for letter in [letter for letter in self._back if letter.slot[0] is run]:
            self._back.remove(letter)
        run.release()
        self._ring()

    def end(self) -> None:
        """Nothing will come any more."""
        self._ended = True
        if self._signing is not None:
            self._signing.close()
        self.carriage.wake()

    def _wake(self) -> None:
        """A letter is signed that a connection waits for; said by the thread that signed it."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.carriage.wake)

    @property
    def ended(self) -> bool:
        """As `contracts.Feed.ended`."""
        return self._ended and not self._copies

    def take(self) -> Outgoing | None:
        """As `contracts.Feed.take`."""
        if self._copies and self.admission.lets_copy(self._copies[0].rcpt_to):
            return self._copies.popleft()
        return self._next_letter() if self._signing is None else self._signing.take()

    def _next_letter(self) -> Outgoing | None:
        while (found := self._next()) is not None:
            letter = found if isinstance(found, Outgoing) else self._written(*found)
            if letter is not None:
                return letter
            self._ring()
        return None

    def _next(self) -> Outgoing | Place | None:
        """A letter that was put back, or the next recipient that may go now."""
        while self._back and not self.admission.closed:
            letter = self._back.popleft()
            if letter.slot[0].take_again(letter.slot[1]):
                return letter
            self._ring()
        found = self.admission.next_aside()
        while found is None and self._queue and not self.admission.closed:
            run = self._queue[0]
            place = run.take()
            if place is None:
                self._queue.popleft()
                self._ring()
            elif self.admission.admits(run, place):
                found = run, place
        return found

    def _written(self, run: ChunkRun, place: int) -> Outgoing | None:
        letter = run.write(place)
        if letter is not None:
            letter.slot = (run, place, awake_seconds())
            return self._addressed(letter)
        return None

    def _addressed(self, letter: Outgoing) -> Outgoing:
        if self._override:
            letter.rcpt_to = self._override
        return letter

    def put_back(self, message: Outgoing) -> None:
        """As `contracts.Feed.put_back`."""
        if message.is_copy:
            self._copies.appendleft(message)
            return
        run: ChunkRun = message.slot[0]
        run.put_back()
        self.admission.did_not_leave()
        message.slot = (run, message.slot[1], 0.0)
        if run.released:
            run.release()
        else:
            self._back.append(message)
        self._ring()

    def hand(self, message: Outgoing) -> Hand:
        """As `contracts.Feed.hand`."""
        if message.is_copy:
            return Hand.GO
        run, place, admitted_at = message.slot
        now = awake_seconds()
        if now - self.cleared_at > FRESH_SECONDS:
            self.waiting = True
            self._ring()
            return Hand.WAIT
        if self.admission.too_late(run, place, now - admitted_at):
            admitted = self.admission.again(run, place, admitted=admitted_at > 0)
            message.slot = (run, place, now if admitted else 0.0)
            if not admitted:
                return Hand.WAIT
        if run.hand(place, now + self.clock_shift):
            return Hand.GO
        self.admission.did_not_leave()
        self._ring()
        return Hand.STOP

    def settle(self, message: Outgoing, answer: Answer) -> None:
        """As `contracts.Feed.settle`."""
        if message.is_copy:
            if answer.state is not MessageState.SENT:
                log.warning("The copy of message %s was not taken by the server", message.message_id)
            return
        run, place, _ = message.slot
        self.admission.trouble.note(answer, domain_of(run, place))
        if run.letters.bcc and answer.state is MessageState.SENT:
            self._copy(run, place, message)
        run.answer(place, answer)
        if run.finished:
            self._ring()

    def _copy(self, run: ChunkRun, place: int, original: Outgoing) -> None:
        """A worker that dies now sends no copy of this one; none is ever sent twice."""
        recipient = run.recipients[place]
        try:
            copy = run.letters.write_copy(original, recipient.name, recipient.values)
            self._copies.append(copy if self._signing is None else self._signing.sign(copy))
            asyncio.get_running_loop().call_soon(self.carriage.wake)
        except RenderError:
            log.warning("The copy of message %s could not be made", original.message_id)
