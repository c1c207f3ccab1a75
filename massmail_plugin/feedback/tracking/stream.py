"""The hits of all spools of a machine as one stream in the order of time, with a look ahead. The drain enters."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from heapq import merge
from operator import attrgetter

from massmail_plugin.feedback.tracking.spool import Spooled, SpooledHit


class Stream:
    """Taken from the front; what was looked at ahead is kept in memory, as much as was written in a burst's time."""

    def __init__(self, spools: Iterable[Iterable[Spooled]]) -> None:
        self._lines = merge(*spools, key=attrgetter("at"))
        self._ahead: deque[Spooled] = deque()

    def take(self, number: int, until: datetime) -> list[Spooled]:
        """At most so many lines that are no younger than `until`."""
        taken: list[Spooled] = []
        while len(taken) < number and self._has_next() and self._ahead[0].at <= until:
            taken.append(self._ahead.popleft())
        return taken

    def ahead(self, until: datetime) -> list[SpooledHit]:
        """Hits that come next and are no younger than `until`; they stay in the stream."""
        while not self._ahead or self._ahead[-1].at <= until:
            line = next(self._lines, None)
            if line is None:
                break
            self._ahead.append(line)
        return [line.hit for line in self._ahead if line.hit and line.at <= until]

    def _has_next(self) -> bool:
        if not self._ahead and (line := next(self._lines, None)):
            self._ahead.append(line)
        return bool(self._ahead)
