"""Changes the verdict over hits that are kept, and everything that followed from the old one.

Whoever judged them anew enters and commits, under `one_at_a_time` of the mailing since before it read them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import astuple, dataclass, replace
from typing import Any, cast

from sqlalchemy import Table, delete, func, select, update

from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, ChunkShare, Event, OutboxMessage, OutcomeReport
from massmail_plugin.outcomes import NewEvent
from massmail_plugin.outcomes.events import report_meaning
from massmail_plugin.outcomes.tallies import READING, tally_anew
from massmail_plugin.portable_sql import changed, one_of
from massmail_plugin.vocabulary import EventKind, Outcome, ReportState

_EVENT = cast(Table, Event.__table__)
_NEEDS = {Outcome.READ: READING, Outcome.CLICKED: frozenset({EventKind.CLICK})}
"""Which events of people, any of them, an outcome follows from."""


@dataclass(frozen=True)
class Correction:
    """What came of judging hits anew: numbers of hits, then of outcomes."""

    to_people: int = 0
    to_machines: int = 0
    renamed: int = 0
    """Hits by a machine as before, but for another reason."""
    reported: int = 0
    """Outcomes the host now hears of."""
    withdrawn: int = 0
    """Outcomes the host was about to hear of, and does not."""
    told: int = 0
    """Outcomes the host has heard of, and would not hear of now; what it made of them stays."""

    def __add__(self, other: "Correction") -> "Correction":
        return Correction(*map(sum, zip(astuple(self), astuple(other), strict=True)))


def correct(host: Host, mailing_id: int, verdicts: Mapping[int, str]) -> Correction:
    """Give hits of a mailing, by the ids of their events, new reasons why they are a machine's; "" means a person's.

    Their tallies, the shares of the statistics, and the reports nobody has heard of follow. Flushes only.
    """
    old = _events(host, verdicts)
    new = {event_id: replace(event, machine_reason=verdicts[event_id]) for event_id, event in old.items()}
    turned = [new[one] for one in new if bool(new[one].machine_reason) != bool(old[one].machine_reason)]
    mails = sorted({event.message_id for event in turned})
    before = _firsts(host, mails)
    _write(host, verdicts)
    after = _firsts(host, mails)
    tally_anew(host, mailing_id, turned, before, after)
    _count_shares_again(host, sorted({event.message_id for event in new.values()}))
    to_machines = [event for event in turned if event.machine_reason]
    hits = Correction(len(turned) - len(to_machines), len(to_machines), len(new) - len(turned))
    if not mails:
        return hits
    return hits + _correct_reports(host, mails, {event.message_id for event in to_machines}, after)


def _events(host: Host, ids: Iterable[int]) -> dict[int, NewEvent]:
    event = _EVENT.c
    columns = event.id, event.message_id, event.kind, event.link_id, event.at, event.by_machine, event.machine_reason
    return {
        row.id: NewEvent(
            message_id=row.message_id,
            kind=EventKind(row.kind),
            at=row.at,
            link_id=row.link_id,
            machine_reason=row.machine_reason if row.by_machine else "",
        )
        for row in host.session.execute(select(*columns).where(one_of(event.id, sorted(ids))))
    }


def _write(host: Host, verdicts: Mapping[int, str]) -> None:
    by_reason: dict[str, list[int]] = defaultdict(list)
    for event_id, reason in verdicts.items():
        by_reason[reason].append(event_id)
    for reason, ids in sorted(by_reason.items()):
        values = {"by_machine": bool(reason), "machine_reason": reason}
        changed(host, update(_EVENT).where(one_of(_EVENT.c.id, sorted(ids))).values(**values))


def _firsts(host: Host, message_ids: Collection[int]) -> list[NewEvent]:
    """The first event of a person at each link of each mail, of every kind that says it was read."""
    if not message_ids:
        return []
    event = _EVENT.c
    by_people = event.kind.in_(sorted(READING)), event.by_machine.is_(False)
    groups = event.message_id, event.kind, event.link_id
    query = select(*groups, func.min(event.at)).where(one_of(event.message_id, sorted(message_ids)), *by_people)
    return [
        NewEvent(message_id=message_id, kind=EventKind(kind), link_id=link_id, at=at)
        for message_id, kind, link_id, at in host.session.execute(query.group_by(*groups))
    ]


def _correct_reports(
    host: Host, mails: Collection[int], doubtful: Collection[int], firsts: Iterable[NewEvent]
) -> Correction:
    """Write anew what was not told yet of `mails`; count what was told of the `doubtful` ones and is not so now."""
    before = _waiting(host, mails)
    of_mails = one_of(OutcomeReport.message_id, sorted(mails)), OutcomeReport.outcome.in_(_OUTCOMES)
    changed(host, delete(OutcomeReport).where(*of_mails, _WAITING))
    report_meaning(host, firsts)
    after = _waiting(host, mails)
    there = {(event.message_id, event.kind) for event in firsts}
    told = sum(
        message_id in doubtful and not any((message_id, kind) in there for kind in _NEEDS[Outcome(outcome)])
        for message_id, outcome, _ in host.session.execute(_KEYS.where(*of_mails, ~_WAITING))
    )
    return Correction(reported=len(after - before), withdrawn=len(before - after), told=told)


def _waiting(host: Host, mails: Collection[int]) -> set[Any]:
    of_mails = one_of(OutcomeReport.message_id, sorted(mails)), OutcomeReport.outcome.in_(_OUTCOMES)
    return {tuple(key) for key in host.session.execute(_KEYS.where(*of_mails, _WAITING))}


_KEYS = select(OutcomeReport.message_id, OutcomeReport.outcome, OutcomeReport.turn)
_WAITING = OutcomeReport.state == ReportState.WAITING.value
_OUTCOMES = [outcome.value for outcome in _NEEDS]


def _count_shares_again(host: Host, message_ids: Collection[int]) -> None:
    message, here = OutboxMessage, Chunk.mailing_id == OutboxMessage.mailing_id
    chunks = select(Chunk.id).join(message, here & (Chunk.number == message.chunk))
    touched = ChunkShare.chunk_id.in_(chunks.where(one_of(message.id, sorted(message_ids))))
    changed(host, update(ChunkShare).where(touched).values(stale=True))
