"""Tables of what is left of data that was deleted: enough for the links in old mails, and for the record."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from massmail_plugin.models.base import Base, BigId, ContactKey, SourceName, UtcDateTime


class PastMessage(Base):
    """What stays of an outbox message when its age deletes it, so that the opt-out link in the mail works for ever."""

    __tablename__ = "massmail_past_message"
    __table_args__ = (Index("ix_massmail_past_message_contact", "contact_source", "contact_key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    """Of the outbox message."""
    mailing_id: Mapped[int]
    contact_source: Mapped[str] = mapped_column(SourceName)
    contact_key: Mapped[str] = mapped_column(ContactKey)
    address_role: Mapped[str] = mapped_column(String(40))
    address_hash: Mapped[str | None] = mapped_column(String(64))
    """Keyed hash of the normalised address."""


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
