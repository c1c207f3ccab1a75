"""Keeps the numbers by domain, list and reason up to date, outside the path of sending and of hits.

The scheduler enters with some seconds to spend. A chunk is counted once its rows rest, and again when they or their
events changed; the difference to its last share goes into the mailing's numbers in the same commit. So it may be
stopped anywhere, run twice, and is exact. Commits by itself.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, update

from massmail_plugin import leases
from massmail_plugin.contracts import Host
from massmail_plugin.mailings.statistics.shares import shares
from massmail_plugin.mailings.statistics.sums import Totals, add_difference, write
from massmail_plugin.models import (
    Breakdown,
    Chunk,
    ChunkShare,
    Event,
    EventTally,
    Mailing,
    OutboxMessage,
    RollUp,
)
from massmail_plugin.portable_sql import changed, dialect, one_of, upsert
from massmail_plugin.vocabulary import BreakdownBy, EventKind, MailingState

LEASE = "statistics"
LEASE_SECONDS = 120
AT_ONCE = 20
"""Chunks counted in one transaction: other transactions that change one of them wait so long."""
EVENTS_AT_ONCE = 50_000
SETTLING = timedelta(seconds=30)
"""An event is looked at so long after a higher id was seen: by then its transaction has ended."""
PROVED_EVERY = timedelta(minutes=10)
NAME = "events"


def catch_up(host: Host, *, seconds: float = 4.0, settling: timedelta = SETTLING) -> int:
    """Count what changed, for about `seconds`; the number of chunks counted.

    One process at a time does it; the others return at once.
    """
    end = time.monotonic() + seconds
    if not leases.take(host, LEASE, seconds=LEASE_SECONDS):
        return 0
    try:
        _look_at_events(host, settling)
        counted = 0
        while some := _count_some(host):
            counted += some
            if time.monotonic() > end:
                return counted
        _prove(host)
        return counted
    finally:
        host.session.rollback()
        leases.give_back(host, LEASE)


def count_anew(host: Host, mailing_id: int) -> None:
    """Let every share of a mailing be counted again, such as after its events were judged anew. The caller commits.

    All but those of chunks whose messages were deleted for their age.
    """
    forgotten = select(Chunk.id).where(Chunk.mailing_id == mailing_id, Chunk.forgotten)
    again = ChunkShare.mailing_id == mailing_id, ChunkShare.chunk_id.not_in(forgotten)
    changed(host, update(ChunkShare).where(*again).values(stale=True))


# --- which shares events make stale ---


def _look_at_events(host: Host, settling: timedelta) -> None:
    """Mark the chunks of all events that are surely committed."""
    mark, now = _mark(host), host.clock()
    newest = host.session.scalar(select(func.max(Event.id))) or 0
    one_writer = dialect(host).name == "sqlite"
    if one_writer or now - mark.seen_at >= settling:
        upto = newest if one_writer or not settling else mark.seen
        while mark.counted_to < upto:
            last = min(mark.counted_to + EVENTS_AT_ONCE, upto)
            _make_stale(host, Event.id > mark.counted_to, Event.id <= last)
            mark.counted_to = last
            host.session.commit()
        mark.seen, mark.seen_at = newest, now
    host.session.commit()


def _mark(host: Host) -> RollUp:
    """Where the last look ended."""
    mark = host.session.get(RollUp, NAME)
    if mark is None:
        now, newest = host.clock(), host.session.scalar(select(func.max(Event.id))) or 0
        mark = RollUp(name=NAME, counted_to=0, seen=newest, seen_at=now, proved_at=now)
        host.session.add(mark)
    return mark


def _make_stale(host: Host, *which: ColumnElement[bool]) -> None:
    """The shares of the chunks whose messages these events are about."""
    message = (Chunk.mailing_id == OutboxMessage.mailing_id) & (Chunk.number == OutboxMessage.chunk)
    touched = (
        select(Chunk.id).join(OutboxMessage, message).join(Event, Event.message_id == OutboxMessage.id).where(*which)
    )
    changed(
        host, update(ChunkShare).where(ChunkShare.stale.is_(False), ChunkShare.chunk_id.in_(touched)).values(stale=True)
    )


# --- counting chunks ---


def _count_some(host: Host) -> int:
    """Count up to AT_ONCE chunks, in one transaction; how many there were."""
    ids = _changed_chunks(host) or _stale_chunks(host)
    if ids:
        _count(host, ids)
    host.session.commit()
    return len(ids)


def _changed_chunks(host: Host) -> list[int]:
    """Chunks at rest whose rows changed: not in a worker's hands nor about to be, and begun.

    They are held until the commit, those that somebody else holds are left for later.
    """
    now = leases.database_now(host)
    begun = Chunk.due_at.is_(None) | (
        Chunk.deferred + Chunk.sent + Chunk.refused + Chunk.uncertain + Chunk.cancelled > 0
    )
    rests = or_(Chunk.due_at.is_(None), Chunk.due_at > now, Mailing.state != MailingState.SENDING.value)
    query = (
        select(Chunk.id)
        .join(Mailing, Mailing.id == Chunk.mailing_id)
        .where(Chunk.uncounted, Chunk.leased_by.is_(None), and_(begun, rests))
        .order_by(Chunk.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True, of=Chunk)
    )
    ids = list(host.session.scalars(query))
    if ids:
        changed(host, update(Chunk).where(Chunk.id.in_(ids)).values(uncounted=False))
    return ids


def _stale_chunks(host: Host) -> list[int]:
    query = select(ChunkShare.chunk_id).where(ChunkShare.stale).order_by(ChunkShare.chunk_id).limit(AT_ONCE)
    return list(host.session.scalars(query))


def _count(host: Host, ids: Sequence[int]) -> None:
    """Write the shares of these chunks, and what they changed into the numbers of their mailings."""
    mailing_of = dict(host.session.execute(select(Chunk.id, Chunk.mailing_id).where(one_of(Chunk.id, ids))).all())
    kept = select(ChunkShare.chunk_id, ChunkShare.numbers).where(one_of(ChunkShare.chunk_id, ids))
    before = dict(host.session.execute(kept).all())
    now_found = shares(host, list(mailing_of))
    totals: Totals = Counter()
    for chunk_id, mailing_id in mailing_of.items():
        add_difference(totals, mailing_id, before.get(chunk_id, {}), now_found[chunk_id])
    write(host, totals)
    new, at = upsert(host, ChunkShare), host.clock()
    values = {"stale": False, "numbers": new.excluded.numbers, "counted_at": new.excluded.counted_at}
    rows = [
        {"chunk_id": one, "mailing_id": mailing_id, "stale": False, "numbers": now_found[one], "counted_at": at}
        for one, mailing_id in mailing_of.items()
    ]
    host.session.execute(new.on_conflict_do_update(index_elements=[ChunkShare.chunk_id], set_=values), rows)


# --- holding the sums against the tallies ---


def _prove(host: Host) -> None:
    """Count those mailings anew that do not have the events their tallies speak of.

    It happens where a transaction took longer than SETTLING, or events were deleted or judged anew.
    """
    now, mark = host.clock(), host.session.get_one(RollUp, NAME)
    if now - mark.proved_at < PROVED_EVERY:
        return
    for mailing_id in _unlike_their_tallies(host, mark.counted_to):
        count_anew(host, mailing_id)
    mark.proved_at = now
    host.session.commit()


def _unlike_their_tallies(host: Host, counted_to: int) -> list[int]:
    """Mailings at rest whose breakdown counts other events than their tallies."""
    tallied = _tallied(host)
    all_of_it = select(Breakdown.mailing_id, Breakdown.hits, Breakdown.machine_hits).where(
        Breakdown.by == BreakdownBy.ALL
    )
    counted = {row[0]: (row[1], row[2]) for row in host.session.execute(all_of_it)}
    moving = set(host.session.scalars(select(Event.mailing_id).where(Event.id > counted_to).distinct()))
    moving |= set(host.session.scalars(select(Chunk.mailing_id).where(Chunk.uncounted).distinct()))
    unlike = {one for one, hits in counted.items() if hits != tallied.get(one, (0, 0))}
    return sorted(unlike - moving)


def _tallied(host: Host) -> Mapping[int, tuple[int, int]]:
    sums = select(EventTally.mailing_id, func.sum(EventTally.hits), func.sum(EventTally.machine_hits))
    kinds = EventTally.kind.in_([kind.value for kind in EventKind])
    query = sums.where(EventTally.link_id == literal(0), kinds).group_by(EventTally.mailing_id)
    return {
        mailing_id: (int(hits), int(machine_hits)) for mailing_id, hits, machine_hits in host.session.execute(query)
    }
