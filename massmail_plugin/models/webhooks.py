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
    fault: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WebhookDelivery(Base):
    """One outcome report on its way to one webhook; sent again with backoff until it is taken."""

    __tablename__ = "massmail_webhook_delivery"
    __table_args__ = (
        UniqueConstraint("report_id", "webhook_id"),
        Index("ix_massmail_webhook_delivery_waiting", "due_at", "id", **where("state = 'waiting'")),
        Index("ix_massmail_webhook_delivery_webhook", "webhook_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("massmail_webhook.id"))
    report_id: Mapped[int] = mapped_column(BigId)
    state: Mapped[str] = mapped_column(String(20), default=ReportState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    code: Mapped[int | None]
    """HTTP status of the last answer; NULL where none came."""
    problem: Mapped[str] = mapped_column(Text, default="")
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
