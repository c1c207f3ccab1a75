"""What one reservation takes: the sender's permits and those of each limited recipient domain, weighed together.

Arithmetic only: a gate enters, with what it read and what it holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from massmail_plugin.sending.limits import words
from massmail_plugin.sending.limits.allowance import Allowance, allowance
from massmail_plugin.sending.limits.grants import HORIZON, NEAR, Grant, grant
from massmail_plugin.sending.limits.pace import Book
from massmail_plugin.sending.limits.permits import Held

NOTHING = Held(0, False)
SHORT = 0.2


@dataclass(frozen=True)
class Rest:
    """Nothing that waits may go within HORIZON seconds: `until` when (the database's time), and `why` in words.

    `whole` False: only recipient domains are at their limit; other mail of the sender may go. `used_up`: the daily
    quota is what ended, so that mail may spill over.
    """

    until: datetime
    why: str
    whole: bool = True
    used_up: bool = False


@dataclass(frozen=True)
class Share:
    """What is reserved for one recipient domain, or for all mail."""

    allowed: Allowance
    grant: Grant
    held: int

    @property
    def permits(self) -> int:
        return self.held + self.grant.count

    def rests(self, now: datetime) -> bool:
        """Whether nothing may go for longer than a lane waits."""
        return self.allowed.limited and not self.permits and self.grant.free_at > now + timedelta(seconds=HORIZON)


@dataclass(frozen=True)
class Plan:
    """The shares to write, that of all mail ("") first, and the rest if there is one."""

    shares: dict[str, Share]
    returned: int
    """Unused permits that are given back to the day's count with it."""
    rest: Rest | None = None

    def idle_seconds(self, now: datetime) -> float:
        """How long a further look would find nothing."""
        if self.rest is not None:
            return (self.rest.until - now).total_seconds() - HORIZON
        whole = self.shares[""]
        if whole.permits or not whole.allowed.limited:
            return 0.0
        return max((whole.grant.free_at - now).total_seconds() - NEAR, SHORT)


def plan(book: Book, waiting: Mapping[str, int], held: Mapping[str, Held], unused: int) -> Plan:
    """Reserve no more of the sender's permits than there are messages whose recipient domain lets them go."""
    names = sorted((book.domains & waiting.keys()) | book.recovered)
    own = {domain: _share(book, domain, waiting.get(domain, 0), held) for domain in names}
    able = sum(number for domain, number in waiting.items() if domain not in own)
    able += sum(min(waiting.get(domain, 0), share.permits) for domain, share in own.items())
    whole = _share(book, "", able, held, unused)
    if whole.rests(book.now):
        return Plan({"": whole}, unused, _whole_rest(book, whole))
    if not able and own and all(share.rests(book.now) for share in own.values()):
        return Plan({"": whole, **own}, unused, _domains_rest(book, own))
    return Plan({"": whole, **own}, unused)


def _share(book: Book, domain: str, wanted: int, held: Mapping[str, Held], unused: int = 0) -> Share:
    has = held.get(domain, NOTHING)
    allowed = allowance(book.limits, domain, book.standing(domain), book.now)
    more = 0 if has.lasts else wanted - has.number
    return Share(
        allowed,
        grant(book.standing(domain), allowed, book.now, more, held=has.number, returned=unused),
        has.number,
    )


def _whole_rest(book: Book, whole: Share) -> Rest:
    return Rest(whole.grant.free_at, words.why(book, "", whole.grant), used_up=whole.grant.used_up)


def _domains_rest(book: Book, own: Mapping[str, Share]) -> Rest:
    domain, share = min(own.items(), key=lambda item: item[1].grant.free_at)
    return Rest(share.grant.free_at, words.why(book, domain, share.grant), whole=False)
