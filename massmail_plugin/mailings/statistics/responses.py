"""How many mails were answered in which way, from the tallies that are written with the events. Reads only."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import aliased

from massmail_plugin.contracts import Host
from massmail_plugin.models import Event, EventTally, PastTally
from massmail_plugin.outcomes.tallies import BACK_IN
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


def _came_back(host: Host, mailing_ids: Sequence[int]) -> Counter[int]:
    """Mails through which somebody opted out and took all of it back: few, and only they are looked at."""
    event, out = Event, aliased(Event)
    back = (
        select(event.mailing_id, event.message_id, func.count().label("times"))
        .where(one_of(event.mailing_id, mailing_ids), *_is(event, EventKind.OPT_BACK_IN))
        .group_by(event.mailing_id, event.message_id)
        # Else SQLite walks through every event there is, in the order in which they are then grouped.
        .offset(literal_column("0"))
        .subquery()
    )
    same_mail = out.mailing_id == back.c.mailing_id, out.message_id == back.c.message_id
    times_out = select(func.count()).where(*same_mail, *_is(out, EventKind.OPT_OUT)).scalar_subquery()
    query = select(back.c.mailing_id, func.count()).where(times_out.between(1, back.c.times))
    found: Counter[int] = Counter()
    for mailing_id, number in host.session.execute(query.group_by(back.c.mailing_id)):
        found[mailing_id] += number
    return found + _past_came_back(host, mailing_ids)


def _past_came_back(host: Host, mailing_ids: Sequence[int]) -> Counter[int]:
    """Those whose events were deleted since."""
    past = PastTally
    query = select(past.mailing_id, func.sum(past.mails)).where(one_of(past.mailing_id, mailing_ids))
    rows = host.session.execute(query.where(past.kind == BACK_IN).group_by(past.mailing_id))
    return Counter({mailing_id: int(mails) for mailing_id, mails in rows})


def _is(event: Any, kind: EventKind) -> tuple[ColumnElement[bool], ...]:
    """As the index over events has it."""
    return event.kind == kind.value, event.by_machine.is_(False)
