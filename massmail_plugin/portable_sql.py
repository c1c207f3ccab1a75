"""The few statements that SQLite and PostgreSQL spell differently. Rooms enter; nothing is committed here."""

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
    made: dict[str, Any] = {"postgresql": postgresql_insert, "sqlite": sqlite_insert}
    name = dialect(host).name
    if name not in made:
        raise SetupError(f"The database “{name}” is not supported; SQLite and PostgreSQL are.")
    statement: Insert = made[name](model)
    return statement


def changed(host: Host, statement: Any) -> int:
    """Run an INSERT, UPDATE or DELETE; the number of rows it changed. Loaded ORM rows are not refreshed."""
    options = {"synchronize_session": False, "preserve_rowcount": True}
    result = host.session.execute(statement, execution_options=options)
    return int(cast(CursorResult[Any], result).rowcount)
