"""How far today's limits of a sender are used, and its warm-up day by day. Views enter; nothing is read or written."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import log2

from massmail_plugin.sending.limits import Limits
from massmail_plugin.sending.limits.allowance import RECOVERED, RECOVERY
from massmail_plugin.sending.limits.pace import Book

RAMP_SHOWN = 10
RECOVERS = timedelta(seconds=RECOVERY * log2(RECOVERED))
SOON = timedelta(seconds=1)


@dataclass(frozen=True)
class Today:
    """How one sender, or its mail to one recipient domain, stands now. `quota` None means no limit for the day."""

    domain: str
    used: int
    quota: int | None
    next_at: datetime | None
    """When the next mail may leave; None where it may leave now."""
    slowed: str
    """The rate to which the server's refusals have brought us, in words; "" while it takes all."""
    full_again: datetime | None
    """When nothing is left of the slow-down, if the server refuses no more."""


def todays(book: Book) -> list[Today]:
    """All mail of the sender first, then the recipient domains that have to wait or are slowed down."""
    domains = [_today(book, name) for name in sorted(book.domains)]
    return [_today(book, ""), *(one for one in domains if one.next_at or one.slowed)]


def _today(book: Book, domain: str) -> Today:
    standing, now = book.standing(domain), book.now
    slow = standing.slowed(now)
    waits = standing.next_at is not None and standing.next_at > now + SOON
    return Today(
        domain=domain,
        used=standing.used(now.date()),
        quota=None if domain else book.limits.quota(now.date()),
        next_at=standing.next_at if waits else None,
        slowed=_rate(slow) if slow else "",
        full_again=standing.slow_at + RECOVERS if slow and standing.slow_at else None,
    )


def _rate(per_second: float) -> str:
    a_minute = per_second * 60
    return f"{a_minute:,.0f} a minute" if a_minute >= 1.5 else f"one every {1 / per_second:,.0f} seconds"


def coming_days(limits: Limits, today: date) -> list[tuple[date, int]]:
    """The days of a warm-up from now on, and what may leave on each; empty where there is none, or it is over.

    Those on which the daily limit holds belong to it no more.
    """
    if limits.ramp_from is None or not limits.ramp_first:
        return []
    days: list[tuple[date, int]] = []
    day = max(limits.ramp_from, today)
    while len(days) < RAMP_SHOWN and (number := limits.quota(day)) != limits.per_day and number is not None:
        days.append((day, number))
        day += timedelta(days=1)
    return days


def ramp_words(first: int) -> str:
    """What may leave on the days after the first one: "75, 112, 168 ... on the days after"."""
    limits = Limits(id=0, ramp_from=date.min, ramp_first=first)
    numbers = [limits.quota(date.min + timedelta(days=n)) or 0 for n in range(1, RAMP_SHOWN)]
    return f"{first:,} on the first day mean " + ", ".join(f"{number:,}" for number in numbers) + " on the next ones."
