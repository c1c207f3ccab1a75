"""A lane's gate to one sender: the main thread reserves permits in the database, the network thread takes them.

`reserve` and `give_back` commit; `admit`, `late` and `put_back` touch nothing but memory.
"""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from math import inf

from massmail_plugin.contracts import Host
from massmail_plugin.leases import database_now
from massmail_plugin.sending.limits import pace
from massmail_plugin.sending.limits.allowance import allowance, end_of_day
from massmail_plugin.sending.limits.grants import AHEAD, BEFORE_MIDNIGHT
from massmail_plugin.sending.limits.permits import Permits
from massmail_plugin.sending.limits.planning import Plan, Rest, Share, plan

log = logging.getLogger(__name__)

TRIES = 20
LOOK = 1.0
SLOWER = 1.5
MEASURES = 3
EXACT = 0.005


class Gate:
    """What one lane may send through one sender. Until the first `reserve` it is closed."""

    def __init__(self, sender_id: int, *, ticks: Callable[[], float] = time.monotonic) -> None:
        """`ticks` is the clock of `admit`, in seconds; it must not jump."""
        self._sender_id = sender_id
        self._permits = Permits(ticks)
        self.admit = self._permits.admit
        self.late = self._permits.late
        self.put_back = self._permits.put_back
        self._ends: dict[str, datetime | None] = {}
        self._interval = inf
        self._day: date | None = None
        self._shift = 0.0
        self._look_at = self._not_before = -inf
        self.rest: Rest | None = None
        """Set while nothing that waits may go soon: the lane gives its chunk back and comes again later."""

    @property
    def next_at(self) -> datetime | None:
        """When to come again, in the database's time; None while something may go."""
        return self.rest.until if self.rest else None

    @property
    def reason(self) -> str:
        """Why nothing goes, for screens; empty while something may go."""
        return self.rest.why if self.rest else ""

    @property
    def used_up(self) -> bool:
        """True where the daily quota is used up: time to ask `spill`."""
        return self.rest is not None and self.rest.used_up

    @property
    def limited_domains(self) -> frozenset[str]:
        """Recipient domains with a pace of their own. Whoever asks for them first gets the most out of theirs."""
        return frozenset(self._permits.domains)

    def reserve(self, host: Host, waiting: Mapping[str, int]) -> None:
        """Reserve permits for what waits (messages per recipient domain) where there are too few; commits if so.

        To be called often: it looks into the database about once a second.
        """
        now = self._permits.ticks()
        if now < self._not_before or (now < self._look_at and not self._runs_low(now, waiting)):
            return
        for _ in range(TRIES):
            if self._attempt(host, waiting):
                return
            host.session.rollback()
        log.warning("The limits of sender %s are changed by too many at once; trying again", self._sender_id)

    def give_back(self, host: Host) -> None:
        """Give up all permits, so that others may use them; commits. The gate may be used again."""
        with self._permits.lock:
            firsts = {domain: stock.clear() for domain, stock in sorted(self._permits.stocks().items())}
            unused = self._permits.unused()
            self._permits.forget(unused)
        if self._day is not None and unused:
            pace.uncount(host, self._sender_id, self._day, unused)
        for domain, first in firsts.items():
            end = self._ends.pop(domain, None)
            if first is not None and end is not None:
                to = datetime.fromtimestamp(first - self._shift, UTC)
                pace.roll_back(host, self._sender_id, domain, end=end, to=to)
        host.session.commit()
        self._look_at = self._not_before = -inf

    def _runs_low(self, now: float, waiting: Mapping[str, int]) -> bool:
        with self._permits.lock:
            return any(
                not stock.lasts(now + AHEAD / 2)
                for domain, stock in self._permits.stocks().items()
                if not domain or waiting.get(domain)
            )

    def _attempt(self, host: Host, waiting: Mapping[str, int]) -> bool:
        """Read, reckon, write; False where another worker wrote in between."""
        host.session.connection()  # SQLite takes its lock here: only then is what the clock says still true below.
        there, now = self._moment(host)
        self._shift = now - there.timestamp()
        book = pace.read(host, self._sender_id, there)
        self._drop_what_is_void(book, now)
        planned = plan(book, waiting, self._permits.held(now, AHEAD / 2), self._permits.unused())
        for domain, share in planned.shares.items():
            changed = share.grant.standing != book.standing(domain)
            if changed and not pace.change(host, book, domain, share.grant.standing):
                return False
        host.session.commit()
        self._keep(book, planned)
        self._look_at = now + LOOK
        self._not_before = now + min(planned.idle_seconds(book.now), LOOK)
        return True

    def _moment(self, host: Host) -> tuple[datetime, float]:
        """The database's time and our own of the same moment; asked again if something came between."""
        for _ in range(MEASURES):
            before = self._permits.ticks()
            there = database_now(host)
            now = self._permits.ticks()
            if now - before < EXACT:
                break
        return there, now

    def _drop_what_is_void(self, book: pace.Book, now: float) -> None:
        """Permits of a faster pace or of yesterday's quota are no permits any more."""
        allowed = allowance(book.limits, "", book.standing(), book.now)
        with self._permits.lock:
            if self._permits.whole is not None and allowed.interval > SLOWER * self._interval:
                self._permits.whole.clear()
            if self._day != book.now.date():
                self._permits.start_day(counted=allowed.quota is not None)
        self._interval, self._day = allowed.interval, book.now.date()

    def _keep(self, book: pace.Book, planned: Plan) -> None:
        self.rest = planned.rest
        with self._permits.lock:
            self._permits.forget(planned.returned)
            self._permits.allot(whole=planned.shares[""].allowed.limited, domains=book.domains)
            stocks = self._permits.stocks()
            for domain, share in planned.shares.items():
                if share.grant.count and domain in stocks:
                    stocks[domain].add(self._times(share), share.allowed.patience, self._until(book, share))
                    stocks[domain].tolerance = share.allowed.tolerance
                    self._ends[domain] = share.grant.standing.next_at if share.allowed.interval else None

    def _times(self, share: Share) -> list[float]:
        first = share.grant.first.timestamp() + self._shift
        return [first + number * share.allowed.interval for number in range(share.grant.count)]

    def _until(self, book: pace.Book, share: Share) -> float:
        if share.allowed.quota is None:
            return inf
        return end_of_day(book.now).timestamp() - BEFORE_MIDNIGHT + self._shift
