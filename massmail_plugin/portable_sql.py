"""The few statements that SQLite and PostgreSQL spell differently. Rooms enter; nothing is committed here."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    CursorResult,
    Dialect,
    Insert,
    Integer,
    Interval,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    column,
    exists,
    func,
    insert,
    select,
    text,
    type_coerce,
)
from sqlalchemy import cast as cast_sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from massmail_plugin.contracts import Host
from massmail_plugin.errors import SetupError


def dialect(host: Host) -> Dialect:
    """The dialect of the database our tables are in."""
    return host.session.get_bind().dialect


def room_to_sort(host: Host) -> None:
    """Lets the statements of this transaction sort and hash a million rows without much of them on the disk."""
    if dialect(host).name == "postgresql":
        host.session.execute(_ROOM_TO_SORT)


FITS = 1_000_000
"""So many short texts fit into a hash table within the room that `room_to_sort` gives."""


def fits(host: Host, rows: Select[Any]) -> bool:
    """Whether these are at most FITS rows; looks at no more."""
    some = rows.limit(FITS + 1).subquery()
    return (host.session.scalar(select(func.count()).select_from(some)) or 0) <= FITS


def has_row(value: Any, column: Any, *where: ColumnElement[bool], by_hash: bool) -> ColumnElement[bool]:
    """True where a row with these properties holds `value` in `column`.

    `by_hash` for very many values and rows that fit: PostgreSQL then makes one hash table, and can share the work out
    among processors. Else each value is looked up by an index of the column.
    """
    if by_hash:
        among: ColumnElement[bool] = value.in_(select(column).where(column.is_not(None), *where))
        return among
    return exists().where(column == value, *where)


# Just-in-time compiling takes longer than it saves in statements of many small steps.
_ROOM_TO_SORT = text(
    "SELECT set_config('jit', 'off', true), CASE WHEN pg_size_bytes(current_setting('work_mem')) < 67108864"
    " THEN set_config('work_mem', '64MB', true) END"
)


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


def insert_many(host: Host, table: Table, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of plain values into these columns, as quickly as the database takes them; there is at least one.

    Where it can, it takes them in while the next ones are made. Raises what SQLAlchemy does.
    """
    connection = host.session.connection()
    if connection.dialect.driver == "psycopg":
        _copy(connection, f"COPY {table.name} ({', '.join(names)}) FROM STDIN", rows)
    else:
        connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])


def _copy(connection: Connection, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    """SQLAlchemy has no COPY: the driver's own connection does it, within the same transaction."""
    driver, errors = cast(Any, connection.connection.driver_connection), cast(Any, connection.dialect.dbapi).Error
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except errors as error:
        raise DBAPIError.instance(statement, None, error, errors, dialect=connection.dialect) from error


def changed(host: Host, statement: Any, values: Mapping[str, Any] | None = None) -> int:
    """Run an INSERT, UPDATE or DELETE with `values` for its parameters; the number of rows it changed.

    Loaded ORM rows are not refreshed.
    """
    options = {"synchronize_session": False, "preserve_rowcount": True}
    result = host.session.execute(statement, values, execution_options=options)
    return int(cast(CursorResult[Any], result).rowcount)


class _OneOf(FunctionElement[bool]):
    name = "massmail_one_of"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> "_OneOf":
        """As it is: for SQLite, which has no booleans, `= 1` would follow, and no index would be used."""
        return self


@compiles(_OneOf)
def _one_of(element: _OneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"


@compiles(_OneOf, "postgresql")
def _one_of_array(element: _OneOf, compiler: SQLCompiler, **options: Any) -> str:
    """An array, not a subselect, so that the planner uses the column's index."""
    column, values = (compiler.process(part, **options) for part in element.clauses)
    kind = "BIGINT" if isinstance(next(iter(element.clauses)).type, Integer) else "TEXT"
    return (
        f"{column} = ANY (ARRAY(SELECT CAST(value AS {kind}) FROM jsonb_array_elements_text(CAST({values} AS JSONB))))"
    )


def one_of(column: Any, values: Sequence[Any]) -> ColumnElement[bool]:
    """`column IN (values)` with all of them in one parameter: hundreds cost little, and the statement stays the same.

    For texts (without NUL) and whole numbers. JSON, since drivers are slow at making arrays.
    """
    return _OneOf(column, bindparam(None, json.dumps(list(values)), Text()))


def among(column: Any, parameter: str) -> ColumnElement[bool]:
    """`one_of` for statements that are made once: the values come as JSON text (`json.dumps`) in `parameter`."""
    return _OneOf(column, bindparam(parameter, type_=Text()))


def listed(dialect_name: str, parameter: str) -> Any:
    """Texts as rows of one column `value`; they come as JSON text in `parameter`."""
    given = bindparam(parameter, type_=Text())
    if dialect_name == "postgresql":
        return func.jsonb_array_elements_text(cast_sql(given, JSONB)).table_valued("value", name="listed")
    return func.json_each(given).table_valued("value", name="listed")


def records(dialect_name: str, parameter: str, kinds: Mapping[str, Any]) -> Any:
    """Rows given as JSON text, a list of objects, in one parameter; `kinds` are their columns with SQL types."""
    given = bindparam(parameter, type_=Text())
    if dialect_name == "postgresql":
        columns = [column(name, kind) for name, kind in kinds.items()]
        rows = func.jsonb_to_recordset(cast_sql(given, JSONB)).table_valued(*columns, name="given")
        return rows.render_derived(with_types=True)
    each = func.json_each(given).table_valued("value", name="each")
    fields = [
        type_coerce(func.json_extract(each.c.value, f"$.{name}"), kind).label(name) for name, kind in kinds.items()
    ]
    return select(*fields).subquery("given")


def moment(dialect_name: str, seconds: Any) -> Any:
    """A POSIX time as a timestamp column keeps it."""
    if dialect_name == "postgresql":
        return func.to_timestamp(seconds)
    return func.strftime("%Y-%m-%d %H:%M:%f000", seconds, "unixepoch")


def moment_text(dialect_name: str, at: datetime) -> str:
    """A moment as `records` takes it for a timestamp column."""
    if dialect_name == "postgresql":
        return at.isoformat()
    return at.astimezone(UTC).isoformat(" ", "microseconds").removesuffix("+00:00")


def hour_of(dialect_name: str, at: Any) -> Any:
    """The beginning of the hour a timestamp column falls into, in UTC."""
    if dialect_name == "postgresql":
        return func.date_trunc("hour", at, "UTC", type_=at.type)
    return type_coerce(func.substr(at, 1, 13, type_=Text()).concat(":00:00.000000"), at.type)


def days_before(dialect_name: str, at: Any, days: Any) -> Any:
    """The moment so many times 24 hours before `at`, exact to the microsecond; both may be columns or parameters."""
    if dialect_name == "postgresql":
        return at - func.make_interval(0, 0, 0, 0, 24 * days, type_=Interval)
    whole_seconds = func.strftime("%Y-%m-%d %H:%M:%S", func.substr(at, 1, 19), func.printf("%+d days", -days))
    return type_coerce(whole_seconds.concat(func.substr(at, 20)), at.type)


def begins(host: Host, column: Any, text: str) -> ColumnElement[bool]:
    """True where a text column begins with `text`, letter by letter; an index finds it.

    On PostgreSQL that takes an index with `varchar_pattern_ops`.
    """
    if dialect(host).name == "postgresql":
        found: ColumnElement[bool] = column.startswith(text, autoescape=True)
        return found
    return and_(column >= text, column < text + chr(0x10FFFF))
