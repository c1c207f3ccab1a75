"""The few statements that SQLite and PostgreSQL spell differently. Rooms enter; nothing is committed here."""

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import CursorResult, Dialect, Insert, Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import DeclarativeBase

from massmail_plugin.contracts import Host
from massmail_plugin.errors import SetupError


def dialect(host: Host) -> Dialect:
    """The dialect of the database our tables are in."""
    return host.session.get_bind().dialect


def insert_new(host: Host, model: type[DeclarativeBase] | Table) -> Any:
    """An INSERT that leaves rows alone which are there already; add `.values(...)` or `.from_select(...)`.

    With `from_select` the SELECT needs a WHERE clause: SQLite cannot tell ON CONFLICT from a join's ON without it.
    """
    return upsert(host, model).on_conflict_do_nothing()


def upsert(host: Host, model: type[DeclarativeBase] | Table) -> Any:
    """An INSERT with `.on_conflict_do_update(...)`, of the dialect in use."""
    return upsert_of(dialect(host).name, model)


def upsert_of(dialect_name: str, model: type[DeclarativeBase] | Table) -> Any:
    """`upsert` for statements that are made once and kept."""
    made: dict[str, Any] = {"postgresql": postgresql_insert, "sqlite": sqlite_insert}
    if dialect_name not in made:
        raise SetupError(f"The database “{dialect_name}” is not supported; SQLite and PostgreSQL are.")
    statement: Insert = made[dialect_name](model)
    return statement


def changed(host: Host, statement: Any, values: Mapping[str, Any] | None = None) -> int:
    """Run an INSERT, UPDATE or DELETE with `values` for its parameters; the number of rows it changed.

    Loaded ORM rows are not refreshed.
    """
    options = {"synchronize_session": False, "preserve_rowcount": True}
    result = host.session.execute(statement, values, execution_options=options)
    return int(cast(CursorResult[Any], result).rowcount)
