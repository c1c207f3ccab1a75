"""Table of sending accounts."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from massmail_plugin.models.base import Base, UtcDateTime
from massmail_plugin.secret_text import SecretText
from massmail_plugin.vocabulary import Security


class Sender(Base):
    """A sending account: where it connects, who it is, and whether it is known to work."""

    __tablename__ = "massmail_sender"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    provider: Mapped[str] = mapped_column(String(40), default="smtp")
    host: Mapped[str] = mapped_column(String(255), default="")
    port: Mapped[int] = mapped_column(default=587)
    security: Mapped[str] = mapped_column(String(10), default=Security.STARTTLS)
    auth: Mapped[str] = mapped_column(String(20), default="auto")
    username: Mapped[str] = mapped_column(String(255), default="")
    secret: Mapped[str | None] = mapped_column(SecretText, deferred=True)
    from_name: Mapped[str] = mapped_column(String(200), default="")
    from_address: Mapped[str] = mapped_column(String(254))
    reply_to: Mapped[str] = mapped_column(String(254), default="")
    bcc: Mapped[str] = mapped_column(String(254), default="")
    tested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the account as saved last passed its test; NULL means untested."""
    test_stages: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    fault: Mapped[str] = mapped_column(Text, default="")
    """Why sending through it is held; empty while it works."""
    fault_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Sending is tried again after this time."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
