"""When a mailing will be through, and how many of its mails leave on which day. Screens enter; nothing is written.

It follows from the limits of its sender, what is used of them, and what leaves before it; where no limit sets a pace,
from how fast its mails left in the last minute.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select

from massmail_plugin import outbox
from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, Mailing, OutboxMessage
from massmail_plugin.sending import limits
from massmail_plugin.vocabulary import MailingState

MEASURED = timedelta(seconds=60)
CHUNKS_MEASURED = 12
DAYS_NAMED = 4


@dataclass(frozen=True)
class Forecast:
    """The planned end (None where unknown), mails per day (UTC), mails of others that leave before, and all in words.

    `words` is empty where nothing waits.
    """

    end: datetime | None = None
    days: tuple[tuple[date, int], ...] = ()
    ahead: int = 0
    words: str = ""


def finish_time(host: Host, mailing: Mailing, *, recipients: int | None = None, measured: bool = True) -> Forecast:
    """The forecast for what waits; `recipients` is how many there will be, for one whose outbox is not filled yet.

    Without `measured`, only where limits set the pace: then the outbox is not read.

    Reads chunks and a few thousand rows at the most, however large the mailing is.
    """
    waiting = outbox.counts(host, mailing.id).waiting if recipients is None else recipients
    if mailing.sender_id is None or not waiting:
        return Forecast()
    chain = limits.chain(host, mailing.sender_id)
    last = None if recipients is not None else _last_waiting(host, mailing.id)
    ahead = _ahead(host, mailing, last)
    now = chain[0].now
    start = max(now, mailing.scheduled_at or now)
    rate = measured_rate(host, mailing.id) if measured else None
    standings = [(book.limits, book.standing()) for book in chain]
    plan = limits.day_plan(standings, start, waiting, ahead=ahead, rate=rate)
    if plan is None and not measured:
        return Forecast(ahead=ahead)
    if plan is None:
        return Forecast(
            ahead=ahead, words="How long it takes can be said once its mails have been leaving for a while."
        )
    retried = last.due_at if last is not None and last.due_at > now else None
    end = max(plan.end, retried) if plan.end and retried else plan.end
    slowed = chain[0].standing().slowed(now) is not None
    return Forecast(end, plan.days, ahead, _words(mailing, now, plan, end, ahead, slowed=slowed))


def measured_rate(host: Host, mailing_id: int) -> float | None:
    """Mails a second that were settled within the last minute; None where there were too few to tell."""
    numbers = (
        select(Chunk.number)
        .where(Chunk.mailing_id == mailing_id)
        .where(or_(Chunk.leased_by.is_not(None), Chunk.sent + Chunk.refused > 0))
        .order_by(Chunk.number.desc())
        .limit(CHUNKS_MEASURED)
    )
    row = OutboxMessage
    times = host.session.execute(
        select(row.settled_at, func.count())
        .where(row.mailing_id == mailing_id, row.chunk.in_(list(host.session.scalars(numbers))))
        .where(row.settled_at >= host.clock() - MEASURED)
        .group_by(row.settled_at)
    )
    settled = sorted((at.timestamp(), number) for at, number in times if at is not None)
    if len(settled) < 2:
        return None
    return sum(number for _, number in settled[1:]) / (settled[-1][0] - settled[0][0])


def _last_waiting(host: Host, mailing_id: int) -> Any:
    """Priority, time and id of the chunk of a mailing that is claimed last; None where none waits."""
    order = (Chunk.priority.desc(), Chunk.due_at.desc(), Chunk.id.desc())
    query = select(Chunk.priority, Chunk.due_at, Chunk.id).where(Chunk.mailing_id == mailing_id)
    return host.session.execute(query.where(Chunk.due_at.is_not(None)).order_by(*order).limit(1)).first()


def _ahead(host: Host, mailing: Mailing, last: Any) -> int:
    """Mails of other mailings of the sender that are claimed before the last of this one."""
    query = (
        select(func.coalesce(func.sum(Chunk.planned + Chunk.deferred), 0))
        .join(Mailing, Mailing.id == Chunk.mailing_id)
        .where(Mailing.sender_id == mailing.sender_id, Mailing.id != mailing.id)
        .where(Mailing.state == MailingState.SENDING.value, Chunk.due_at.is_not(None))
    )
    if last is not None:
        same = Chunk.priority == last.priority
        later = and_(same, Chunk.due_at == last.due_at, Chunk.id < last.id)
        query = query.where(or_(Chunk.priority < last.priority, and_(same, Chunk.due_at < last.due_at), later))
    return int(host.session.scalar(query) or 0)


# --- In words ---


def _words(
    mailing: Mailing, now: datetime, plan: limits.DayPlan, end: datetime | None, ahead: int, *, slowed: bool
) -> str:
    sentences = [
        f"{'When it goes on: ' if mailing.state == MailingState.PAUSED else ''}{_days(now, plan)}{_last(plan, end)}."
    ]
    if end is None:
        sentences.append("That takes more than ten years: raise the limits of the sender.")
    if ahead:
        sentences.append(f"{ahead:,} of other mailings through this sender leave before its last.")
    if slowed:
        sentences.append("The server asks for patience at the moment, so it may take longer.")
    return " ".join(sentences)


def _days(now: datetime, plan: limits.DayPlan) -> str:
    said = [f"{number:,} {_day(now, day)}" for day, number in plan.days]
    if len(said) == 1:
        return f"All {said[0]}"
    if len(said) <= DAYS_NAMED:
        return ", ".join(said)
    return f"{said[0]}, {said[1]}, and so on for {len(said):,} days until {said[-1]}"


def _last(plan: limits.DayPlan, end: datetime | None) -> str:
    return f", the last at about {end:%H:%M} UTC" if end is not None and plan.timed else ""


def _day(now: datetime, day: date) -> str:
    near = {0: "today", 1: "tomorrow"}.get((day - now.date()).days)
    year = f" {day.year}" if day.year != now.year else ""
    return near or f"on {day.day} {day:%b}{year}"
