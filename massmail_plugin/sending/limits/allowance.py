"""A sender's limits as numbers: how fast and how much at one moment. The files of this room enter; nothing is read or
written here."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from math import inf
from typing import Any

RESERVE = 1.03
"""Intervals are this much longer than the limit asks, for the way between us and the server."""
GROWTH = 1.5
RAMP_DAYS = 365
RECOVERY = 60.0
"""Seconds without trouble after which a slowed rate doubles."""
RECOVERED = 64
DAY = 86_400.0
PLENTY = 1_000_000_000


@dataclass(frozen=True)
class Rate:
    """At most `count` mails in any stretch of `seconds`."""

    count: int
    seconds: float
    reserve: float = RESERVE

    @property
    def interval(self) -> float:
        """Seconds from one mail to the next."""
        return self.seconds / self.count * self.reserve

    def slack(self, interval: float) -> float:
        """Seconds a mail may be late, all told, without two too many in any stretch; `interval` is the real one."""
        return (self.count + 1) * interval - self.seconds


@dataclass(frozen=True)
class Standing:
    """How far the limits of a sender, or of one recipient domain of its, are used: a row of `massmail_pace`."""

    next_at: datetime | None = None
    day: date | None = None
    day_count: int = 0
    slow_rate: float | None = None
    slow_at: datetime | None = None

    def used(self, today: date) -> int:
        """Mails counted for `today`. A count of a later day is kept: the clock was set back."""
        return self.day_count if self.day is not None and self.day >= today else 0

    def slowed(self, now: datetime) -> float | None:
        """The rate (mails a second) the server's refusals leave us; None where it has recovered."""
        if self.slow_rate is None or self.slow_at is None:
            return None
        doublings = int(max((now - self.slow_at).total_seconds(), 0.0) // RECOVERY)
        return self.slow_rate * 2**doublings if 2**doublings < RECOVERED else None


@dataclass(frozen=True)
class Limits:
    """What a person set for a sender; None and 0 mean no limit."""

    id: int
    per_window: int | None = None
    window_seconds: int = 3600
    seconds_between: float = 0.0
    per_day: int | None = None
    spreads_day: bool = False
    ramp_from: date | None = None
    ramp_first: int | None = None
    domain_limits: list[dict[str, Any]] = field(default_factory=list)
    spill_to_id: int | None = None
    fault_until: datetime | None = None

    def quota(self, day: date) -> int | None:
        """How many mails may leave on a day (UTC): the daily quota, less while the sender is warmed up."""
        quotas = [number for number in (self.per_day or None, self._ramp(day)) if number is not None]
        return min(quotas, default=None)

    def _ramp(self, day: date) -> int | None:
        if self.ramp_from is None or not self.ramp_first:
            return None
        age = max((day - self.ramp_from).days, 0)
        if age >= RAMP_DAYS:
            return None
        number = self.ramp_first * GROWTH**age
        return int(number) if number < PLENTY else None

    def rates(self, domain: str, day: date) -> list[Rate]:
        """The rates to keep on a day: for one recipient domain, or for all mail where it is ""."""
        if domain:
            return [rate for name, rate in self.domains() if name == domain]
        rates = []
        if self.per_window and self.window_seconds > 0:
            rates.append(Rate(self.per_window, self.window_seconds))
        if self.seconds_between > 0:
            rates.append(Rate(1, self.seconds_between))
        quota = self.quota(day)
        if self.spreads_day and quota:
            # The count of the day is exact by itself: nothing has to be kept back.
            rates.append(Rate(quota, DAY, reserve=1.0))
        return rates

    def interval(self, day: date) -> float:
        """Seconds from one mail to the next on a day; 0 where nothing sets a pace."""
        return max((rate.interval for rate in self.rates("", day)), default=0.0)

    def domains(self) -> list[tuple[str, Rate]]:
        """The limited recipient domains, in lower case."""
        return [
            (str(limit["domain"]).strip().lower(), Rate(int(limit["per_window"]), float(limit["window_seconds"])))
            for limit in self.domain_limits or []
            if limit.get("domain") and limit.get("per_window") and limit.get("window_seconds")
        ]


@dataclass(frozen=True)
class Allowance:
    """What is allowed at one moment, for one recipient domain or for all mail."""

    interval: float
    """Seconds from one mail to the next; 0 means no pace."""
    patience: float
    """Seconds after its time that a permit may still be used."""
    tolerance: float
    """Seconds by which a mail may then be slower than usual on its way to the server."""
    quota: int | None
    recovered: bool
    """True where a slow-down is on record that has passed."""

    @property
    def limited(self) -> bool:
        return self.interval > 0 or self.quota is not None


def allowance(limits: Limits, domain: str, standing: Standing, now: datetime) -> Allowance:
    """What `limits` and the server's patience allow at `now` (the database's time)."""
    day = now.date()
    rates = limits.rates(domain, day)
    slow = standing.slowed(now)
    planned = max((rate.interval for rate in rates), default=0.0)
    interval = max(planned, 1 / slow if slow else 0.0)
    slack = min((rate.slack(interval) for rate in rates), default=inf)
    patience = _patience(interval, slack)
    return Allowance(
        interval,
        patience,
        inf if patience == inf else slack - patience,
        None if domain else limits.quota(day),
        recovered=standing.slow_rate is not None and interval == planned,
    )


def _patience(interval: float, slack: float) -> float:
    """At most half of what may be late in all: the other half is for the way to the server.

    No longer than an interval, so that late permits do not come in bunches; but a tenth of a second at fast rates,
    where a worker looks up less often than once an interval.
    """
    return min(max(interval, 0.1), slack / 2) if interval else inf


def end_of_day(now: datetime) -> datetime:
    """The midnight (UTC) after `now`."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
