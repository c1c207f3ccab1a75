"""The declarative base of our own tables and the column types they share."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, String, TypeDecorator, text
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

BigId = BigInteger().with_variant(Integer, "sqlite")
ContactKey = String(64)
SourceName = String(64)


class Base(DeclarativeBase):
    """All tables of the plugin; they live in the host's database but not in the host's metadata."""

    metadata = MetaData(naming_convention=NAMING)


NEVER_AGAIN = {"sqlite_autoincrement": True}
"""An option of tables whose rows go by their age while their ids live on, in links or as how far something was read:
SQLite would give the highest ids once more.
"""


def where(condition: str) -> dict[str, Any]:
    """The options that make an index partial."""
    return {"postgresql_where": text(condition), "sqlite_where": text(condition)}


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in UTC on every database; a naive value is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"A time without zone was given: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
