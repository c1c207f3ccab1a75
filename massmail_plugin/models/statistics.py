"""Tables of what statistics keep beside the rows they are counted from: each can be made anew from them."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from massmail_plugin.models.base import Base, BigId, UtcDateTime, where


class ChunkShare(Base):
    """What one chunk's messages and their events came to when they were last counted."""

    __tablename__ = "massmail_chunk_share"
    __table_args__ = (
        Index("ix_massmail_chunk_share_mailing", "mailing_id"),
        Index("ix_massmail_chunk_share_stale", "chunk_id", **where("stale")),
    )

    chunk_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    mailing_id: Mapped[int]
    stale: Mapped[bool] = mapped_column(default=False)
    """Whether events came since."""
    numbers: Mapped[dict[str, list[int]]] = mapped_column(JSON)
    """"by:name" -> the counts of `Breakdown`, in the order of its columns."""
    counted_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Breakdown(Base):
    """A mailing's numbers by recipient domain, by list and by reason: the sum of its chunks' shares."""

    __tablename__ = "massmail_breakdown"
    __table_args__ = (Index("ix_massmail_breakdown_largest", "mailing_id", "by", "recipients"),)

    mailing_id: Mapped[int] = mapped_column(ForeignKey("massmail_mailing.id"), primary_key=True)
    by: Mapped[str] = mapped_column(String(10), primary_key=True)
    """A value of `BreakdownBy`."""
    name: Mapped[str] = mapped_column(String(254), primary_key=True)
    """The domain, the list's id, "state:reason", or "" for all of the mailing."""
    recipients: Mapped[int] = mapped_column(default=0)
    """Messages that were meant to leave: all but the skipped."""
    waiting: Mapped[int] = mapped_column(default=0)
    sent: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    uncertain: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)
    read: Mapped[int] = mapped_column(default=0)
    """Messages that a person read; so are the others."""
    clicked: Mapped[int] = mapped_column(default=0)
    replied: Mapped[int] = mapped_column(default=0)
    bounced: Mapped[int] = mapped_column(default=0)
    complained: Mapped[int] = mapped_column(default=0)
    removed: Mapped[int] = mapped_column(default=0)
    proxied: Mapped[int] = mapped_column(default=0)
    """Messages that a mail program's proxy fetched the pictures of."""
    scanned: Mapped[int] = mapped_column(default=0)
    """Messages that other programs opened or clicked in."""
    hits: Mapped[int] = mapped_column(default=0)
    """Events by people, of all kinds."""
    machine_hits: Mapped[int] = mapped_column(default=0)


class RollUp(Base):
    """How far events were looked at for what they make stale."""

    __tablename__ = "massmail_roll_up"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    counted_to: Mapped[int] = mapped_column(BigId, default=0)
    """Events up to this id were looked at."""
    seen: Mapped[int] = mapped_column(BigId, default=0)
    """The highest id there was at `seen_at`: what is below is committed some time later."""
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    proved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When the sums were last held against the tallies."""


BREAKDOWN_COUNTS: tuple[str, ...] = tuple(
    part.name for part in Breakdown.__table__.c if part.name not in ("mailing_id", "by", "name")
)
"""In the order in which `ChunkShare.numbers` holds them."""
