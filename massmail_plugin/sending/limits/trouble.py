"""Slowing down when a server asks for it: answers are counted in the network thread and judged about once a second.

`slow_down` changes the shared standing and commits.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, select

from massmail_plugin.contracts import Answer, Host
from massmail_plugin.models import Chunk, Mailing
from massmail_plugin.sending.limits import pace
from massmail_plugin.sending.limits.allowance import Standing
from massmail_plugin.smtp_status import Reply
from massmail_plugin.vocabulary import MessageState

log = logging.getLogger(__name__)

CODES = frozenset({421, 429, 450, 451, 454})
SHARE = 0.2
AT_LEAST = 5
ENOUGH = 25
LONGEST = 60.0
SLOWEST = 1 / 60
CALM = timedelta(seconds=2)
"""After a slow-down, answers to what was under way still come in."""
TRIES = 20


def asks_for_patience(reply: Reply) -> bool:
    """Whether a refusal is about how much or how fast we send: not about a mailbox, and not greylisting."""
    if reply.accepted or reply.enhanced[:4] in ("4.1.", "4.2."):
        return False
    words = reply.text.lower()
    if "greylist" in words or "graylist" in words:
        return False
    return reply.code in CODES or reply.enhanced.startswith("4.7.")


class _Count:
    """Answers, and how many of them asked for patience."""

    __slots__ = ("answers", "asking")

    def __init__(self, answers: int = 0, asking: int = 0) -> None:
        self.answers = answers
        self.asking = asking

    @property
    def heavy(self) -> bool:
        return self.asking > 0 and self.asking >= SHARE * self.answers


class Trouble:
    """What one lane sees of one sender's server."""

    def __init__(self, *, ticks: Callable[[], float] = time.monotonic) -> None:
        """`ticks` is a clock in seconds that does not jump."""
        self._ticks = ticks
        self._seen: dict[str, _Count] = {}
        self._turned_away = False
        self._since = ticks()

    def note(self, answer: Answer, domain: str = "") -> None:
        """Network thread: an answer to a mail for `domain` (lower case)."""
        count = self._seen.get(domain)
        if count is None:
            count = self._seen[domain] = _Count()
        count.answers += 1
        if answer.state is not MessageState.SENT and answer.reply is not None and asks_for_patience(answer.reply):
            count.asking += 1

    def turned_away(self, reply: Reply) -> None:
        """Network thread: the server did not let a further connection in."""
        self._turned_away = self._turned_away or reply.code == 421

    def slow_down(self, host: Host, sender_id: int) -> bool:
        """Main thread, about once a second: halve the shared pace where the server asks for it; commits if so.

        True where it did: a lane without a gate must open one. Domains that ask for patience while others do not
        are slowed by themselves. Nothing is done about a server that has not taken or refused a single mail: that is
        a fault of the connection.
        """
        seen, turned_away, seconds = self._seen, self._turned_away, self._ticks() - self._since
        total = _sum(seen.values())
        if not total.answers:
            self._start()
            return False
        if seconds < 1:
            return False
        slower = [""] if turned_away else _where(seen, total)
        over = total.answers >= ENOUGH or seconds >= LONGEST
        if slower or over:
            self._start()
        if not slower and over and total.heavy:
            _lower(host, sender_id, "", None)
        lowered = [_lower(host, sender_id, domain, _of(seen, domain).answers / seconds) for domain in slower]
        return any(lowered)

    def _start(self) -> None:
        self._seen = {}
        self._turned_away = False
        self._since = self._ticks()


def _sum(counts: Iterable[_Count]) -> _Count:
    together = list(counts)
    return _Count(sum(count.answers for count in together), sum(count.asking for count in together))


def _of(seen: Mapping[str, _Count], domain: str) -> _Count:
    return seen[domain] if domain else _sum(seen.values())


def _where(seen: Mapping[str, _Count], total: _Count) -> list[str]:
    """Which domains to slow down; "" is the sender as a whole."""
    asking = [domain for domain, count in seen.items() if domain and count.heavy and count.asking >= AT_LEAST]
    others = _sum(count for domain, count in seen.items() if domain not in asking)
    if asking and others.answers >= AT_LEAST and not others.heavy:
        return asking
    return [""] if total.heavy and total.asking >= AT_LEAST else []


def _lower(host: Host, sender_id: int, domain: str, rate: float | None) -> bool:
    """Halve a pace of which this lane saw `rate` mails a second; None only stops its recovery. Commits."""
    for _ in range(TRIES):
        book = pace.read(host, sender_id)
        lower = _lowered(host, book, domain, rate)
        if lower is None or pace.change(host, book, domain, lower):
            host.session.commit()
            break
        host.session.rollback()
    else:
        return False
    if lower is not None:
        log.info("The server of sender %s asks for patience: %.3f mails a second", sender_id, lower.slow_rate)
    return lower is not None


def _lowered(host: Host, book: pace.Book, domain: str, rate: float | None) -> Standing | None:
    standing = book.standing(domain)
    slowed = standing.slowed(book.now)
    if standing.slow_at is not None and abs(book.now - standing.slow_at) < CALM:
        return None
    if rate is None:
        return None if slowed is None else replace(standing, slow_rate=slowed, slow_at=book.now)
    rate *= _lanes(host, book.limits.id)
    half = max((rate if slowed is None else min(rate, slowed)) / 2, SLOWEST)
    return replace(standing, slow_rate=half, slow_at=book.now)


def _lanes(host: Host, sender_id: int) -> int:
    """How many lanes carry mail of this sender now: each sees only its own part of the rate."""
    query = select(func.count(func.distinct(Chunk.leased_by))).join(Mailing, Mailing.id == Chunk.mailing_id)
    found = host.session.scalar(query.where(Mailing.sender_id == sender_id, Chunk.leased_by.is_not(None)))
    return max(found or 0, 1)
