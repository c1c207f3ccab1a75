"""Tables of files that people bring: what is to be done with one, how far it is, and its bytes."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from massmail_plugin.models.base import Base, BigId, SourceName, UtcDateTime
from massmail_plugin.vocabulary import ImportState


class Import(Base):
    """A file of contacts on its way onto a list, off it, out of all mail or among the suppressions."""

    __tablename__ = "massmail_import"

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20), default=ImportState.UPLOADED)
    list_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_list.id"))
    contact_source: Mapped[str] = mapped_column(SourceName)
    file_name: Mapped[str] = mapped_column(String(255), default="")
    size: Mapped[int] = mapped_column(BigId, default=0)
    """Bytes of the file."""
    format: Mapped[str] = mapped_column(String(10), default="")
    """csv or xlsx."""
    reading: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Encoding, delimiter and quote that were found, sheet, whether the first row names the columns."""
    mapping: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Which column says what."""
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Whether unknown ones become contacts; of stops, how far they reach and how long they hold."""
    evidence: Mapped[str] = mapped_column(String(500), default="")
    dry_run: Mapped[bool] = mapped_column(default=True)
    """Whether it only counts; a person looks at the counts and lets it run."""
    counts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """New, already, invalid, suppressed, unknown and so on, as far as it is."""
    done_bytes: Mapped[int] = mapped_column(BigId, default=0)
    done_rows: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    """How often it was begun since it last got on: one that stops its worker is not begun for ever."""
    fault: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200), default="")
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ImportPart(Base):
    """A piece of an import's file, or of the file of its errors: workers are on other machines than the upload."""

    __tablename__ = "massmail_import_part"

    import_id: Mapped[int] = mapped_column(ForeignKey("massmail_import.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    """file or errors."""
    number: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
