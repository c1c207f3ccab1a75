"""How many permits may be reserved now, and for which times. Arithmetic only: a gate enters, with what it read."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf

from massmail_plugin.sending.limits.allowance import Allowance, Standing, end_of_day

HORIZON = 5.0
"""A lane waits this many seconds for a permit; for a later one it gives its chunk back."""
AHEAD = 1.0
"""Permits are reserved for about this many seconds at a time."""
NEAR = 2.0
"""No reservation begins later than this many seconds from now, so that lanes do not hoard what others need first."""
JUMP = 60.0
BEFORE_MIDNIGHT = 2.0
"""Seconds at the end of a day in which nothing is begun, so that a day's mails arrive on that day."""
LOSS = 50
"""At most this part of a daily quota is in one worker's hand, so that not more is lost when it dies."""
UNPACED = 1_000


@dataclass(frozen=True)
class Grant:
    """`count` permits, the first for the time `first`, one each `interval`; and the standing after that.

    `free_at` is when to ask again where there are none; `used_up` that the daily quota is what stands in the way.
    """

    first: datetime
    count: int
    standing: Standing
    free_at: datetime
    used_up: bool = False


def grant(
    standing: Standing, allowed: Allowance, now: datetime, wanted: int, *, held: int = 0, returned: int = 0
) -> Grant:
    """Reserve up to `wanted` permits at `now` for a worker that holds `held`.

    `returned` were reserved today before, have not been used, and are given back to the day's count.
    """
    first = _first(standing, allowed, now)
    used = max(standing.used(now.date()) - returned, 0)
    left = inf if allowed.quota is None else max(allowed.quota - used, 0)
    count = int(min(wanted, left, _at_once(allowed, held), _until_midnight(allowed, first, now)))
    if first > now + timedelta(seconds=NEAR):
        count = 0
    return Grant(
        first,
        max(count, 0),
        _after(standing, allowed, now, first, max(count, 0), used),
        free_at=max(first, end_of_day(now)) if left <= 0 or _until_midnight(allowed, first, now) < 1 else first,
        used_up=left <= 0,
    )


def _first(standing: Standing, allowed: Allowance, now: datetime) -> datetime:
    """When the next mail may leave. A time too far off is no reservation: the clock was set back, or the limit up."""
    if standing.next_at is None or not allowed.interval:
        return now
    if standing.next_at > now + timedelta(seconds=allowed.interval + JUMP):
        return now + timedelta(seconds=allowed.interval)
    return max(standing.next_at, now)


def _at_once(allowed: Allowance, held: int) -> float:
    paced = max(AHEAD / allowed.interval, 1.0) if allowed.interval else UNPACED
    return paced if allowed.quota is None else min(paced, max(allowed.quota // LOSS, 1) - held)


def _until_midnight(allowed: Allowance, first: datetime, now: datetime) -> float:
    if allowed.quota is None:
        return inf
    seconds = (end_of_day(now) - first).total_seconds() - BEFORE_MIDNIGHT
    if seconds <= 0:
        return 0
    return seconds / allowed.interval + 1 if allowed.interval else inf


def _after(standing: Standing, allowed: Allowance, now: datetime, first: datetime, count: int, used: int) -> Standing:
    after = standing
    if allowed.interval and count:
        after = replace(after, next_at=first + timedelta(seconds=count * allowed.interval))
    if allowed.quota is not None and (count or used != standing.day_count):
        after = replace(after, day=now.date(), day_count=used + count)
    if allowed.recovered:
        after = replace(after, slow_rate=None, slow_at=None)
    elif standing.slow_at is not None and standing.slow_at > now:
        after = replace(after, slow_at=now)
    return after
