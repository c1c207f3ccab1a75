"""Every open and click of one mail, by people and by programs, with the reason. Screens enter; nothing is committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from massmail_plugin.contracts import Host
from massmail_plugin.models import Event, Link
from massmail_plugin.vocabulary import EventKind

MOST_HITS = 100


@dataclass(frozen=True)
class HitLine:
    """One hit as it is shown; `link` is empty for an open, and for the link no reader sees."""

    at: datetime
    kind: EventKind
    link: str
    user_agent: str
    machine_reason: str
    """A MachineReason, or the empty text where it counts as a person's."""


def hits(host: Host, message_id: int, *, limit: int = MOST_HITS) -> Sequence[HitLine]:
    """The first `limit` hits of a mail, in order of time."""
    query = (
        select(Event.at, Event.kind, Link.label, Link.target, Event.user_agent, Event.machine_reason)
        .outerjoin(Link, Link.id == Event.link_id)
        .where(Event.message_id == message_id, Event.kind.in_([EventKind.OPEN.value, EventKind.CLICK.value]))
        .order_by(Event.at, Event.id)
        .limit(limit)
    )
    return [
        HitLine(at, EventKind(kind), label or target or "", user_agent, machine_reason)
        for at, kind, label, target, user_agent, machine_reason in host.session.execute(query)
    ]
