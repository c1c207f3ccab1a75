"""What became of a mailing's links: how often, by how many, when first and last, and by whom. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, exists, func, or_, select
from sqlalchemy.orm import aliased

from massmail_plugin import audience
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.mailings.people import Person
from massmail_plugin.models import Event, EventTally, Link, OutboxMessage
from massmail_plugin.vocabulary import EventKind

CLICK = EventKind.CLICK.value
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class LinkCounts:
    """A link and its clicks by people; `machine_hits` were programs."""

    link: Link
    hits: int
    mails: int
    machine_hits: int
    first_at: datetime | None
    last_at: datetime | None


def link_counts(host: Host, mailing_id: int) -> list[LinkCounts]:
    """Every link of a mailing, in the order of the mail."""
    sums = (func.sum(part) for part in (EventTally.hits, EventTally.mails, EventTally.machine_hits))
    clicked = case((EventTally.hits > 0, EventTally.hour))
    tallied = (
        select(EventTally.link_id, *sums, func.min(clicked), func.max(clicked))
        .where(EventTally.mailing_id == mailing_id, EventTally.kind == CLICK, EventTally.link_id > 0)
        .group_by(EventTally.link_id)
    )
    counts = {row[0]: row for row in host.session.execute(tallied)}
    links = host.session.execute(
        select(Link, _edge(Event.at.asc()), _edge(Event.at.desc()))
        .where(Link.mailing_id == mailing_id)
        .order_by(Link.number)
    )
    return [_counts(link, counts.get(link.id), first, last) for link, first, last in links]


def _counts(link: Link, tallied: Any, first: datetime | None, last: datetime | None) -> LinkCounts:
    """Where the first or last click was deleted for its age, its hour is still known."""
    if tallied is None:
        return LinkCounts(link, 0, 0, 0, first, last)
    _, hits, mails, machine_hits, opened, closed = tallied
    if opened is not None and (first is None or first >= opened + HOUR):
        first = opened
    if closed is not None and (last is None or last < closed):
        last = closed
    return LinkCounts(link, int(hits), int(mails), int(machine_hits), first, last)


def _edge(order: Any) -> Any:
    """The time of a link's first or last click by a person: one look into the index each."""
    clicks = select(Event.at).where(*_by_people(Event, Link.id))
    return clicks.order_by(order).limit(1).correlate(Link).scalar_subquery()


def _by_people(event: Any, link_id: Any) -> tuple[Any, ...]:
    return event.link_id == link_id, event.by_machine.is_(False)


@dataclass(frozen=True)
class Clicker(Person):
    """Somebody who followed a link; `place` is where the next page begins."""

    place: int = 0


def clickers(host: Host, link: Link, *, after: int = 0, limit: int = 50) -> list[Clicker]:
    """Up to `limit` people who followed a link, in the order of their first click, those after the place `after`."""
    click, earlier = Event, aliased(Event)
    again = (earlier.message_id == click.message_id) & (earlier.link_id == link.id) & earlier.by_machine.is_(False)
    before = or_(earlier.at < click.at, (earlier.at == click.at) & (earlier.id < click.id))
    query = (
        select(click.id, click.at, OutboxMessage)
        .join(OutboxMessage, OutboxMessage.id == click.message_id)
        .where(*_by_people(click, link.id), ~exists().where(again, before))
        .where(audience.visible_rows(host, OutboxMessage.contact_source, OutboxMessage.contact_key))
        .order_by(click.at, click.id)
        .limit(limit)
    )
    start = host.session.execute(select(click.at, click.id).where(click.id == after)).first()
    if start is not None:
        query = query.where(click.at >= start.at, or_(click.at > start.at, click.id > start.id))
    return _named(host, host.session.execute(query).all())


def _named(host: Host, rows: Sequence[Any]) -> list[Clicker]:
    refs = [ContactRef(message.contact_source, message.contact_key) for _, _, message in rows]
    found = audience.summaries(host, set(refs))
    return [
        Clicker(message, ref, found[ref].name if ref in found else "", at, place)
        for (place, at, message), ref in zip(rows, refs, strict=True)
    ]
