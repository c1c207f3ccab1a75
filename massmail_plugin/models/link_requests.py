"""Table of people who lost the mail with their link and ask for another one."""

from datetime import datetime

from sqlalchemy import Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from massmail_plugin.models.base import Base, BigId, UtcDateTime, where


class LinkRequest(Base):
    """Somebody asked that the link to their choices be sent to an address, known here or not. Kept for a day."""

    __tablename__ = "massmail_link_request"
    __table_args__ = (
        Index("ix_massmail_link_request_address", "address", "at"),
        Index("ix_massmail_link_request_network", "network", "at"),
        Index("ix_massmail_link_request_waiting", "id", **where("NOT answered")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    address: Mapped[str] = mapped_column(String(254))
    """Normalised."""
    locale: Mapped[str] = mapped_column(String(20))
    network: Mapped[str] = mapped_column(String(64))
    """Where it came from: an IPv4 address, or the 64 bits of a network of IPv6."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered: Mapped[bool] = mapped_column(default=False, server_default=false())
