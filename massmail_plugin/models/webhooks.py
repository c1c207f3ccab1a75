"""Tables of the webhooks we send: who is told of outcomes, and what still has to be told."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from massmail_plugin.models.base import Base, BigId, UtcDateTime, where
from massmail_plugin.secret_text import SecretText
from massmail_plugin.vocabulary import ReportState


class Webhook(Base):
    """An address of the outside world that is told of outcomes, signed as Standard Webhooks says."""

    __tablename__ = "massmail_webhook"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    url: Mapped[str] = mapped_column(Text)
    secret: Mapped[str | None] = mapped_column(SecretText, deferred=True)
    outcomes: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Values of Outcome it wants; empty means all."""
    active: Mapped[bool] = mapped_column(default=True)
    former_secret: Mapped[str | None] = mapped_column(SecretText, deferred=True)
    former_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Until then everything is signed with the former secret too, so that a receiver can change over."""
    fault: Mapped[str] = mapped_column(Text, default="")
    """What was wrong last time; empty while it takes what is sent."""
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rests_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Nothing is sent before this time, since it did not answer."""
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it last took something."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WebhookDelivery(Base):
    """One outcome report on its way to one webhook; sent again with backoff until it is taken or its time is over."""

    __tablename__ = "massmail_webhook_delivery"
    __table_args__ = (
        UniqueConstraint("report_id", "webhook_id"),
        Index("ix_massmail_webhook_delivery_waiting", "webhook_id", "due_at", "id", **where("state = 'waiting'")),
        Index("ix_massmail_webhook_delivery_webhook", "webhook_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("massmail_webhook.id"))
    report_id: Mapped[int] = mapped_column(BigId)
    state: Mapped[str] = mapped_column(String(20), default=ReportState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    code: Mapped[int | None]
    """HTTP status of the last answer; NULL where none came."""
    problem: Mapped[str] = mapped_column(Text, default="")
    """Why it was not taken the last time."""
