"""What a host's own set-up calls: a filter for its Alembic, and settings for its SQLite engine.

Nothing is committed here.
"""

from typing import Any

from sqlalchemy import Connection, Engine, event

from massmail_plugin.upkeep.schema import is_ours

SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=15000", "foreign_keys=ON")
READS_ONLY = "sqlite_deferred"


def include_object(thing: Any, name: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:
    """Keep our tables, with all that belongs to them, out of the host's `flask db migrate`.

    Goes to the host's Alembic as it is: `Migrate(app, db, include_object=include_object)`. Our tables have a history
    of their own (`flask massmail db upgrade`); without this filter the host's would drop them.
    """
    table = thing if type_ == "table" else getattr(thing, "table", None)
    return not is_ours(getattr(table, "name", None))


def tune(engine: Engine) -> None:
    """Make an SQLite engine fit for several processes: readers beside one writer, writers wait instead of failing.

    Call it once for each engine, before its first connection: `with app.app_context(): tune(db.engine)`. Each
    transaction takes the write lock as it begins, unless it says that it only reads:
    `db.session.connection(execution_options={"sqlite_deferred": True})`. Other databases are left as they are.
    """
    if engine.dialect.name != "sqlite" or event.contains(engine, "begin", _begin):
        return
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)


def _set_up(connection: Any, record: Any) -> None:
    """The driver must not begin transactions by itself: it does so too late, after the first read."""
    connection.isolation_level = None
    for pragma in SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    reads_only = connection.get_execution_options().get(READS_ONLY)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
