"""After a time in which nothing ran, or with a restored backup, mailings are held and ask instead of sending.

The doors of the workers and the scheduler enter before anything else; they commit, together with their sign of life.
"""

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, or_, select, update

from massmail_plugin import outbox
from massmail_plugin.contracts import Host
from massmail_plugin.models import Campaign, Heartbeat, Mailing
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import HoldReason, MailingKind, MailingState

log = logging.getLogger(__name__)

LAST_SEEN = "last_seen"
TOLERANCE = timedelta(minutes=1)
"""By so much the database may be behind what this machine saw: after a loss of power the last commits may be gone."""


@dataclass(frozen=True)
class Absence:
    """Nothing ran from `since` to `until`; with `restored` something did, but this older database does not know it."""

    since: datetime
    until: datetime
    restored: bool = False

    @property
    def words(self) -> str:
        if self.restored:
            return (
                f"The database ends at {_moment(self.since)}, but this machine was at work until "
                f"{_moment(self.until)}: a backup was probably restored."
            )
        return f"Nothing ran from {_moment(self.since)} to {_moment(self.until)}."


@dataclass(frozen=True)
class HeldLate:
    """A mailing or campaign that was held and asks, with the words why; one of the two numbers is set."""

    name: str
    note: str
    mailing_id: int | None
    campaign_id: int | None


def absence(host: Host, now: datetime) -> Absence | None:
    """The time before `now` of which the database knows nothing, if it is long enough to ask; None otherwise.

    A database in which nothing has ever run is a new one: it asks nothing. So does `late_minutes` 0.
    """
    newest = host.session.scalar(select(func.max(Heartbeat.at)))
    if newest is None or not host.config.late_minutes:
        return None
    seen = last_seen(host)
    if seen is not None and newest < seen - TOLERANCE:
        return Absence(newest, seen, restored=True)
    quiet = now - newest >= timedelta(minutes=host.config.late_minutes)
    return Absence(newest, now) if quiet else None


def hold_late(host: Host, gap: Absence) -> int:
    """Pause every mailing that was due or under way in `gap`, with words about it; the number of them.

    A mailing whose time is still to come stays scheduled. Tests are let go, and steps belong to their campaigns.
    """
    overdue = (Mailing.state == MailingState.SCHEDULED.value) & (Mailing.scheduled_at <= host.clock())
    under_way = Mailing.state.in_([MailingState.FILLING.value, MailingState.SENDING.value])
    query = (
        select(Mailing)
        .where(Mailing.kind == MailingKind.ONE_OFF.value, or_(overdue, under_way))
        .order_by(Mailing.id)
        .execution_options(populate_existing=True)
    )
    return sum(_hold(host, mailing, gap) for mailing in host.session.scalars(query).all())


def held_late(host: Host) -> Sequence[HeldLate]:
    """Everything that was held and still asks: mailings, and campaigns through the mailings of their steps."""
    query = (
        select(Mailing.id, Mailing.name, Mailing.hold_note, Mailing.campaign_id, Campaign.name)
        .outerjoin(Campaign, Campaign.id == Mailing.campaign_id)
        .where(Mailing.state == MailingState.PAUSED.value, Mailing.hold_reason == HoldReason.LATE.value)
        .order_by(Mailing.id)
    )
    found = [
        HeldLate(campaign or name, note, None if campaign_id else mailing_id, campaign_id)
        for mailing_id, name, note, campaign_id, campaign in host.session.execute(query)
    ]
    return list(dict.fromkeys(found))


def last_seen(host: Host) -> datetime | None:
    """The newest sign of life this machine has written to the database; None where it knows of none."""
    with suppress(OSError, ValueError):
        return datetime.fromisoformat((host.state_dir / LAST_SEEN).read_text().strip())
    return None


def remember_seen(host: Host, at: datetime) -> None:
    """Keep on this machine that the database was told `at`; comes after the commit. A full disk is only logged."""
    try:
        _replace(host.state_dir / LAST_SEEN, at.isoformat())
    except OSError as error:
        log.warning("The state directory cannot be written, so a restored backup would not be noticed: %s", error)


def _hold(host: Host, mailing: Mailing, gap: Absence) -> bool:
    note = f"{gap.words} {_what_of(host, mailing, gap)} Resume it if it should still go out, or cancel it."
    as_found = Mailing.id == mailing.id, Mailing.state == mailing.state
    values = {"state": MailingState.PAUSED.value, "hold_reason": HoldReason.LATE.value, "hold_note": note}
    held = changed(host, update(Mailing).where(*as_found).values(**values)) == 1
    host.session.expire(mailing)
    return held


def _what_of(host: Host, mailing: Mailing, gap: Absence) -> str:
    """What was due when, and what may have been sent already."""
    twice = " More may have left after that; whoever got it would get it a second time." if gap.restored else ""
    if mailing.state == MailingState.SENDING.value:
        counts = outbox.counts(host, mailing.id)
        return f"{counts.sent:,} of {counts.recipients:,} mails had been sent, {counts.waiting:,} wait.{twice}"
    due = f"It was to start at {_moment(mailing.scheduled_at)}. " if mailing.scheduled_at else ""
    begun = (
        "its recipients were being gathered and" if mailing.state == MailingState.FILLING.value else "it had not begun:"
    )
    return f"{due}{begun} nothing of it had been sent.{twice}"


def _moment(at: datetime) -> str:
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def _replace(path: Path, text: str) -> None:
    """All of it or nothing, however many processes write at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{uuid4().hex}")
    try:
        draft.write_text(text)
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
