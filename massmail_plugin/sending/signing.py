"""Letters on their way to be signed (DKIM), ahead of the connections that wait for them and off the network thread.

A way enters. Signing with RSA takes ten times as long as all the rest; it lets other threads run meanwhile.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from massmail_plugin.channels.dkim import Signer
from massmail_plugin.contracts import Clock, Outgoing
from massmail_plugin.sending.chunk_run import ChunkRun

THREADS = 2


class SigningDesk:
    """Keeps the order of the letters; asks for as many as the connections will need soon."""

    def __init__(
        self,
        signer: Signer,
        clock: Clock,
        *,
        ahead: int,
        more: Callable[[], Outgoing | None],
        wake: Callable[[], None],
    ) -> None:
        """`more` gives the next letter or None; `wake` is called, in any thread, when one that was missed is ready."""
        self._signer = signer
        self._clock = clock
        self._ahead = ahead
        self._more = more
        self._wake = wake
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="massmail-signing")
        self._queue: deque[tuple[Outgoing, Future[bytes]]] = deque()
        self._missed = False

    def take(self) -> Outgoing | None:
        """The next letter, signed; None where none is ready."""
        self._ask_for_more()
        while self._queue:
            letter, signed = self._queue[0]
            if not signed.done():
                self._missed = True
                # It may have become ready before the note was made.
                if not signed.done():
                    return None
            self._queue.popleft()
            if self._finished(letter, signed):
                return letter
        return None

    def sign(self, letter: Outgoing) -> Outgoing:
        """Sign one letter at once."""
        letter.content = self._signer.sign(letter.content, self._now())
        return letter

    def drop(self, run: ChunkRun) -> None:
        """Forget the letters of a run that was given up."""
        for one in [one for one in self._queue if one[0].slot[0] is run]:
            self._queue.remove(one)
            run.let_go()

    def close(self) -> None:
        """Nothing more is to be signed."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask_for_more(self) -> None:
        while len(self._queue) < self._ahead and (letter := self._more()) is not None:
            signed = self._pool.submit(self._signer.sign, letter.content, self._now())
            signed.add_done_callback(self._ready)
            self._queue.append((letter, signed))

    def _now(self) -> int:
        return int(self._clock().timestamp())

    def _ready(self, signed: Future[bytes]) -> None:
        if self._missed:
            self._missed = False
            self._wake()

    def _finished(self, letter: Outgoing, signed: Future[bytes]) -> bool:
        run, place, _ = letter.slot
        try:
            letter.content = signed.result()
        except Exception as error:
            run.fail(place, error)
            return False
        return True
