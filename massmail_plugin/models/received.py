"""Tables of what reaches us from outside: mailboxes and provider feeds we listen to, and what came through them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from massmail_plugin.models.base import NEVER_AGAIN, Base, BigId, ContactKey, SourceName, UtcDateTime
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
    shared: Mapped[bool] = mapped_column(default=False)
    """Whether people get other mail there: what is none of ours is then not even noted."""
    active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[str] = mapped_column(String(100), default="")
    """How far it was read: UIDVALIDITY and UID of IMAP, such as "1700000000:42"; empty for the other kinds."""
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fault: Mapped[str] = mapped_column(Text, default="")
    """Why it could not be read last time; empty while it works."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class MailboxMail(Base):
    """A mail in a mailbox that was read and is still there: it is neither read again nor forgotten to be removed."""

    __tablename__ = "massmail_mailbox_mail"

    mailbox_id: Mapped[int] = mapped_column(ForeignKey("massmail_mailbox.id"), primary_key=True)
    uid: Mapped[str] = mapped_column(String(255), primary_key=True)
    """What the server calls it: UIDVALIDITY and UID of IMAP, UIDL of POP3, the name of a file in a Maildir."""
    leaves: Mapped[bool] = mapped_column(default=False)
    """Ours, and its result is kept: to be moved or deleted where the mailbox says so."""


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
    exchanges: Mapped[bool] = mapped_column(default=False)
    """Whether our stops and the provider's own list are brought together."""
    account: Mapped[str] = mapped_column(String(255), default="")
    """Where that list is: domain, message stream, region or group, as the provider calls it."""
    api_key: Mapped[str | None] = mapped_column(SecretText, deferred=True)
    exchanged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    exchange_fault: Mapped[str] = mapped_column(Text, default="")
    """Why the lists could not be brought together last time; empty while it works."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FeedNonce(Base):
    """What a provider signs in place of the body: it may come again with the same body, never with another."""

    __tablename__ = "massmail_feed_nonce"

    feed_id: Mapped[int] = mapped_column(ForeignKey("massmail_event_feed.id"), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(200), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    """SHA-256, as hexadecimal digits."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ProviderListEntry(Base):
    """An address on a provider's own list of those it does not send to, read there or put there by us."""

    __tablename__ = "massmail_provider_list_entry"
    __table_args__ = (
        Index("ix_massmail_provider_list_entry_contact", "contact_source", "contact_key"),
        Index("ix_massmail_provider_list_entry_address", "address"),
    )

    feed_id: Mapped[int] = mapped_column(ForeignKey("massmail_event_feed.id"), primary_key=True)
    address: Mapped[str] = mapped_column(String(254), primary_key=True)
    """Normalised."""
    ours: Mapped[bool]
    """Whether we put it there."""
    contact_source: Mapped[str | None] = mapped_column(SourceName)
    contact_key: Mapped[str | None] = mapped_column(ContactKey)
    """Whose wish it is, where it is a contact's and not the address's."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Received(Base):
    """One mail or provider event that came in. What belongs to none of our mails is kept here and changes nothing."""

    __tablename__ = "massmail_received"
    __table_args__ = (
        UniqueConstraint("origin", "origin_id"),
        Index("ix_massmail_received_state", "state", "id"),
        Index("ix_massmail_received_message", "message_id"),
        NEVER_AGAIN,
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
