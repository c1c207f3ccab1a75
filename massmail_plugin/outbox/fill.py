"""An audience becomes outbox rows and chunks, by set-based SQL in one transaction.

Mailings and campaigns enter; jobs commit.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, insert, literal, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, Mailing, OutboxMessage
from massmail_plugin.outbox.counters import recount
from massmail_plugin.outbox.lock import lock_mailing
from massmail_plugin.portable_sql import changed, insert_new
from massmail_plugin.vocabulary import MessageState


def fill(host: Host, mailing: Mailing, recipients: Select[Any], *, due_at: datetime, occurrence: int = 0) -> int:
    """Write a row for each of `recipients` that has none yet; the number of new rows.

    `recipients` has the columns contact_source, contact_key, address_role, channel, address, dedup_key, list_id and
    skip_reason (NULL for those who get the mail). Running it again adds nobody twice: the keys of the table forbid it.
    """
    lock_mailing(host, mailing.id)
    found = recipients.subquery("recipients")
    first_chunk = _next_chunk(host, mailing)
    number = func.row_number().over(order_by=(found.c.contact_key, found.c.address_role)) - 1
    goes = found.c.skip_reason.is_(None)
    columns = {
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
        "due_at": case((goes, literal(due_at, OutboxMessage.due_at.type))),
        "reply_enhanced": literal(""),
        "reply_text": literal(""),
    }
    rows = select(*columns.values()).where(literal(True))
    added = changed(host, insert_new(host, OutboxMessage).from_select(list(columns), rows))
    _open_chunks(host, mailing, first_chunk)
    return added


def _next_chunk(host: Host, mailing: Mailing) -> int:
    query = select(func.coalesce(func.max(Chunk.number) + 1, 0)).where(Chunk.mailing_id == mailing.id)
    return int(host.session.scalar(query) or 0)


def _open_chunks(host: Host, mailing: Mailing, first: int) -> None:
    """A chunk for each number the new rows carry; its counters come from its rows."""
    zero = {name: literal(0) for name in (state.value for state in MessageState)}
    numbers = (
        select(literal(mailing.id), OutboxMessage.chunk, *zero.values())
        .where(OutboxMessage.mailing_id == mailing.id, OutboxMessage.chunk >= first)
        .group_by(OutboxMessage.chunk)
    )
    changed(host, insert(Chunk).from_select(["mailing_id", "number", *zero], numbers))
    recount(host, mailing.id, from_number=first)
