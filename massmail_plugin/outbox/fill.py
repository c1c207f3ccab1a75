"""An audience becomes outbox rows and chunks, by set-based SQL in one transaction: a process that dies leaves nothing
half done. Mailings and campaigns enter; jobs commit.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Select, case, func, insert, literal, select, text
from sqlalchemy.exc import IntegrityError

from massmail_plugin.audience.funnel.sieve import bytewise
from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, Mailing, OutboxMessage
from massmail_plugin.outbox.lock import lock_mailing
from massmail_plugin.portable_sql import changed, dialect, insert_new, room_to_sort
from massmail_plugin.vocabulary import MessageState, Priority

MANY = 10_000
_LEARN = text(f"ANALYZE {OutboxMessage.__tablename__} (mailing_id, chunk, contact_source, contact_key, dedup_key)")


def fill(host: Host, mailing: Mailing, recipients: Select[Any], *, due_at: datetime, occurrence: int = 0) -> int:
    """Write a row for each of `recipients` that has none yet; the number of new rows.

    `recipients` has the columns contact_source, contact_key, address_role, channel, address, dedup_key, list_id and
    skip_reason (NULL for those who get the mail). Running it again adds nobody twice: the keys of the table forbid it.
    """
    lock_mailing(host, mailing.id)
    room_to_sort(host)
    first_chunk = _next_chunk(host, mailing)
    columns = _columns(host, mailing, recipients, first_chunk, due_at, occurrence)
    added = _insert(host, list(columns), select(*columns.values()).where(literal(True)), alone=first_chunk == 0)
    if dialect(host).name == "postgresql" and added >= MANY:
        # What follows in this transaction, and the first workers, plan by statistics that would not know of these rows.
        host.session.execute(_LEARN)
    _open_chunks(host, mailing, first_chunk)
    return added


def _columns(
    host: Host, mailing: Mailing, recipients: Select[Any], first_chunk: int, due_at: datetime, occurrence: int
) -> dict[str, Any]:
    """Numbered in the order of the keys, so that the rows of a chunk, and their contacts, lie together on the disk."""
    found = recipients.subquery("recipients")
    number = (
        func.row_number(type_=Integer()).over(order_by=(bytewise(host, found.c.contact_key), found.c.address_role)) - 1
    )
    goes = found.c.skip_reason.is_(None)
    return {
        "mailing_id": literal(mailing.id),
        "chunk": first_chunk + number // host.config.chunk_size,
        "contact_source": found.c.contact_source,
        "contact_key": found.c.contact_key,
        "address_role": found.c.address_role,
        "occurrence": literal(occurrence),
        "channel": found.c.channel,
        "address": func.coalesce(found.c.address, ""),
        "dedup_key": case((goes, found.c.dedup_key)),
        "list_id": found.c.list_id,
        "state": case((goes, MessageState.PLANNED.value), else_=MessageState.SKIPPED.value),
        "reason": func.coalesce(found.c.skip_reason, ""),
        "attempts": literal(0),
        "crashes": literal(0),
        "due_at": case((goes, literal(due_at, OutboxMessage.due_at.type))),
        "reply_enhanced": literal(""),
        "reply_text": literal(""),
    }


def _insert(host: Host, names: Sequence[str], rows: Select[Any], *, alone: bool) -> int:
    """`alone`: the mailing has no rows yet, so that nothing can be in the way, and looking for it costs a third more.

    Should the recipients hold somebody twice after all, each is taken once.
    """
    if alone:
        try:
            with host.session.begin_nested():
                return changed(host, insert(OutboxMessage).from_select(names, rows, include_defaults=False))
        except IntegrityError:
            pass
    return changed(host, insert_new(host, OutboxMessage).from_select(names, rows, include_defaults=False))


def _next_chunk(host: Host, mailing: Mailing) -> int:
    query = select(func.coalesce(func.max(Chunk.number) + 1, 0)).where(Chunk.mailing_id == mailing.id)
    return int(host.session.scalar(query) or 0)


def _open_chunks(host: Host, mailing: Mailing, first: int) -> None:
    """A chunk for each number the new rows carry, counted in the same pass: what has a time to go at is planned."""
    message = OutboxMessage
    columns: dict[str, Any] = {
        "mailing_id": literal(mailing.id),
        "number": message.chunk,
        "priority": literal(int(Priority.TEST if mailing.is_test else Priority.BULK)),
        "crashes": literal(0),
        "due_at": func.min(message.due_at),
        **{state.value: literal(0) for state in MessageState},
        MessageState.PLANNED.value: func.count(message.due_at),
        MessageState.SKIPPED.value: func.count() - func.count(message.due_at),
    }
    rows = select(*columns.values()).where(message.mailing_id == mailing.id, message.chunk >= first)
    changed(host, insert(Chunk).from_select(list(columns), rows.group_by(message.chunk), include_defaults=False))
