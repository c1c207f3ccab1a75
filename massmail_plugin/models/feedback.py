"""Tables of what came back and what it means: events, outcome reports, and where each contact stands."""

from datetime import datetime

from sqlalchemy import JSON, Boolean, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from massmail_plugin.models.base import NEVER_AGAIN, Base, BigId, ContactKey, SourceName, UtcDateTime, where
from massmail_plugin.vocabulary import ReportState


class Event(Base):
    """Something that came back about an outbox message. Every hit is a row; totals are computed from them."""

    __tablename__ = "massmail_event"
    __table_args__ = (
        UniqueConstraint("provider", "provider_event_id"),
        Index("ix_massmail_event_mailing", "mailing_id", "kind", "by_machine", "message_id"),
        Index("ix_massmail_event_message", "message_id"),
        Index("ix_massmail_event_link", "link_id", "by_machine", "at", **where("link_id IS NOT NULL")),
        NEVER_AGAIN,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int] = mapped_column(BigId)
    mailing_id: Mapped[int]
    """No foreign keys here: events come by the thousand, and what they name is copied from rows that are there."""
    kind: Mapped[str] = mapped_column(String(20))
    link_id: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by_machine: Mapped[bool] = mapped_column(Boolean, default=False)
    machine_reason: Mapped[str] = mapped_column(String(100), default="")
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    request: Mapped[str] = mapped_column(String(200), default="")
    """What else the request said about who fetches, such as "HEAD" or "prefetch": the rules can be run again."""
    meaning: Mapped[str] = mapped_column(String(20), default="")
    """Of a bounce: a value of `smtp_status.Meaning`."""
    received_id: Mapped[int | None] = mapped_column(BigId)
    """The mail or provider event it was read from (`Received`), while that is kept."""
    detail: Mapped[str] = mapped_column(Text, default="")
    provider: Mapped[str | None] = mapped_column(String(40))
    provider_event_id: Mapped[str | None] = mapped_column(String(200))


class EventTally(Base):
    """How many events of one kind a mailing had in one hour, written with the events; link 0 stands for all links."""

    __tablename__ = "massmail_event_tally"

    mailing_id: Mapped[int] = mapped_column(ForeignKey("massmail_mailing.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    link_id: Mapped[int] = mapped_column(primary_key=True, default=0, autoincrement=False)
    hour: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    """Its beginning."""
    hits: Mapped[int] = mapped_column(default=0)
    """By people."""
    machine_hits: Mapped[int] = mapped_column(default=0)
    mails: Mapped[int] = mapped_column(default=0)
    """Mails whose first such event by a person fell into this hour (of this link, where one is named)."""


class SpoolFile(Base):
    """How far a spool of hits was taken over; changed in the commit that keeps its events, so none counts twice."""

    __tablename__ = "massmail_spool_file"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    read_to: Mapped[int] = mapped_column(BigId, default=0)
    """Octets."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class OutcomeReport(Base):
    """An outcome on its way to the host: written with the result it reports, delivered at least once."""

    __tablename__ = "massmail_outcome_report"
    __table_args__ = (
        UniqueConstraint("message_id", "outcome", "turn"),
        Index("ix_massmail_outcome_report_waiting", "due_at", "id", **where("state = 'waiting'")),
        Index(
            "ix_massmail_outcome_report_failing",
            *("contact_source", "contact_key"),
            **where("state = 'waiting' AND attempts > 0"),
        ),
        Index("ix_massmail_outcome_report_untold", "due_at", "id", **where("state = 'untold'")),
        Index(
            "ix_massmail_outcome_report_hook_failing",
            *("contact_source", "contact_key"),
            **where("state = 'untold' AND attempts > 0"),
        ),
        Index("ix_massmail_outcome_report_removed", "contact_source", "contact_key", **where("outcome = 'removed'")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int] = mapped_column(BigId)
    """Of an outbox message, as `mailing_id` is. No foreign keys: a report is copied from that very row, in the
    transaction that settles it, and looking both up again would take longer than all the rest."""
    mailing_id: Mapped[int]
    contact_source: Mapped[str] = mapped_column(SourceName)
    contact_key: Mapped[str] = mapped_column(ContactKey)
    outcome: Mapped[str] = mapped_column(String(20))
    turn: Mapped[int] = mapped_column(default=0)
    """0 for the outcome itself. Of removals: odd where one was taken back, even again where it was renewed. Of clicks:
    the number of a link that speaks of an interest, which is told for each such link."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    link_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_link.id"))
    state: Mapped[str] = mapped_column(String(20), default=ReportState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    problem: Mapped[str] = mapped_column(Text, default="")
    """Why the last delivery failed, with the traceback."""
    heard: Mapped[list[str] | None] = mapped_column(JSON)
    """Of a report that failed: the host's functions that did hear of it, and are not called again."""
    status_before: Mapped[str | None] = mapped_column(String(100))
    status_set: Mapped[str | None] = mapped_column(String(100))
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Standing(Base):
    """Which report decided a status, so that a late lower outcome changes nothing.

    A removal lies over all that: it is seen, and what would stand without it is kept for taking it back.
    """

    __tablename__ = "massmail_standing"

    contact_source: Mapped[str] = mapped_column(SourceName, primary_key=True)
    contact_key: Mapped[str] = mapped_column(ContactKey, primary_key=True)
    place: Mapped[str] = mapped_column(String(40), primary_key=True)
    """Whose status: "contact", or a membership such as "list:5" or "campaign:3"."""
    mailing_id: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(20))
    """The highest outcome but removals; mailing 0 stands for none."""
    status: Mapped[str | None] = mapped_column(String(100))
    """The host status it set; NULL where the contact had a final one."""
    removed_status: Mapped[str | None] = mapped_column(String(100))
    """The host status that a removal set; NULL where none stands."""
    previous_status: Mapped[str | None] = mapped_column(String(100))
    """What the contact has under a removal, for taking it back."""
