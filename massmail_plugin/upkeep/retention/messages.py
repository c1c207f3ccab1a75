"""Old mails: whole chunks go, with their events, outcomes and kept values. The numbers stay, and so do the links to opt
out. The run enters and commits.

A chunk goes once its mailing ended so long ago (of a campaign's step: once it and what came before it are so old),
nothing of it is on its way, and the statistics have counted it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Select, Table, and_, delete, exists, func, or_, select, update

from massmail_plugin import outbox
from massmail_plugin.consent.stops.address_hashes import address_hash
from massmail_plugin.contracts import Host
from massmail_plugin.models import (
    Chunk,
    ChunkShare,
    Event,
    KeptValues,
    Mailing,
    OutboxMessage,
    OutcomeReport,
    PastMessage,
    RollUp,
)
from massmail_plugin.outcomes.events import one_at_a_time
from massmail_plugin.outcomes.past_tallies import put_by
from massmail_plugin.portable_sql import changed, insert_many
from massmail_plugin.upkeep.retention.rows import Slice
from massmail_plugin.vocabulary import NOBODY, EventKind, MailingKind, MailingState, MessageState, ReportState

AT_ONCE = 4
"""Chunks in one transaction."""
_ENDED = (MailingState.FINISHED.value, MailingState.CANCELLED.value)
_UNTOLD = (ReportState.WAITING.value, ReportState.UNTOLD.value)
_NAMES = ("id", "mailing_id", "contact_source", "contact_key", "address_role", "address_hash")
_OF_CHUNK = (OutboxMessage.mailing_id == Chunk.mailing_id) & (OutboxMessage.chunk == Chunk.number)


class _Old(NamedTuple):
    id: int
    mailing_id: int
    number: int


@dataclass(frozen=True)
class Messages:
    """Mails by the chunk."""

    name: str = "messages"
    label: str = "Mails, with opens, clicks and outcomes"

    def due(self, host: Host, end: datetime) -> int:
        rows: Any = sum((getattr(Chunk, state.value) for state in MessageState), start=0)
        return int(host.session.scalar(_old(end, 0).with_only_columns(func.coalesce(func.sum(rows), 0))) or 0)

    def forget(self, host: Host, end: datetime, after: int) -> Slice:
        found = [_Old(*row) for row in host.session.execute(_old(end, after).order_by(Chunk.id).limit(AT_ONCE))]
        forgotten = sum(_forget(host, chunk) for chunk in sorted(found, key=lambda one: one.mailing_id))
        return Slice(forgotten, found[-1].id if len(found) == AT_ONCE else None)


def _old(end: datetime, after: int) -> Select[Any]:
    """Chunks that may go, from the id `after` on."""
    rests = Chunk.due_at.is_(None) & Chunk.leased_by.is_(None) & Chunk.forgotten.is_(False)
    columns: list[Any] = [Chunk.id, Chunk.mailing_id, Chunk.number]
    return (
        select(*columns)
        .join(Mailing, Mailing.id == Chunk.mailing_id)
        .where(Chunk.id > after, rests, Mailing.launched_at < end, or_(_of_ended(end), _of_step(end)))
        .where(~exists().where(_OF_CHUNK, OutboxMessage.settled_at >= end), ~_on_the_way(), _counted())
    )


def _of_ended(end: datetime) -> ColumnElement[bool]:
    return and_(Mailing.state.in_(_ENDED), func.coalesce(Mailing.finished_at, Mailing.launched_at) < end)


def _of_step(end: datetime) -> ColumnElement[bool]:
    """A step never ends; who was skipped has no time, but what was filled after them does."""
    later = OutboxMessage.mailing_id == Chunk.mailing_id, OutboxMessage.chunk >= Chunk.number
    return and_(Mailing.kind == MailingKind.STEP.value, exists().where(*later, OutboxMessage.settled_at < end))


def _on_the_way() -> ColumnElement[bool]:
    """An outcome the host has not heard of yet."""
    return exists().where(_OF_CHUNK, OutcomeReport.message_id == OutboxMessage.id, OutcomeReport.state.in_(_UNTOLD))


def _counted() -> ColumnElement[bool]:
    """The statistics are through with its rows and with every event of them."""
    looked_at = select(func.coalesce(func.max(RollUp.counted_to), 0)).scalar_subquery()
    unseen = exists().where(_OF_CHUNK, Event.message_id == OutboxMessage.id, Event.id > looked_at)
    share = exists().where(ChunkShare.chunk_id == Chunk.id, ChunkShare.stale.is_(False))
    return and_(Chunk.uncounted.is_(False), share, ~unseen)


def _forget(host: Host, chunk: _Old) -> int:
    """Delete the messages of a chunk and all that hangs on them; how many messages there were."""
    outbox.lock_mailing(host, chunk.mailing_id)
    one_at_a_time(host, {(chunk.mailing_id, kind) for kind in EventKind})
    own = OutboxMessage.mailing_id == chunk.mailing_id, OutboxMessage.chunk == chunk.number
    ids = select(OutboxMessage.id).where(*own)
    rows = list(_past_messages(host, *own))
    if rows:
        insert_many(host, cast(Table, PastMessage.__table__), _NAMES, rows)
    put_by(host, chunk.mailing_id, ids)
    values = KeptValues.mailing_id == chunk.mailing_id, KeptValues.chunk == chunk.number
    changed(host, delete(KeptValues).where(*values))
    for model in (Event, OutcomeReport):
        changed(host, delete(model).where(model.message_id.in_(ids)))
    changed(host, update(Chunk).where(Chunk.id == chunk.id).values(forgotten=True))
    return changed(host, delete(OutboxMessage).where(*own))


def _past_messages(host: Host, *own: ColumnElement[bool]) -> Iterator[tuple[Any, ...]]:
    """What the links in mails need that have left, or may have."""
    message = OutboxMessage
    left = or_(message.handed_at.is_not(None), message.state.in_([MessageState.SENT, MessageState.UNCERTAIN]))
    who = message.id, message.mailing_id, message.contact_source, message.contact_key, message.address_role
    query = select(*who, message.address).where(*own, left, message.contact_key != NOBODY).order_by(message.id)
    for *columns, address in host.session.execute(query):
        yield (*columns, address_hash(host.config, address) if address else None)
