"""One pass after another over each kind of data, in slices that are committed. The doors enter with some seconds to
spend; it may be stopped anywhere and goes on from there.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from massmail_plugin import leases
from massmail_plugin.contracts import Host
from massmail_plugin.models import RetentionPass
from massmail_plugin.upkeep.retention.kinds import KINDS
from massmail_plugin.upkeep.retention.rows import Kind

log = logging.getLogger(__name__)

LEASE, LEASE_SECONDS = "retention", 120
EVERY = timedelta(hours=24)
"""From the end of a pass to the next."""


@dataclass(frozen=True)
class Due:
    """A kind of data: `days` it is kept (0: for good), rows that are older, and when a pass last went through."""

    name: str
    label: str
    days: int
    rows: int
    done_at: datetime | None


@dataclass(frozen=True)
class Report:
    """What a run has deleted, by kind; `finished` where every pass that was due is over."""

    forgotten: dict[str, int]
    finished: bool

    @property
    def rows(self) -> int:
        return sum(self.forgotten.values())


def run(
    host: Host, *, seconds: float, whole: bool = False, stopping: Callable[[], bool] = lambda: False
) -> Report | None:
    """Delete what is too old, for about `seconds`; None while another process does.

    A kind has its turn once a day. With `whole` each has it now, from the beginning. Commits slice by slice.
    """
    end = time.monotonic() + seconds
    if not leases.take(host, LEASE, seconds=LEASE_SECONDS):
        return None
    try:
        return _Run(host, lambda: stopping() or time.monotonic() > end).run(whole=whole)
    finally:
        host.session.rollback()
        leases.give_back(host, LEASE)


def is_due(host: Host) -> bool:
    """Whether a pass is to begin or to go on. One SELECT."""
    now, marks = host.clock(), {mark.name: mark for mark in host.session.scalars(select(RetentionPass))}
    return any(_has_its_turn(marks.get(kind.name), now) for kind in _kept_for_a_time(host))


def _has_its_turn(mark: RetentionPass | None, now: datetime) -> bool:
    return mark is None or mark.done_at is None or mark.begun_at > mark.done_at or now - mark.done_at >= EVERY


def due(host: Host) -> list[Due]:
    """What a run would delete now. Counts rows, so that it may take a while; reads only."""
    return [_line(host, kind, count=True) for kind in KINDS]


def state(host: Host) -> list[Due]:
    """How long each kind is kept and when a pass last went through; `rows` is 0, for nothing is counted."""
    return [_line(host, kind, count=False) for kind in KINDS]


def _line(host: Host, kind: Kind, *, count: bool) -> Due:
    days = days_of(host, kind)
    rows = kind.due(host, _end(host, days)) if count and days else 0
    done_at = host.session.scalar(select(RetentionPass.done_at).where(RetentionPass.name == kind.name))
    return Due(kind.name, kind.label, days, rows, done_at)


def days_of(host: Host, kind: Kind) -> int:
    return int(getattr(host.config.retention, kind.name))


def _end(host: Host, days: int) -> datetime:
    return host.clock() - timedelta(days=days)


class _Run:
    def __init__(self, host: Host, over: Callable[[], bool]) -> None:
        self._host = host
        self._over = over
        self._renewed = time.monotonic()

    def run(self, *, whole: bool) -> Report:
        forgotten: dict[str, int] = {}
        for kind in _kept_for_a_time(self._host):
            mark = self._mark(kind, whole)
            if mark is None:
                continue
            rows, done = self._pass(kind, mark)
            if rows:
                forgotten[kind.name] = rows
                log.info("Retention: %s rows of %s, older than %s days", rows, kind.name, days_of(self._host, kind))
            if not done:
                return Report(forgotten, finished=False)
        return Report(forgotten, finished=True)

    def _mark(self, kind: Kind, whole: bool) -> RetentionPass | None:
        """Where the pass stands that is to go on, or begins; None where the last one is not long ago."""
        now, mark = self._host.clock(), self._host.session.get(RetentionPass, kind.name)
        if mark is None:
            mark = RetentionPass(name=kind.name, begun_at=now, place=0, forgotten=0)
            self._host.session.add(mark)
        elif not whole and not _has_its_turn(mark, now):
            return None
        elif whole or (mark.done_at is not None and mark.begun_at <= mark.done_at):
            mark.begun_at, mark.place, mark.forgotten = now, 0, 0
        return mark

    def _pass(self, kind: Kind, mark: RetentionPass) -> tuple[int, bool]:
        """Slices until nothing old is left or the time is over; the rows of them, and whether the pass is done."""
        rows, end = 0, _end(self._host, days_of(self._host, kind))
        while not self._over():
            self._renew()
            done = kind.forget(self._host, end, mark.place)
            rows += done.forgotten
            mark.forgotten += done.forgotten
            mark.place = done.place or 0
            if done.place is None:
                mark.done_at = self._host.clock()
            self._host.session.commit()
            if done.place is None:
                return rows, True
        self._host.session.commit()
        return rows, False

    def _renew(self) -> None:
        if time.monotonic() - self._renewed > LEASE_SECONDS / 4:
            leases.take(self._host, LEASE, seconds=LEASE_SECONDS)
            self._renewed = time.monotonic()


def _kept_for_a_time(host: Host) -> Sequence[Kind]:
    return [kind for kind in KINDS if days_of(host, kind)]
