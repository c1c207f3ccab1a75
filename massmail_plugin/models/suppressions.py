"""Tables of whom we must not write to, for how long, how often others may be, and why people left."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from massmail_plugin.models.base import Base, BigId, ContactKey, SourceName, UtcDateTime, where


class Suppression(Base):
    """An address or a contact we must not write to. `address` is normalised; one of address, its hash and contact
    is set.
    """

    __tablename__ = "massmail_suppression"
    __table_args__ = (
        CheckConstraint("address IS NOT NULL OR address_hash IS NOT NULL OR contact_key IS NOT NULL", name="somebody"),
        # Patterns: PostgreSQL then finds addresses by their beginning too.
        Index("ix_massmail_suppression_address", "address", postgresql_ops={"address": "varchar_pattern_ops"}),
        Index("ix_massmail_suppression_address_hash", "address_hash"),
        Index("ix_massmail_suppression_contact", "contact_source", "contact_key"),
        # The newest of one kind, for screens, however many there are of others. Not of the plain columns: a database
        # that knows little of the table would take such an index for what is asked at fill and hand-off.
        # PostgreSQL counts from an index alone only where it holds the plain column too.
        *(
            Index(f"ix_massmail_suppression_{name}", text(f"lower({name})"), "id", postgresql_include=[name])
            for name in ("reason", "scope", "way")
        ),
        Index("ix_massmail_suppression_until", "until", **where("until IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    address: Mapped[str | None] = mapped_column(String(254))
    address_hash: Mapped[str | None] = mapped_column(String(64))
    """Keyed hash of the normalised address, where the address itself was erased."""
    contact_source: Mapped[str | None] = mapped_column(SourceName)
    contact_key: Mapped[str | None] = mapped_column(ContactKey)
    scope: Mapped[str] = mapped_column(String(30))
    list_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_list.id"))
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_topic.id"))
    reason: Mapped[str] = mapped_column(String(30))
    way: Mapped[str] = mapped_column(String(20), default="")
    """A ConsentWay: how it came about; empty where the answer of a mail server made it, or nobody knows."""
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200), default="")
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """It holds no more from then on; NULL means for good."""
    message_id: Mapped[int | None] = mapped_column(BigId)


class ReleasedSuppression(Base):
    """A suppression as it was, with who let it go and why."""

    __tablename__ = "massmail_released_suppression"
    __table_args__ = (
        Index("ix_massmail_released_suppression_contact", "contact_source", "contact_key"),
        Index("ix_massmail_released_suppression_address_hash", "address_hash"),
        Index("ix_massmail_released_suppression_address", "address", postgresql_ops={"address": "varchar_pattern_ops"}),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    address: Mapped[str | None] = mapped_column(String(254))
    address_hash: Mapped[str | None] = mapped_column(String(64))
    contact_source: Mapped[str | None] = mapped_column(SourceName)
    contact_key: Mapped[str | None] = mapped_column(ContactKey)
    scope: Mapped[str] = mapped_column(String(30))
    list_id: Mapped[int | None]
    topic_id: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(30))
    way: Mapped[str] = mapped_column(String(20), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200), default="")
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    released_at: Mapped[datetime] = mapped_column(UtcDateTime)
    released_by: Mapped[str] = mapped_column(String(200), default="")
    release_note: Mapped[str] = mapped_column(Text, default="")


class Frequency(Base):
    """A contact who wants fewer mails: at most one in so many days."""

    __tablename__ = "massmail_frequency"

    contact_source: Mapped[str] = mapped_column(SourceName, primary_key=True)
    contact_key: Mapped[str] = mapped_column(ContactKey, primary_key=True)
    days: Mapped[int]
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    message_id: Mapped[int | None] = mapped_column(BigId)


class OptOutReason(Base):
    """Why somebody opted out, where they said so."""

    __tablename__ = "massmail_opt_out_reason"
    __table_args__ = (
        Index("ix_massmail_opt_out_reason_mailing", "mailing_id"),
        Index("ix_massmail_opt_out_reason_contact", "contact_source", "contact_key"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int] = mapped_column(BigId)
    mailing_id: Mapped[int]
    contact_source: Mapped[str] = mapped_column(SourceName)
    contact_key: Mapped[str] = mapped_column(ContactKey)
    reason: Mapped[str] = mapped_column(String(30))
    comment: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
