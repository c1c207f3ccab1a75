"""When a mailing was read and clicked, hour by hour over two days: for the chart and its table. Reads only."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from massmail_plugin.contracts import Host
from massmail_plugin.mailings.statistics.responses import ALL_LINKS, READ
from massmail_plugin.models import EventTally, Mailing
from massmail_plugin.vocabulary import EventKind, MailingKind

HOURS = 48
ONE = timedelta(hours=1)


@dataclass(frozen=True)
class Hour:
    """One hour: mails first read and first clicked in it, and how often people opened and clicked."""

    at: datetime
    read: int = 0
    clicked: int = 0
    opens: int = 0
    clicks: int = 0


def hours(host: Host, mailing: Mailing) -> list[Hour]:
    """The first 48 hours after the start up to now; of a campaign's step, which never ends, the last 48.

    Empty before the start.
    """
    now, first = _hour(host.clock()), first_hour(host, mailing)
    if first is None or first > now:
        return []
    found: dict[datetime, dict[str, int]] = {}
    for at, kind, hits, mails in host.session.execute(_tallies(mailing.id, first)):
        found.setdefault(at, {}).update(_counts(kind, hits, mails))
    number = min(HOURS, (now - first) // ONE + 1)
    return [Hour(at, **found.get(at, {})) for at in (first + ONE * place for place in range(number))]


def first_hour(host: Host, mailing: Mailing) -> datetime | None:
    """The beginning of the first of these hours."""
    begun = started(mailing)
    if begun is None or mailing.kind != MailingKind.STEP.value:
        return _hour(begun) if begun else None
    return max(_hour(begun), _hour(host.clock()) - ONE * (HOURS - 1))


def started(mailing: Mailing) -> datetime | None:
    """When a mailing could begin to leave; None for a draft."""
    if mailing.launched_at is None:
        return None
    return max(mailing.launched_at, mailing.scheduled_at or mailing.launched_at)


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _tallies(mailing_id: int, first: datetime) -> Any:
    tally, kinds = EventTally, (READ, EventKind.OPEN.value, EventKind.CLICK.value)
    return select(tally.hour, tally.kind, tally.hits, tally.mails).where(
        tally.mailing_id == mailing_id,
        tally.link_id == ALL_LINKS,
        tally.kind.in_(kinds),
        tally.hour.between(first, first + ONE * (HOURS - 1)),
    )


def _counts(kind: str, hits: int, mails: int) -> dict[str, int]:
    if kind == READ:
        return {"read": mails}
    return {"opens": hits} if kind == EventKind.OPEN.value else {"clicked": mails, "clicks": hits}
