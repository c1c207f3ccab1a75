"""The history of our own tables: upgrade, downgrade, where it stands, the SQL. The CLI enters; commits by itself.

Runs through the host's engine on a connection of its own, so the caller must have no transaction open.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest, SetupError

TABLE_PREFIX = "massmail_"
VERSION_TABLE = "massmail_alembic_version"
# Any number will do, as long as nobody else in the database uses it.
ADVISORY_LOCK = 6_110_027_415_833

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Revision:
    """Where the tables stand (None: there are none) and where this version of the plugin wants them."""

    current: str | None
    newest: str

    @property
    def up_to_date(self) -> bool:
        return self.current == self.newest


def is_ours(table_name: str | None) -> bool:
    """True for the name of a table of the plugin: every table whose name begins with `massmail_` is ours."""
    return (table_name or "").startswith(TABLE_PREFIX)


def upgrade(host: Host) -> Revision:
    """Bring the tables to the newest revision; where it stood before. All or nothing; several may call it at once."""
    with _alone(host) as connection:
        before = revision(connection)
        command.upgrade(configuration(connection), "head")
    return before


def downgrade(host: Host, to: str) -> Revision:
    """Take the tables back to the revision `to` ("base": no tables at all); where it stood before. Data are lost.

    Raises BadRequest where there is no such revision.
    """
    with _alone(host) as connection:
        before = revision(connection)
        try:
            command.downgrade(configuration(connection), to)
        except CommandError as error:
            raise BadRequest(f"The tables cannot be taken back to “{to}”: {error}") from None
    return before


def current(host: Host) -> Revision:
    """Where the tables stand."""
    with _reading(host) as connection:
        return revision(connection)


def revision(connection: Connection) -> Revision:
    """Where the tables stand that `connection` sees."""
    found = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    return Revision(found, _newest())


def sql(host: Host, *, whole: bool = False) -> str:
    """The SQL that `upgrade` would run now, for the host's database; from the very beginning with `whole`."""
    with _reading(host) as connection:
        start = None if whole else revision(connection).current
        if start == _newest():
            return ""
        wanted = configuration(connection)
        wanted.output_buffer = StringIO()
        command.upgrade(wanted, f"{start or 'base'}:head", sql=True)
    return wanted.output_buffer.getvalue()


def configuration(connection: Connection | None = None) -> AlembicConfig:
    """Alembic's configuration for our history, working on `connection`."""
    made = AlembicConfig()
    made.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def _folder() -> Path:
    """`migrations/` lies in an installed package, and beside the package in a checkout."""
    for folder in (_PACKAGE / "migrations", _PACKAGE.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise SetupError(f"The migrations of massmail-plugin are missing from {_PACKAGE}; install the package again.")


def _newest() -> str:
    return ScriptDirectory.from_config(configuration()).get_current_head() or ""


@contextmanager
def _reading(host: Host) -> Iterator[Connection]:
    """A connection that waits for no writer, also where the host's SQLite is tuned."""
    with host.db.engine.connect() as connection:
        yield connection.execution_options(sqlite_deferred=True)


@contextmanager
def _alone(host: Host) -> Iterator[Connection]:
    """A transaction in which nobody else changes our tables: an advisory lock, or SQLite's own write lock."""
    with host.db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        elif connection.dialect.name == "sqlite" and not _in_transaction(connection):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def _in_transaction(connection: Connection) -> bool:
    """SQLite's driver begins a transaction only with the first change of data, which would leave DDL outside."""
    return bool(getattr(connection.connection.dbapi_connection, "in_transaction", False))
