"""Tables of what is left of data that was deleted: enough for the links in old mails, and for the record."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from massmail_plugin.models.base import Base, BigId, ContactKey, SourceName, UtcDateTime


class PastMessage(Base):
    """What stays of an outbox message when its age deletes it, so that the opt-out link in the mail works for ever."""

    __tablename__ = "massmail_past_message"
    __table_args__ = (
        Index("ix_massmail_past_message_contact", "contact_source", "contact_key"),
        Index("ix_massmail_past_message_address_hash", "address_hash"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    """Of the outbox message."""
    mailing_id: Mapped[int]
    contact_source: Mapped[str] = mapped_column(SourceName)
    contact_key: Mapped[str] = mapped_column(ContactKey)
    address_role: Mapped[str] = mapped_column(String(40))
    address_hash: Mapped[str | None] = mapped_column(String(64))
    """Keyed hash of the normalised address."""


class PastTally(Base):
    """What deleted events came to in the tallies (`EventTally`): a recount of those that are left still proves them."""

    __tablename__ = "massmail_past_tally"

    mailing_id: Mapped[int] = mapped_column(ForeignKey("massmail_mailing.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    """A kind of `EventTally`; or "back_in", mails through which somebody opted out and took all of it back."""
    link_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hour: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    hits: Mapped[int] = mapped_column(default=0)
    machine_hits: Mapped[int] = mapped_column(default=0)
    mails: Mapped[int] = mapped_column(default=0)


class RetentionPass(Base):
    """How far the deleting of what is too old has come, for each kind of data."""

    __tablename__ = "massmail_retention_pass"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the last whole pass was over; NULL during the first."""
    place: Mapped[int] = mapped_column(BigId, default=0)
    """The pass goes on after this id."""
    forgotten: Mapped[int] = mapped_column(BigId, default=0)
    """Rows that this pass has deleted or made empty so far."""


class Erasure(Base):
    """That a person was erased on request: when, by whom, and how much; nothing that tells who it was."""

    __tablename__ = "massmail_erasure"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    contact_source: Mapped[str] = mapped_column(SourceName)
    counts: Mapped[str] = mapped_column(Text, default="")
    """How many rows of each table, as JSON."""
