"""Contacts who want fewer mails: at most one in so many days. Who asked for it, and whom it is too soon for.

Public and admin enter and commit; filling and sending ask.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, exists, literal, or_, select
from sqlalchemy.orm import join

from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Chunk, Frequency, Mailing, OutboxMessage
from massmail_plugin.models.base import UtcDateTime
from massmail_plugin.portable_sql import changed, days_before, dialect, upsert
from massmail_plugin.vocabulary import UNCOUNTED, WAITING, MessageState

WEEKLY, MONTHLY = 7, 30
LONGEST = 365
_GOT = (MessageState.SENT.value, MessageState.UNCERTAIN.value)


def want_fewer(host: Host, contact: ContactRef, days: int, *, message_id: int | None = None) -> bool:
    """At most one mailing in `days` days goes to the contact from now on; True where that was news.

    `message_id` is the mail through which they said so. Raises BadRequest for fewer than 1 or more than 365 days.
    """
    if not 1 <= days <= LONGEST:
        raise BadRequest(f"Choose between 1 and {LONGEST} days.")
    if wanted_days(host, contact) == days:
        return False
    values = {"days": days, "since": host.clock(), "message_id": message_id}
    row = upsert(host, Frequency).values(contact_source=contact.source, contact_key=contact.key, **values)
    host.session.execute(row.on_conflict_do_update(index_elements=["contact_source", "contact_key"], set_=values))
    return True


def want_as_many(host: Host, contact: ContactRef) -> bool:
    """The contact takes back that they want fewer; True where they had said so."""
    return changed(host, delete(Frequency).where(*_of(contact))) > 0


def wanted_days(host: Host, contact: ContactRef) -> int | None:
    """In how many days the contact wants one mailing at the most; None where they said nothing of it."""
    return host.session.scalar(select(Frequency.days).where(*_of(contact)))


def too_soon(host: Host, source_name: str, *, at: datetime, mailing_id: int | None = None) -> Select[Any]:
    """The key texts of those contacts of a source who want fewer mails and got one within their time before `at`.

    `mailing_id` is the mailing that asks: its own mails do not count.
    """
    who = select(Frequency.contact_key).where(Frequency.contact_source == source_name)
    moment = bindparam(None, at, UtcDateTime)
    return who.where(got_one(dialect(host).name, moment, bindparam(None, mailing_id or 0, Mailing.id.type)))


def got_one(dialect_name: str, at: ColumnElement[datetime], mailing_id: ColumnElement[int]) -> ColumnElement[bool]:
    """True for the rows of `Frequency` whose contact got another mailing within their days before `at`, or gets it now.

    A mail that may have arrived counts, and one that a worker has in hand: of two that are sent at once the first to
    be looked at goes. Tests and mails that were asked for do not count.
    """
    lately = OutboxMessage.settled_at > days_before(dialect_name, at, Frequency.days)
    of_chunk = and_(Chunk.mailing_id == OutboxMessage.mailing_id, Chunk.number == OutboxMessage.chunk)
    mails = join(OutboxMessage, Mailing, Mailing.id == OutboxMessage.mailing_id).outerjoin(Chunk, of_chunk)
    # Chunks are joined, not asked for by another EXISTS: PostgreSQL would not share such a statement among processors.
    return exists(
        select(literal(1))
        .select_from(mails)
        .where(
            OutboxMessage.contact_source == Frequency.contact_source,
            OutboxMessage.contact_key == Frequency.contact_key,
            OutboxMessage.mailing_id != mailing_id,
            or_(
                and_(OutboxMessage.state.in_(_GOT), lately),
                and_(OutboxMessage.state.in_([state.value for state in WAITING]), Chunk.leased_by.is_not(None)),
            ),
            Mailing.kind.not_in([kind.value for kind in UNCOUNTED]),
        )
        .correlate(Frequency)
    )


def _of(contact: ContactRef) -> tuple[ColumnElement[bool], ...]:
    return Frequency.contact_source == contact.source, Frequency.contact_key == contact.key
