"""The standing of senders in the database, shared by all workers: read, and changed by single statements. Gates,
claims and slow-downs enter; the caller commits."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, Update, and_, bindparam, or_, select, update
from sqlalchemy.orm import aliased

from massmail_plugin import leases
from massmail_plugin.contracts import Host
from massmail_plugin.models import Pace, Sender
from massmail_plugin.portable_sql import changed, insert_new
from massmail_plugin.sending.limits.allowance import Limits, Standing

_LIMITS = [getattr(Sender, field.name) for field in fields(Limits)]
_STANDING = [getattr(Pace, field.name) for field in fields(Standing)]
_QUERY = select(*_LIMITS, Pace.domain, *_STANDING)
_ONE = _QUERY.outerjoin(Pace, Pace.sender_id == Sender.id).where(Sender.id == bindparam("sender"))
_LIMITED = or_(
    Sender.per_window.is_not(None),
    Sender.seconds_between > 0,
    Sender.per_day.is_not(None),
    Sender.ramp_from.is_not(None),
    Pace.slow_rate.is_not(None),
    Sender.id.in_(select(aliased(Sender).spill_to_id)),
)
_ALL_LIMITED = _QUERY.outerjoin(Pace, and_(Pace.sender_id == Sender.id, Pace.domain == "")).where(_LIMITED)


@dataclass(frozen=True)
class Book:
    """What the database says of one sender at `now`, by its own clock. The standing of all its mail is under ""."""

    limits: Limits
    standings: Mapping[str, Standing]
    now: datetime

    def standing(self, domain: str = "") -> Standing:
        return self.standings.get(domain, Standing())

    @property
    def domains(self) -> set[str]:
        """Recipient domains that have a pace of their own now, set by a person or by the server's refusals."""
        slowed = {name for name, standing in self.standings.items() if name and standing.slowed(self.now) is not None}
        return slowed | {name for name, _ in self.limits.domains()}

    @property
    def recovered(self) -> set[str]:
        """Recipient domains whose slow-down has passed, but is still on record."""
        slowed = {name for name, standing in self.standings.items() if name and standing.slow_rate is not None}
        return slowed - self.domains


def read(host: Host, sender_id: int, now: datetime | None = None) -> Book:
    """Limits and standing of a sender; `now` is the database's time, if the caller has it from this transaction.

    Raises KeyError where the sender is gone.
    """
    return _read(host, _ONE, now, sender=sender_id)[sender_id]


def read_limited(host: Host) -> dict[int, Book]:
    """The same, for all its mail only, by sender: those with limits, those slowed down, and those spilled over to."""
    return _read(host, _ALL_LIMITED)


def change(host: Host, book: Book, domain: str, after: Standing) -> bool:
    """Put `after` in the place of what `book` says; False, and nothing changed, where another worker was faster."""
    if domain not in book.standings:
        host.session.execute(insert_new(host, Pace).values(sender_id=book.limits.id, domain=domain, day_count=0))
    before = book.standing(domain)
    unchanged = and_(
        Pace.next_at.is_not_distinct_from(before.next_at),
        Pace.day.is_not_distinct_from(before.day),
        Pace.day_count == before.day_count,
        Pace.slow_at.is_not_distinct_from(before.slow_at),
    )
    return changed(host, _row(book.limits.id, domain).where(unchanged).values(asdict(after))) == 1


def roll_back(host: Host, sender_id: int, domain: str, *, end: datetime, to: datetime) -> None:
    """Free the times from `to` on, unless somebody reserved behind `end`."""
    changed(host, _row(sender_id, domain).where(Pace.next_at == end).values(next_at=to))


def uncount(host: Host, sender_id: int, day: date, number: int) -> None:
    """Take mails that did not leave out of the count of `day`."""
    counted = and_(Pace.day == day, Pace.day_count >= number)
    changed(host, _row(sender_id, "").where(counted).values(day_count=Pace.day_count - number))


def _row(sender_id: int, domain: str) -> Update:
    return update(Pace).where(Pace.sender_id == sender_id, Pace.domain == domain)


def _read(host: Host, query: Select[Any], now: datetime | None = None, **values: int) -> dict[int, Book]:
    rows = host.session.execute(query, values).all()
    if not rows:
        return {}
    now = now or leases.database_now(host)
    limits: dict[int, Limits] = {}
    standings: dict[int, dict[str, Standing]] = {}
    for row in rows:
        own = Limits(*row[: len(_LIMITS)])
        limits[own.id] = own
        rest = standings.setdefault(own.id, {})
        if row.domain is not None:
            rest[row.domain] = Standing(*row[len(_LIMITS) + 1 :])
    return {number: Book(own, standings[number], now) for number, own in limits.items()}
