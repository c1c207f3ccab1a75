"""Whether the next recipient of a way may leave now: the sender's limits, as the network thread meets them.

Who must wait for the limit of a recipient domain is set aside, so that the others need not. Touches no database.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from math import isfinite

from massmail_plugin.consent import normalised
from massmail_plugin.sending.chunk_run import ChunkRun
from massmail_plugin.sending.limits import Gate, Trouble

SOON = 0.002
"""Seconds; a shorter wait is not worth a timer."""

Place = tuple[ChunkRun, int]


def domain_of(run: ChunkRun, place: int) -> str:
    """The recipient's domain, in lower case and in its ASCII form."""
    recipient = run.recipients[place]
    if not recipient.domain:
        address = recipient.address
        recipient.domain = (address if address.isascii() else normalised(address)).rpartition("@")[2].lower()
    return recipient.domain


class Admission:
    """The gate of one way, with those that wait before it. Without a gate everybody may go."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """`wake` is called, in the event loop, when somebody who waited may go."""
        self.gate: Gate | None = None
        self.trouble = Trouble()
        self.starved = True
        """Whether somebody waits for whom there is no permit."""
        self._wake = wake
        self._aside: dict[str, deque[Place]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def waiting(self, runs: Iterable[ChunkRun]) -> Counter[str]:
        """How many recipients wait, by limited domain; "" stands for all others. For the lane's thread."""
        limited = self.gate.limited_domains if self.gate is not None else frozenset()
        found: Counter[str] = Counter()
        for run in runs:
            found[""] += run.unsent
            if limited:
                domains = (domain_of(run, place) for place, _ in run.untaken())
                of_limited = Counter(domain for domain in domains if domain in limited)
                found[""] -= of_limited.total()
                found += of_limited
        return found

    def of_limited_domains(self, run: ChunkRun) -> list[int]:
        """The messages of a run that have not gone and are for recipient domains with a limit of their own."""
        limited = self.gate.limited_domains if self.gate is not None else frozenset()
        return [one.id for place, one in run.untaken() if limited and domain_of(run, place) in limited]

    def next_aside(self) -> Place | None:
        """One that was set aside and may go now; it counts as taken."""
        for places in list(self._aside.values()):
            while places:
                run, place = places[0]
                if not self._open(domain_of(run, place)):
                    if self._sorted(places):
                        continue
                    break
                places.popleft()
                if run.take_again(place):
                    return run, place
                self.did_not_leave()
        return None

    def _sorted(self, places: deque[Place]) -> bool:
        """Who waited for the sender as a whole may be found to wait for its domain: then the others go on."""
        domain = domain_of(*places[0])
        own = self._aside.get(domain)
        if places is not own and self.gate is not None and domain in self.gate.limited_domains:
            self._aside.setdefault(domain, deque()).append(places.popleft())
            return True
        return False

    def admits(self, run: ChunkRun, place: int) -> bool:
        """Whether a recipient that was just taken may go now; else it is set aside and waits for its turn."""
        domain = "" if self.gate is None else domain_of(run, place)
        if self._open(domain):
            return True
        assert self.gate is not None
        run.put_back()
        key = domain if domain in self.gate.limited_domains else ""
        self._aside.setdefault(key, deque()).append((run, place))
        return False

    def lets_copy(self, address: str) -> bool:
        """Whether a copy may go now: to the server it is a mail like any other."""
        return self._open(address.rpartition("@")[2].lower())

    @property
    def closed(self) -> bool:
        """True where the sender as a whole must wait: there is no use in asking for the next recipient."""
        return bool(self._aside.get(""))

    def drop(self, run: ChunkRun) -> None:
        """Forget those of a run that was given up."""
        for domain, places in self._aside.items():
            self._aside[domain] = deque(one for one in places if one[0] is not run)

    def too_late(self, run: ChunkRun, place: int, seconds: float) -> bool:
        """Whether one that was admitted so long ago needs another permit."""
        return self.gate is not None and self.gate.late(seconds, domain_of(run, place))

    def did_not_leave(self) -> None:
        """One that was admitted is not counted."""
        if self.gate is not None:
            self.gate.put_back()

    def again(self, run: ChunkRun, place: int, *, admitted: bool) -> bool:
        """Whether one that was `admitted` too long ago may go with another permit; the old one is given up."""
        if admitted:
            self.did_not_leave()
        return self._open(domain_of(run, place))

    def _open(self, domain: str) -> bool:
        if self.gate is None:
            return True
        wait = self.gate.admit(domain)
        if wait and isfinite(wait):
            self._come_again(wait)
        elif wait:
            self.starved = True
        return not wait

    def _come_again(self, wait: float) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time() + max(wait, SOON)
        if self._timer is not None and not self._timer.cancelled() and loop.time() < self._timer.when() <= at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(at, self._wake)
