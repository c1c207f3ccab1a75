"""Tables of what reaches us from outside: mailboxes and provider feeds we listen to, and what came through them."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from massmail_plugin.models.base import Base, BigId, UtcDateTime
from massmail_plugin.secret_text import SecretText
from massmail_plugin.vocabulary import AfterReading, MailboxKind, ReceivedState, Security


class Mailbox(Base):
    """A mailbox whose bounces, complaints and replies are read."""

    __tablename__ = "massmail_mailbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(10), default=MailboxKind.IMAP)
    host: Mapped[str] = mapped_column(String(255), default="")
    port: Mapped[int] = mapped_column(default=993)
    security: Mapped[str] = mapped_column(String(10), default=Security.TLS)
    username: Mapped[str] = mapped_column(String(255), default="")
    secret: Mapped[str | None] = mapped_column(SecretText, deferred=True)
    folder: Mapped[str] = mapped_column(String(500), default="INBOX")
    """IMAP folder, or the directory of a Maildir."""
    after: Mapped[str] = mapped_column(String(10), default=AfterReading.LEAVE)
    """What becomes of our own mail there once its result is committed; foreign mail is left alone."""
    move_to: Mapped[str] = mapped_column(String(255), default="")
    active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[str] = mapped_column(String(100), default="")
    """How far it was read, in the words of its protocol (UIDVALIDITY and UID of IMAP)."""
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fault: Mapped[str] = mapped_column(Text, default="")
    """Why it could not be read last time; empty while it works."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EventFeed(Base):
    """A provider's account whose webhooks we accept, with what is needed to check their signatures."""

    __tablename__ = "massmail_event_feed"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    provider: Mapped[str] = mapped_column(String(40))
    path: Mapped[str] = mapped_column(String(64), unique=True)
    """The unguessable end of its web address."""
    secret: Mapped[str | None] = mapped_column(SecretText, deferred=True)
    """Signing key, public key or password, as the provider gives it."""
    active: Mapped[bool] = mapped_column(default=True)
    heard_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fault: Mapped[str] = mapped_column(Text, default="")
    """Why its last request was refused; empty while it works."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Received(Base):
    """One mail or provider event that came in. What belongs to none of our mails is kept here and changes nothing."""

    __tablename__ = "massmail_received"
    __table_args__ = (
        UniqueConstraint("origin", "origin_id"),
        Index("ix_massmail_received_state", "state", "id"),
        Index("ix_massmail_received_message", "message_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    origin: Mapped[str] = mapped_column(String(40))
    """"mailbox:3", "feed:2", or "file" for an import."""
    origin_id: Mapped[str] = mapped_column(String(200))
    """What makes it the same when it comes again: the provider's event id, or a hash of the mail."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(10), default=ReceivedState.UNMATCHED)
    kind: Mapped[str] = mapped_column(String(20))
    """A value of EventKind, or "none" for ordinary mail."""
    address: Mapped[str] = mapped_column(String(254), default="")
    message_id: Mapped[int | None] = mapped_column(BigId)
    """The outbox message it speaks of, once that is sure."""
    subject: Mapped[str] = mapped_column(String(500), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    """What was read out of it, or why it changed nothing."""
    size: Mapped[int] = mapped_column(default=0)
    raw: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """Its bytes as they came, cut where they are too many."""
