"""Moments and bursts, so that looking at many hits stays quick. The verdict over a mail's hits enters."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from massmail_plugin.feedback.machines.hit import Hit
from massmail_plugin.vocabulary import EventKind


class Times:
    """Moments, to be asked whether one of them is near another."""

    def __init__(self, moments: Iterable[datetime]) -> None:
        self._moments = sorted(moments)

    def near(self, at: datetime, within: timedelta) -> bool:
        """Whether one is no farther from `at` than `within`."""
        place = bisect_left(self._moments, at - within)
        return place < len(self._moments) and self._moments[place] <= at + within


class Intervals:
    """Stretches of time, each beginning and ending after the one before it."""

    def __init__(self, stretches: Iterable[tuple[datetime, datetime]]) -> None:
        both = list(stretches)
        self._starts = [start for start, _ in both]
        self._ends = [end for _, end in both]

    def __contains__(self, at: datetime) -> bool:
        place = bisect_right(self._starts, at)
        return place > 0 and self._ends[place - 1] >= at


def bursts(
    hits: Sequence[Hit], number: int, within: timedelta, around: timedelta
) -> Iterator[tuple[datetime, datetime]]:
    """Clicks on `number` different links within that time, each as the stretch of moments that such a burst takes
    along: those that are no farther than `around` from all of its clicks.
    """
    clicks = sorted((hit.at, hit.link) for hit in hits if hit.kind == EventKind.CLICK and hit.link is not None)
    held: Counter[int] = Counter()
    first = 0
    for at, link in clicks:
        held[link] += 1
        while len(held) > number or held[clicks[first][1]] > 1:
            _let_go(held, clicks[first][1])
            first += 1
        if len(held) == number and at - clicks[first][0] <= within:
            yield at - around, clicks[first][0] + around


def _let_go(held: Counter[int], link: int) -> None:
    held[link] -= 1
    if not held[link]:
        del held[link]
