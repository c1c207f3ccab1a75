"""Tables of waiting mail: outbox messages and the chunks workers lease them by."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String, Text, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from massmail_plugin.models.base import NEVER_AGAIN, Base, BigId, ContactKey, SourceName, UtcDateTime, where
from massmail_plugin.vocabulary import Channel, MessageState, Priority


class Chunk(Base):
    """Some hundred outbox messages of one mailing: what a worker leases, and where progress is read.

    The counters are set from the chunk's rows in the commit that changes the rows, so they cannot drift.
    """

    __tablename__ = "massmail_chunk"
    __table_args__ = (
        UniqueConstraint("mailing_id", "number"),
        Index("ix_massmail_chunk_claim", "priority", "due_at", "id", **where("due_at IS NOT NULL")),
        Index("ix_massmail_chunk_waiting", "mailing_id", "due_at", **where("due_at IS NOT NULL")),
        Index("ix_massmail_chunk_leased", "leased_by", **where("leased_by IS NOT NULL")),
        Index("ix_massmail_chunk_uncounted", "id", **where("uncounted")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    mailing_id: Mapped[int] = mapped_column(ForeignKey("massmail_mailing.id"))
    number: Mapped[int]
    priority: Mapped[int] = mapped_column(SmallInteger, default=Priority.BULK)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When its next message may go; NULL once every row is final."""
    leased_by: Mapped[str | None] = mapped_column(String(100))
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    journal: Mapped[str | None] = mapped_column(String(36))
    """The state directory whose journal holds the marks of this lease."""
    crashes: Mapped[int] = mapped_column(SmallInteger, default=0)
    """How often a worker died with this chunk in hand."""
    planned: Mapped[int] = mapped_column(default=0)
    deferred: Mapped[int] = mapped_column(default=0)
    sent: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    uncertain: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)
    uncounted: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether its rows changed since the statistics by domain, list and reason counted them."""
    forgotten: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether its messages were deleted for their age: these numbers, and what was made of them, are what is left."""


NOBODYS = "contact_key = '' OR substr(contact_key, 1, 5) = 'gone:' OR address_role = 'test'"
"""Messages that no contact of the host leads to: to strangers, to contacts who are gone, and tests."""


class OutboxMessage(Base):
    """The row for one (mailing, contact, address), there before any mail leaves."""

    __tablename__ = "massmail_outbox_message"
    __table_args__ = (
        UniqueConstraint("mailing_id", "contact_source", "contact_key", "address_role", "occurrence"),
        UniqueConstraint("mailing_id", "dedup_key"),
        Index("ix_massmail_outbox_message_chunk", "mailing_id", "chunk"),
        Index("ix_massmail_outbox_message_contact", "contact_source", "contact_key"),
        Index("ix_massmail_outbox_message_nobodys", "address", **where(NOBODYS)),
        # No index holds what settling changes, and pages have room: then PostgreSQL updates a row in place (HOT).
        {"postgresql_with": {"fillfactor": 50}, **NEVER_AGAIN},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    mailing_id: Mapped[int]
    """No foreign keys here: the chunk holds the mailing, and looking both up for each row doubles the time to fill."""
    chunk: Mapped[int]
    """Number of its chunk within the mailing."""
    contact_source: Mapped[str] = mapped_column(SourceName)
    contact_key: Mapped[str] = mapped_column(ContactKey)
    address_role: Mapped[str] = mapped_column(String(40))
    occurrence: Mapped[int] = mapped_column(default=0)
    channel: Mapped[str] = mapped_column(String(10), default=Channel.EMAIL)
    address: Mapped[str] = mapped_column(String(254))
    dedup_key: Mapped[str | None] = mapped_column(String(254))
    """Normalised address where the mailing sends one mail per address; NULL otherwise and on skipped rows."""
    list_id: Mapped[int | None]
    """The list the contact was found on (the first one if on several)."""
    state: Mapped[str] = mapped_column(String(20), default=MessageState.PLANNED)
    reason: Mapped[str] = mapped_column(String(40), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    crashes: Mapped[int] = mapped_column(SmallInteger, default=0)
    """How often a worker died while it wrote this message."""
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    handed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When its content last left; before it is settled, that is known to the journal of its worker alone."""
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reply_code: Mapped[int | None]
    reply_enhanced: Mapped[str] = mapped_column(String(12), default="")
    reply_text: Mapped[str] = mapped_column(Text, default="")


class KeptValues(Base):
    """What the fields of a chunk's contacts said when their mails were about to be written."""

    __tablename__ = "massmail_kept_values"
    __table_args__ = (
        Index("ix_massmail_kept_values_chunk", "mailing_id", "chunk"),
        Index("ix_massmail_kept_values_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    mailing_id: Mapped[int]
    chunk: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    packed: Mapped[bytes] = mapped_column(LargeBinary)
    """JSON of message -> values, compressed by zlib."""
