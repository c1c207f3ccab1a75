"""Tables of signs of life and of work that one process at a time may do."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from massmail_plugin.models.base import Base, UtcDateTime


class Heartbeat(Base):
    """When a long-running process was last seen; read by the panel and by doctor."""

    __tablename__ = "massmail_heartbeat"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Lease(Base):
    """Work that one process at a time may do, such as the scheduler's tick."""

    __tablename__ = "massmail_lease"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    holder: Mapped[str] = mapped_column(String(100))
    until: Mapped[datetime] = mapped_column(UtcDateTime)
