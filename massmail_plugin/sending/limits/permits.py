"""The permits a lane holds for one sender. Its main thread puts them in, its network thread takes them out.

Nothing here waits for anything but a lock that is held for microseconds.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from math import inf
from threading import Lock
from typing import NamedTuple

USUAL = 0.05
"""How much a slow mail raises what is held to be usual."""


class Stock:
    """Permits of one kind, in the order of their times (seconds of a clock that does not jump)."""

    __slots__ = ("_batch", "_patience", "_times", "_until", "tolerance", "unused")

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._batch = 0
        self._patience = inf
        self._until = inf
        self.tolerance = inf
        """Seconds by which a mail may be slower than usual on its way, once it has its permit."""
        self.unused = 0
        """Permits whose time passed, or whose mail did not leave."""

    def __len__(self) -> int:
        return len(self._times)

    def wait(self, now: float) -> float:
        """Seconds until the next permit may be used: 0.0 now, inf where there is none. Drops those that are late."""
        times = self._times
        while times:
            wait = times[0] - now
            if wait > 0:
                return wait
            if wait >= -self._patience and now < self._until:
                return 0.0
            times.popleft()
            self.unused += 1
        return inf

    def take(self) -> None:
        """Use the first permit, after `wait` said 0.0."""
        self._times.popleft()

    def add(self, times: Iterable[float], patience: float, until: float) -> None:
        """Put permits behind the others: good for `patience` seconds after their time, and never after `until`."""
        self._times.extend(times)
        self._batch = len(self._times)
        self._patience, self._until = patience, until

    def lasts(self, moment: float) -> bool:
        """Whether more need not be reserved yet: until `moment`, or half of the last reservation is still there."""
        if not self._times:
            return False
        return len(self._times) * 2 > self._batch or (self._patience < inf and self._times[-1] >= moment)

    def clear(self) -> float | None:
        """Give up all permits; the time of the first, if there was one."""
        first = self._times[0] if self._times else None
        self.unused += len(self._times)
        self._times.clear()
        return first


class Held(NamedTuple):
    """Permits of one kind in hand, and whether that is enough for now."""

    number: int
    lasts: bool


class Permits:
    """The stock for all mail of a sender, and one for each recipient domain that has a pace of its own."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self.ticks = ticks
        self.lock = Lock()
        self.whole: Stock | None = Stock()
        """None: not limited as a whole. An empty stock lets nothing go."""
        self.domains: Mapping[str, Stock] = {}
        self._usual = inf

    def admit(self, domain: str) -> float:
        """0.0: one mail to `domain` (lower case) may go, and its permit is used; else seconds until to ask again.

        inf: there is no permit; after more were reserved there may be. Takes about a microsecond.
        """
        now = self.ticks()
        with self.lock:
            whole, own = self.whole, self.domains.get(domain)
            wait = 0.0 if whole is None else whole.wait(now)
            if own is not None:
                wait = max(wait, own.wait(now))
            if wait == 0.0:
                if whole is not None:
                    whole.take()
                if own is not None:
                    own.take()
            return wait

    def late(self, seconds: float, domain: str) -> bool:
        """Whether a mail that is about to leave, `seconds` after it was admitted, needs another permit instead.

        What counts is how much longer it took than others: a server that is always slow delays all mails alike.
        """
        self._usual = min(seconds, self._usual + (seconds - self._usual) * USUAL) if self._usual < inf else seconds
        excess = seconds - self._usual
        if self.whole is not None and excess > self.whole.tolerance:
            return True
        own = self.domains.get(domain)
        return own is not None and excess > own.tolerance

    def put_back(self) -> None:
        """A mail that was admitted did not leave: it is not counted for the day."""
        with self.lock:
            if self.whole is not None:
                self.whole.unused += 1

    # --- What follows is for the main thread; all but `held` with the lock taken ---

    def held(self, now: float, ahead: float) -> dict[str, Held]:
        """What is in hand of each kind; it lasts if it does for `ahead` seconds."""
        with self.lock:
            return {domain: _held(stock, now, ahead) for domain, stock in self.stocks().items()}

    def stocks(self) -> dict[str, Stock]:
        """All there are, that of all mail under ""."""
        return {"": self.whole, **self.domains} if self.whole is not None else dict(self.domains)

    def allot(self, *, whole: bool, domains: Iterable[str]) -> None:
        """Have a stock for all mail or none, and one for each of `domains`; what is there stays."""
        self.whole = None if not whole else self.whole if self.whole is not None else Stock()
        here = self.domains
        self.domains = {domain: here[domain] if domain in here else Stock() for domain in domains}

    def unused(self) -> int:
        """Permits that count for the day and were not used."""
        return self.whole.unused if self.whole is not None else 0

    def forget(self, unused: int) -> None:
        """So many unused ones were given back."""
        if self.whole is not None:
            self.whole.unused -= unused

    def start_day(self, *, counted: bool) -> None:
        """Yesterday's unused permits are of no use today; nor are those in hand, where days are counted."""
        if self.whole is None:
            return
        if counted:
            self.whole.clear()
        self.whole.unused = 0


def _held(stock: Stock, now: float, ahead: float) -> Held:
    stock.wait(now)
    return Held(len(stock), stock.lasts(now + ahead))
