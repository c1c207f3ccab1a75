"""How many mails will leave on which day, from limits alone. Arithmetic only; forecasts enter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil, inf

from massmail_plugin.sending.limits.allowance import Limits, Standing, end_of_day

MOST_DAYS = 3_660


@dataclass(frozen=True)
class DayPlan:
    """Mails per day (UTC), and when the last one leaves; None where that takes ten years or more.

    `timed` False: nothing tells how long a day's mails take, so that `end` is right about the day only.
    """

    end: datetime | None
    days: tuple[tuple[date, int], ...]
    timed: bool


class _Station:
    """One sender of a chain, as the days go by."""

    def __init__(self, limits: Limits, standing: Standing, start: datetime, rate: float | None) -> None:
        self._limits = limits
        self._standing = standing
        self._next_at = max(start, standing.next_at or start)
        self._measured = 1 / rate if rate else 0.0

    def send(self, wanted: int, now: datetime) -> tuple[int, datetime, bool, bool]:
        """On the day of `now`: how many leave, the time of the last, is that time known, is the quota used up."""
        quota, interval = self._limits.quota(now.date()), self._limits.interval(now.date()) or self._measured
        left = inf if quota is None else max(quota - self._standing.used(now.date()), 0)
        self._next_at = max(self._next_at, now)
        number = int(min(wanted, left, _slots(self._next_at, end_of_day(now), interval)))
        last = self._next_at + timedelta(seconds=max(number - 1, 0) * interval)
        self._next_at += timedelta(seconds=number * interval)
        return number, last, interval > 0, number == left

    def knows(self, day: date) -> bool:
        """Whether anything is known of how much leaves on a day."""
        return self._limits.quota(day) is not None or (self._limits.interval(day) or self._measured) > 0


def day_plan(
    chain: Sequence[tuple[Limits, Standing]], start: datetime, number: int, *, ahead: int = 0, rate: float | None = None
) -> DayPlan | None:
    """The plan for `number` mails after `ahead` others, from `start` on; None where nothing sets or shows a pace.

    `chain` is the sender with those it spills over to; `rate` the mails a second where no limit sets a pace.
    """
    stations = [_Station(limits, standing, start, rate) for limits, standing in chain]
    days: dict[date, int] = {}
    now, sent = start, 0
    for _ in range(MOST_DAYS):
        for station in stations:
            if not station.knows(now.date()):
                return None
            leave, last, known, used_up = station.send(ahead + number - sent, now)
            mine = max(sent + leave - ahead, 0) - max(sent - ahead, 0)
            sent += leave
            if mine:
                days[now.date()] = days.get(now.date(), 0) + mine
            if sent >= ahead + number:
                return DayPlan(last, tuple(days.items()), known)
            if not used_up:
                break
        now = end_of_day(now)
    return DayPlan(None, tuple(days.items()), timed=False)


def _slots(first: datetime, until: datetime, interval: float) -> float:
    seconds = (until - first).total_seconds()
    if seconds <= 0:
        return 0
    return ceil(seconds / interval) if interval else inf
