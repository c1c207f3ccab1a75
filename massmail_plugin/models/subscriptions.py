"""Tables of who is on a list and how that came, and of sign-ups that are still to be confirmed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from massmail_plugin.models.base import NEVER_AGAIN, Base, BigId, ContactKey, SourceName, UtcDateTime, where
from massmail_plugin.models.lists import List
from massmail_plugin.vocabulary import SignUpState, SubscriptionState


class Subscription(Base):
    """A contact's standing on a list."""

    __tablename__ = "massmail_subscription"
    __table_args__ = (
        UniqueConstraint("list_id", "contact_source", "contact_key"),
        Index("ix_massmail_subscription_contact", "contact_source", "contact_key"),
        # With the key, so that people can leaf through a list in order of time.
        Index("ix_massmail_subscription_since", "list_id", "state", "since", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("massmail_list.id"))
    contact_source: Mapped[str] = mapped_column(SourceName)
    contact_key: Mapped[str] = mapped_column(ContactKey)
    state: Mapped[str] = mapped_column(String(20), default=SubscriptionState.SUBSCRIBED)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    evidence: Mapped[str] = mapped_column(String(500), default="")
    """How we know: who added them or what they did."""
    status: Mapped[str | None] = mapped_column(String(100))
    """The host status of this membership, where the mapping's target says so."""

    list: Mapped[List] = relationship()


class SubscriptionEvent(Base):
    """History of a subscription: every change with who made it, when, how, from where, and to which words."""

    __tablename__ = "massmail_subscription_event"
    __table_args__ = (
        Index("ix_massmail_subscription_event_contact", "contact_source", "contact_key"),
        Index("ix_massmail_subscription_event_list", "list_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("massmail_list.id"))
    contact_source: Mapped[str] = mapped_column(SourceName)
    contact_key: Mapped[str] = mapped_column(ContactKey)
    state: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    evidence: Mapped[str] = mapped_column(String(500), default="")
    message_id: Mapped[int | None] = mapped_column(BigId)
    way: Mapped[str] = mapped_column(String(20), default="")
    """A ConsentWay: how it came about."""
    by: Mapped[str] = mapped_column(String(200), default="")
    """The user who did it; empty where the contact did."""
    origin: Mapped[str] = mapped_column(String(300), default="")
    """From where: network address and program of the visitor, or the name of a file."""
    consent_text_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_consent_text.id"))


class SubscriptionTally(Base):
    """A change to the number of contacts of a state on a list. The sum of its rows is the number; they are folded."""

    __tablename__ = "massmail_subscription_tally"
    __table_args__ = (Index("ix_massmail_subscription_tally_list", "list_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    list_id: Mapped[int]
    state: Mapped[str] = mapped_column(String(20))
    change: Mapped[int]


class SignUp(Base):
    """Somebody filled in the public form of a list; confirmed once they said so by the mail they got."""

    __tablename__ = "massmail_sign_up"
    __table_args__ = (
        Index("ix_massmail_sign_up_list", "list_id", "state", "id"),
        Index("ix_massmail_sign_up_address", "address", "created_at"),
        Index("ix_massmail_sign_up_network", "network", "created_at"),
        Index("ix_massmail_sign_up_contact", "contact_source", "contact_key"),
        Index("ix_massmail_sign_up_due", "due_at", **where("due_at IS NOT NULL")),
        NEVER_AGAIN,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("massmail_list.id"))
    address: Mapped[str] = mapped_column(String(254))
    """Normalised."""
    state: Mapped[str] = mapped_column(String(20), default=SignUpState.WAITING)
    values: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What else was filled in, by the names the host's form fields have."""
    locale: Mapped[str] = mapped_column(String(20), default="")
    consent_text_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_consent_text.id"))
    origin: Mapped[str] = mapped_column(String(300), default="")
    network: Mapped[str] = mapped_column(String(64), default="")
    """The visitor's, so that one does not fill in too many forms."""
    contact_source: Mapped[str | None] = mapped_column(SourceName)
    contact_key: Mapped[str | None] = mapped_column(ContactKey)
    """Whom it made a subscriber; NULL while it waits, and while the host has no such contact."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the scheduler does something about it next: reminds, ends it, looks for its contact."""
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the last mail that asks went out."""
    times_asked: Mapped[int] = mapped_column(default=0)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_from: Mapped[str] = mapped_column(String(300), default="")
