"""How many events each mailing had in each hour, kept beside the events so that no page counts rows.

Keeping enters, and whoever changes what events were or proves the numbers. Flushes only.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Select, Table, case, delete, func, insert, literal, select, true, union_all

from massmail_plugin.contracts import Host
from massmail_plugin.models import Event, EventTally, PastTally
from massmail_plugin.outcomes.event_rows import NewEvent
from massmail_plugin.portable_sql import dialect, hour_of, moment_text, one_of, records, upsert_of
from massmail_plugin.vocabulary import EventKind, Outcome

ALL_LINKS = 0
READ = Outcome.READ
"""The tally of mails that a person read, whichever of READING said so first; it counts mails alone."""
READING = frozenset({EventKind.OPEN, EventKind.CLICK, EventKind.REPLY})

Kind = EventKind | Outcome


Same = tuple[int, Kind, int]
"""What a person does for the first time once: mail, kind of event, and link or ALL_LINKS."""
Firsts = Mapping[Same, datetime]
Tally = Counter[tuple[int, Kind, int, datetime]]
"""Mailing, kind, link, hour -> number."""


def earlier_firsts(host: Host, events: Iterable[NewEvent]) -> Firsts:
    """When people did the same before, for the mails of these events; asked before the events are inserted."""
    people = [event for event in events if not event.machine_reason]
    if not people:
        return {}
    event = _EVENT.c
    mails, kinds = {one.message_id for one in people}, {one.kind for one in people}
    kinds |= READING if kinds & READING else set()
    same = one_of(event.message_id, sorted(mails)), event.kind.in_(sorted(kinds)), event.by_machine.is_(False)
    query = (
        select(event.message_id, event.kind, event.link_id, func.min(event.at))
        .where(*same)
        .group_by(event.message_id, event.kind, event.link_id)
    )
    firsts: dict[Same, datetime] = {}
    for message_id, kind, link_id, at in host.session.execute(query):
        for key in _firsts(message_id, EventKind(kind), link_id):
            firsts[key] = min(at, firsts.get(key, at))
    return firsts


def _firsts(message_id: int, kind: EventKind, link_id: int | None) -> list[Same]:
    """What an event of a person may be the first of."""
    found: list[Same] = [(message_id, kind, ALL_LINKS)]
    if link_id is not None:
        found.append((message_id, kind, link_id))
    if kind in READING:
        found.append((message_id, READ, ALL_LINKS))
    return found


def _links(link_id: int | None) -> tuple[int, ...]:
    return (ALL_LINKS,) if link_id is None else (ALL_LINKS, link_id)


class Tallying:
    """Counts new events one by one, then adds them all to the tallies."""

    def __init__(self, mailings: Mapping[int, int], before: Firsts) -> None:
        """`mailings` knows the mailing of each mail, `before` is what `earlier_firsts` said."""
        self._mailings = mailings
        self._before = before
        self._hits, self._by_machine = Tally(), Tally()
        self._firsts: dict[Same, tuple[datetime, datetime]] = {}

    def add(self, event: NewEvent) -> None:
        """Count one."""
        kind, at, hour = event.kind, event.at, _hour(event.at)
        of_whom = self._by_machine if event.machine_reason else self._hits
        for link in _links(event.link_id):
            of_whom[self._mailings[event.message_id], kind, link, hour] += 1
        if not event.machine_reason:
            for same in _firsts(event.message_id, kind, event.link_id):
                if same not in self._firsts or at < self._firsts[same][0]:
                    self._firsts[same] = at, hour

    def write(self, host: Host) -> None:
        """Add what was counted."""
        mails = Tally()
        for same, (at, hour) in self._firsts.items():
            message_id, kind, link = same
            known, mailing_id = self._before.get(same), self._mailings[message_id]
            if known is None or at < known:
                mails[mailing_id, kind, link, hour] += 1
            if known is not None and at < known:
                mails[mailing_id, kind, link, _hour(known)] -= 1
        _add(host, self._hits, self._by_machine, mails)


def tally_anew(
    host: Host, mailing_id: int, turned: Iterable[NewEvent], before: Iterable[NewEvent], after: Iterable[NewEvent]
) -> None:
    """Set the tallies right after events of people became machines' or the other way.

    `turned` are these events with their new reason; `before` and `after` are the first events of people, by kind and
    link, that their mails had and have now.
    """
    hits, by_machine, mails = Tally(), Tally(), Tally()
    for event in turned:
        more = -1 if event.machine_reason else 1
        for link in _links(event.link_id):
            hits[mailing_id, event.kind, link, _hour(event.at)] += more
            by_machine[mailing_id, event.kind, link, _hour(event.at)] -= more
    for some, more in ((before, -1), (after, 1)):
        firsts: dict[Same, datetime] = {}
        for event in some:
            for same in _firsts(event.message_id, event.kind, event.link_id):
                firsts[same] = min(event.at, firsts.get(same, event.at))
        for same, at in firsts.items():
            _, kind, link = same
            mails[mailing_id, kind, link, _hour(at)] += more
    _add(host, hits, by_machine, mails)


def _hour(at: datetime) -> datetime:
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return utc.replace(minute=0, second=0, microsecond=0)


def _add(host: Host, hits: Tally, by_machine: Tally, mails: Tally) -> None:
    name = dialect(host).name
    rows = [
        {
            "mailing_id": mailing_id,
            "kind": kind.value,
            "link_id": link_id,
            "hour": moment_text(name, hour),
            "hits": hits[key],
            "machine_hits": by_machine[key],
            "mails": mails[key],
        }
        for key in sorted({*hits, *by_machine, *mails})
        for mailing_id, kind, link_id, hour in [key]
    ]
    if rows:
        host.session.execute(_adding(name), {"rows": json.dumps(rows)})


_EVENT, _TALLY, _PAST = (cast(Table, model.__table__) for model in (Event, EventTally, PastTally))
BACK_IN = "back_in"
"""Of `PastTally`: mails through which somebody opted out, and took all of it back."""
_COUNTS = ("hits", "machine_hits", "mails")
_NAMES = [part.name for part in _TALLY.c]


@cache
def _adding(dialect_name: str) -> Any:
    given = records(dialect_name, "rows", {part.name: part.type for part in _TALLY.c})
    new = upsert_of(dialect_name, _TALLY).from_select(_NAMES, select(given).where(true()), include_defaults=False)
    added = {name: _TALLY.c[name] + new.excluded[name] for name in _COUNTS}
    return new.on_conflict_do_update(index_elements=list(_TALLY.primary_key), set_=added)


# --- Counting anew --------------------------------------------------------------------------------------------


def count_again(host: Host, mailing_id: int) -> None:
    """Write the tallies of a mailing anew from its events and from what is kept of those that were deleted.

    The caller holds `one_at_a_time` of all that changes.
    """
    host.session.execute(delete(_TALLY).where(_TALLY.c.mailing_id == mailing_id))
    rows = recount(dialect(host).name, mailing_id).subquery("counted")
    counted = select(rows).where(true())
    host.session.execute(insert(_TALLY).from_select(_NAMES, counted, include_defaults=False))
    past = select(*(_PAST.c[name] for name in _NAMES)).where(_PAST.c.mailing_id == mailing_id, _PAST.c.kind != BACK_IN)
    new = upsert_of(dialect(host).name, _TALLY).from_select(_NAMES, past, include_defaults=False)
    added = {name: _TALLY.c[name] + new.excluded[name] for name in _COUNTS}
    host.session.execute(new.on_conflict_do_update(index_elements=list(_TALLY.primary_key), set_=added))


def recount(dialect_name: str, mailing_id: int, messages: Select[Any] | None = None) -> Select[Any]:
    """The tallies of a mailing as its events say: rows with the columns of `EventTally`.

    With `messages`, ids of some of its mails, as the events of these say.
    """
    event = _EVENT.c
    of_mailing = event.mailing_id == mailing_id
    if messages is not None:
        of_mailing = of_mailing & event.message_id.in_(messages)
    person, machine = (case((event.by_machine.is_(which), 1), else_=0) for which in (False, True))
    parts = []
    for link in (literal(ALL_LINKS), event.link_id):
        which = (of_mailing, link.is_not(None)) if link is event.link_id else (of_mailing,)
        hour = hour_of(dialect_name, event.at)
        parts.append(
            select(
                event.kind,
                link.label("link_id"),
                hour.label("hour"),
                person.label("hits"),
                machine.label("machine_hits"),
                literal(0).label("mails"),
            ).where(*which)
        )
        first = (
            select(event.kind, link.label("link_id"), func.min(event.at).label("at"))
            .where(*which, event.by_machine.is_(False))
            .group_by(event.message_id, event.kind, *([link] if link is event.link_id else []))
            .subquery()
        ).c
        parts.append(
            select(first.kind, first.link_id, hour_of(dialect_name, first.at), literal(0), literal(0), literal(1))
        )
    reading = event.kind.in_(sorted(READING))
    read = (
        select(func.min(event.at).label("at"))
        .where(of_mailing, reading, event.by_machine.is_(False))
        .group_by(event.message_id)
        .subquery()
    ).c
    read_at, none = hour_of(dialect_name, read.at), literal(0)
    parts.append(select(literal(READ.value), literal(ALL_LINKS), read_at, none, none, literal(1)))
    each = union_all(*parts).subquery("each").c
    sums = (func.sum(each[name]).label(name) for name in _COUNTS)
    return select(literal(mailing_id).label("mailing_id"), each.kind, each.link_id, each.hour, *sums).group_by(
        each.kind, each.link_id, each.hour
    )
