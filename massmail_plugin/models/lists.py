"""Tables of lists, who is on them and how that came, and of suppressions."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from massmail_plugin.models.base import Base, BigId, ContactKey, SourceName, UtcDateTime
from massmail_plugin.vocabulary import SubscriptionState


class List(Base):
    """A kind of mailing that contacts have agreed to."""

    __tablename__ = "massmail_list"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    public_name: Mapped[str] = mapped_column(String(200), default="")
    """What recipients read on the opt-out pages; empty means the name."""
    description: Mapped[str] = mapped_column(Text, default="")
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def title(self) -> str:
        return self.public_name or self.name


class Subscription(Base):
    """A contact's standing on a list."""

    __tablename__ = "massmail_subscription"
    __table_args__ = (
        UniqueConstraint("list_id", "contact_source", "contact_key"),
        Index("ix_massmail_subscription_contact", "contact_source", "contact_key"),
        Index("ix_massmail_subscription_since", "list_id", "state", "since"),
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
    """History of a subscription: every change with its time and source."""

    __tablename__ = "massmail_subscription_event"
    __table_args__ = (Index("ix_massmail_subscription_event_contact", "contact_source", "contact_key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("massmail_list.id"))
    contact_source: Mapped[str] = mapped_column(SourceName)
    contact_key: Mapped[str] = mapped_column(ContactKey)
    state: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    evidence: Mapped[str] = mapped_column(String(500), default="")
    message_id: Mapped[int | None] = mapped_column(BigId)


class Suppression(Base):
    """An address or a contact we must not write to. `address` is normalised; one of address and contact is set."""

    __tablename__ = "massmail_suppression"
    __table_args__ = (
        CheckConstraint("address IS NOT NULL OR contact_key IS NOT NULL", name="somebody"),
        Index("ix_massmail_suppression_address", "address"),
        Index("ix_massmail_suppression_contact", "contact_source", "contact_key"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    address: Mapped[str | None] = mapped_column(String(254))
    contact_source: Mapped[str | None] = mapped_column(SourceName)
    contact_key: Mapped[str | None] = mapped_column(ContactKey)
    scope: Mapped[str] = mapped_column(String(30))
    list_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_list.id"))
    reason: Mapped[str] = mapped_column(String(30))
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200), default="")
    message_id: Mapped[int | None] = mapped_column(BigId)
