"""Counts everything that is kept beside the rows once more, from the rows alone. Upkeep enters; reads only, but for
`set_right`, which flushes.

Chunks that are about to be counted, and events that are about to be looked at, are no fault: they are left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select

from massmail_plugin import outbox
from massmail_plugin.contracts import Host
from massmail_plugin.mailings.statistics.roll_up import count_anew
from massmail_plugin.mailings.statistics.shares import shares
from massmail_plugin.mailings.statistics.sums import add_up
from massmail_plugin.models import (
    BREAKDOWN_COUNTS,
    Breakdown,
    Chunk,
    ChunkShare,
    Event,
    EventTally,
    OutboxMessage,
    PastTally,
    RollUp,
)
from massmail_plugin.outcomes import tallies
from massmail_plugin.outcomes.events import one_at_a_time
from massmail_plugin.portable_sql import dialect
from massmail_plugin.vocabulary import EventKind, MessageState

AT_ONCE = 50
Numbers = dict[Any, tuple[int, ...]]


@dataclass(frozen=True)
class Difference:
    """A number that is not what its rows say: where it is kept, and both."""

    mailing_id: int
    kept_in: str
    what: str
    kept: Any
    counted: Any


def differences(host: Host, mailing_id: int) -> list[Difference]:
    """Every number of a mailing that a recount contradicts."""
    return [
        *_chunks(host, mailing_id),
        *_tallies(host, mailing_id),
        *_shares(host, mailing_id),
        *_sums(host, mailing_id),
    ]


def set_right(host: Host, mailing_id: int) -> None:
    """Write the numbers of a mailing anew from its rows; the breakdown follows when the roll-up comes by."""
    outbox.lock_mailing(host, mailing_id)
    outbox.recount(host, mailing_id)
    one_at_a_time(host, {(mailing_id, kind) for kind in EventKind})
    tallies.count_again(host, mailing_id)
    add_up(host, mailing_id)
    count_anew(host, mailing_id)


def _chunks(host: Host, mailing_id: int) -> Iterator[Difference]:
    """The counters that workers write, chunk by chunk; chunks without rows count nothing, but for forgotten ones."""
    states = [state.value for state in MessageState]
    row = OutboxMessage
    sums = (func.sum(case((row.state == state, 1), else_=0)).label(state) for state in states)
    query = select(row.chunk, *sums).where(row.mailing_id == mailing_id).group_by(row.chunk)
    counted = {number: dict(zip(states, numbers, strict=True)) for number, *numbers in host.session.execute(query)}
    kept = select(Chunk).where(Chunk.mailing_id == mailing_id, Chunk.forgotten.is_(False)).order_by(Chunk.number)
    for chunk in host.session.scalars(kept):
        expected = counted.pop(chunk.number, dict.fromkeys(states, 0))
        for state in states:
            if getattr(chunk, state) != expected[state]:
                yield Difference(
                    mailing_id, "chunk", f"{chunk.number}: {state}", getattr(chunk, state), expected[state]
                )
    for number in sorted(counted):
        yield Difference(mailing_id, "chunk", f"{number}", "missing", "rows without a chunk")


def _tallies(host: Host, mailing_id: int) -> Iterator[Difference]:
    """Hits and mails by kind, link and hour; a row of zeros is as good as none. Deleted events count as they did."""
    names = "hits", "machine_hits", "mails"
    kept_rows = select(EventTally.kind, EventTally.link_id, EventTally.hour, *(getattr(EventTally, n) for n in names))
    kept = _by_key(host.session.execute(kept_rows.where(EventTally.mailing_id == mailing_id)).all())
    again = tallies.recount(dialect(host).name, mailing_id).subquery().c
    counted_rows = select(again.kind, again.link_id, again.hour, *(again[name] for name in names))
    past_rows = select(PastTally.kind, PastTally.link_id, PastTally.hour, *(getattr(PastTally, n) for n in names))
    past_rows = past_rows.where(PastTally.mailing_id == mailing_id, PastTally.kind != tallies.BACK_IN)
    counted = _together(
        _by_key(host.session.execute(counted_rows).all()), _by_key(host.session.execute(past_rows).all())
    )
    for key in sorted({*kept, *counted}):
        one, other = kept.get(key, (0, 0, 0)), counted.get(key, (0, 0, 0))
        if one != other:
            kind, link_id, hour = key
            what = f"{kind} {f'of link {link_id} ' if link_id else ''}in {hour:%Y-%m-%d %H:%M}: {', '.join(names)}"
            yield Difference(mailing_id, "tally", what, one, other)


def _by_key(rows: Sequence[Any]) -> Numbers:
    return {tuple(row[:3]): tuple(map(int, row[3:])) for row in rows if any(row[3:])}


def _together(one: Numbers, other: Numbers) -> Numbers:
    nothing = (0, 0, 0)
    return {
        key: tuple(a + b for a, b in zip(one.get(key, nothing), other.get(key, nothing), strict=True))
        for key in {*one, *other}
    }


def _shares(host: Host, mailing_id: int) -> Iterator[Difference]:
    """The share of every chunk that is up to date against its rows; of those that were deleted it is what is left."""
    touched = _touched_since(host, mailing_id)
    query = (
        select(ChunkShare.chunk_id, ChunkShare.numbers)
        .join(Chunk, Chunk.id == ChunkShare.chunk_id)
        .where(ChunkShare.mailing_id == mailing_id, ChunkShare.stale.is_(False), Chunk.uncounted.is_(False))
        .where(Chunk.forgotten.is_(False))
        .order_by(ChunkShare.chunk_id)
    )
    kept = [row for row in host.session.execute(query) if row.chunk_id not in touched]
    for start in range(0, len(kept), AT_ONCE):
        some = kept[start : start + AT_ONCE]
        again = shares(host, [row.chunk_id for row in some])
        for row in some:
            if row.numbers != again[row.chunk_id]:
                yield Difference(mailing_id, "share", f"chunk {row.chunk_id}", row.numbers, again[row.chunk_id])


def _touched_since(host: Host, mailing_id: int) -> set[int]:
    """The chunks with events that the roll-up has not looked at."""
    looked_at = select(func.coalesce(func.max(RollUp.counted_to), 0)).scalar_subquery()
    here = (Chunk.mailing_id == OutboxMessage.mailing_id) & (Chunk.number == OutboxMessage.chunk)
    query = select(Chunk.id).join(OutboxMessage, here).join(Event, Event.message_id == OutboxMessage.id)
    return set(host.session.scalars(query.where(Event.mailing_id == mailing_id, Event.id > looked_at).distinct()))


def _sums(host: Host, mailing_id: int) -> Iterator[Difference]:
    """The breakdown against the sum of the shares."""
    rows = host.session.scalars(select(Breakdown).where(Breakdown.mailing_id == mailing_id))
    kept = {f"{row.by}:{row.name}": [getattr(row, name) for name in BREAKDOWN_COUNTS] for row in rows}
    added: dict[str, list[int]] = {}
    for numbers in host.session.scalars(select(ChunkShare.numbers).where(ChunkShare.mailing_id == mailing_id)):
        for key, counts in numbers.items():
            added[key] = [a + b for a, b in zip(added.get(key, [0] * len(counts)), counts, strict=True)]
    nothing = [0] * len(BREAKDOWN_COUNTS)
    for key in sorted({*kept, *added}):
        if kept.get(key, nothing) != added.get(key, nothing):
            yield Difference(mailing_id, "breakdown", key, kept.get(key), added.get(key))
