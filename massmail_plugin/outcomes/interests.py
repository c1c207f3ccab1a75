"""Clicks on links that speak of an interest: told once for each mail and link. Keeping enters; reads only."""

from collections.abc import Collection

from sqlalchemy import or_, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import Link
from massmail_plugin.outcomes.event_rows import NewEvent
from massmail_plugin.outcomes.record import Report
from massmail_plugin.portable_sql import one_of
from massmail_plugin.vocabulary import EventKind, Outcome


def interests(host: Host, events: Collection[NewEvent]) -> list[Report]:
    """A report for each click by a person on such a link; its turn is the link's number in the mail."""
    clicks = [
        event
        for event in events
        if event.kind is EventKind.CLICK and event.link_id is not None and not event.machine_reason
    ]
    if not clicks:
        return []
    links = one_of(Link.id, sorted({event.link_id for event in clicks if event.link_id is not None}))
    speaking = select(Link.id, Link.number).where(links, or_(Link.interest != "", Link.score != 0), Link.number > 0)
    numbers = {row.id: row.number for row in host.session.execute(speaking)}
    return [
        Report(event.message_id, Outcome.CLICKED, event.at, event.link_id, numbers[event.link_id])
        for event in clicks
        if event.link_id in numbers
    ]
