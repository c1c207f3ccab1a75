"""Several workers that send all they may through one sender and die at random, and the log of the server."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from random import Random

from massmail_plugin.contracts import Host
from massmail_plugin.models import Sender
from massmail_plugin.sending.limits import Gate

from .conftest import Clock, Workers

LOTS = {"example.org": 100_000}
FEW_SECONDS = 0.025
"""What a lane needs for a turn."""


class Lane:
    """One worker's lane: always has work."""

    def __init__(self, host: Host, sender: Sender, clock: Clock) -> None:
        self.host = host
        self.gate = Gate(sender.id, ticks=clock.ticks)

    def sends(self, waiting: Mapping[str, int] = LOTS) -> list[str]:
        """The domains of the mails that leave now."""
        self.gate.reserve(self.host, waiting)
        sent = []
        for domain, number in waiting.items():
            while sent.count(domain) < number and self.gate.admit(domain) == 0.0:
                sent.append(domain)
        return sent


class Crowd:
    """Lanes at work; `log` has the time of every mail that left."""

    def __init__(self, workers: Workers, sender: Sender, clock: Clock, *, lanes: int, seed: int) -> None:
        self._sender = sender
        self._clock = clock
        self._random = Random(seed)
        self._hosts = [workers() for _ in range(lanes)]
        self.lanes = [Lane(host, sender, clock) for host in self._hosts]
        self.log: list[float] = []
        self.deaths = 0

    def work(self, seconds: float, *, turn: float = FEW_SECONDS, deaths: float = 0.0) -> None:
        """For so long, with `deaths` a second: a dead worker takes its permits with it, another starts at once."""
        end = self._clock.passed + seconds
        while self._clock.passed < end:
            self._random.shuffle(self.lanes)
            for lane in self.lanes:
                self.log += [self._clock.passed] * len(lane.sends())
            if self._random.random() < deaths * turn:
                self.deaths += 1
                place = self._random.randrange(len(self.lanes))
                self.lanes[place] = Lane(self.lanes[place].host, self._sender, self._clock)
            self._clock.tick(turn * self._random.uniform(0.5, 1.0))


def most_in_any(seconds: float, log: Sequence[float]) -> int:
    """The largest number of mails in any stretch [t, t + seconds)."""
    return max((bisect_left(log, at + seconds) - place for place, at in enumerate(log)), default=0)
