"""How many mails were answered in which way, from the tallies that are written with the events. Reads only."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, literal_column, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import Event, EventTally
from massmail_plugin.portable_sql import one_of
from massmail_plugin.vocabulary import EventKind, Outcome

ALL_LINKS = 0
READ = Outcome.READ.value
"""The kind of the tallies that count a mail once, whether it was opened, clicked in or answered."""
_FIELD = {
    READ: "read",
    EventKind.CLICK.value: "clicked",
    EventKind.BOUNCE.value: "bounced",
    EventKind.COMPLAINT.value: "complained",
    EventKind.REPLY.value: "replied",
    EventKind.OPT_OUT.value: "removed",
}
_BY_MACHINE = {EventKind.OPEN.value: "machine_opens", EventKind.CLICK.value: "machine_clicks"}


@dataclass(frozen=True)
class Responses:
    """How many mails had each kind of response, by people; beside it the hits of programs, which count for nothing."""

    read: int = 0
    clicked: int = 0
    replied: int = 0
    removed: int = 0
    bounced: int = 0
    complained: int = 0
    machine_opens: int = 0
    machine_clicks: int = 0


def responses(host: Host, mailing_id: int) -> Responses:
    """The numbers of one mailing now."""
    return responses_of(host, [mailing_id])[mailing_id]


def responses_of(host: Host, mailing_ids: Sequence[int]) -> dict[int, Responses]:
    """The numbers of each mailing now. A click or an answer says that the mail was read."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for mailing_id, kind, mails, machine_hits in host.session.execute(_tallies(mailing_ids)):
        if kind in _FIELD:
            found[mailing_id][_FIELD[kind]] = int(mails)
        if kind in _BY_MACHINE:
            found[mailing_id][_BY_MACHINE[kind]] = int(machine_hits)
    came_back = _came_back(host, mailing_ids)
    for mailing_id, number in came_back.items():
        found[mailing_id]["removed"] = found[mailing_id].get("removed", 0) - number
    return {one: Responses(**found[one]) for one in mailing_ids}


def _tallies(mailing_ids: Sequence[int]) -> Any:
    tally = EventTally
    return (
        select(tally.mailing_id, tally.kind, func.sum(tally.mails), func.sum(tally.machine_hits))
        .where(one_of(tally.mailing_id, mailing_ids), tally.kind.in_([*_FIELD, *_BY_MACHINE]))
        .where(tally.link_id == ALL_LINKS)
        .group_by(tally.mailing_id, tally.kind)
    )


def _came_back(host: Host, mailing_ids: Sequence[int]) -> dict[int, int]:
    """Mails through which somebody opted out and took all of it back: few, and only they are looked at."""
    back = (
        select(Event.mailing_id, Event.message_id)
        .where(one_of(Event.mailing_id, mailing_ids), Event.kind == EventKind.OPT_BACK_IN.value)
        .distinct()
        # Else SQLite walks through every event there is, in the order in which they are then grouped.
        .offset(literal_column("0"))
        .subquery()
    )
    opted_out = case((Event.kind == EventKind.OPT_OUT.value, 1), else_=0)
    taken_back = case((Event.kind == EventKind.OPT_BACK_IN.value, 1), else_=0)
    over = (
        select(back.c.mailing_id)
        .join(Event, Event.message_id == back.c.message_id)
        .group_by(back.c.mailing_id, back.c.message_id)
        .having(func.sum(opted_out) > 0, func.sum(taken_back) >= func.sum(opted_out))
        .subquery()
    )
    query = select(over.c.mailing_id, func.count()).group_by(over.c.mailing_id)
    return dict(host.session.execute(query).all())
