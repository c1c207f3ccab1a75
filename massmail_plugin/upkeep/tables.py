"""Checks of the database: our tables, the host's Alembic, SQLite's settings. The doctor enters."""

from collections.abc import Iterator

from flask import current_app
from sqlalchemy import text

from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing
from massmail_plugin.portable_sql import dialect
from massmail_plugin.upkeep import schema
from massmail_plugin.upkeep.check import Check, fail, ok, warning


def migrations(host: Host) -> Iterator[Check]:
    """Our tables are as this version of the plugin wants them."""
    found = schema.revision(host.session.connection())
    if found.up_to_date:
        yield ok("migrations", f"Tables at revision {found.current}.")
    else:
        at = f"at revision {found.current}" if found.current else "missing"
        yield fail(
            "migrations", f"The tables are {at}; revision {found.newest} is needed.", "Run `flask massmail db upgrade`."
        )


def sqlite(host: Host) -> Iterator[Check]:
    """SQLite lets web, scheduler and workers write beside each other only when tuned."""
    if dialect(host).name != "sqlite":
        return
    connection = host.session.connection()
    mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
    begun = bool(getattr(connection.connection.dbapi_connection, "in_transaction", False))
    if begun and mode in ("wal", "memory"):
        yield ok("sqlite", "SQLite is tuned for several processes.")
    else:
        yield fail(
            "sqlite",
            "SQLite is not tuned: with several processes, changes can be lost or fail with “database is locked”.",
            "Call massmail_plugin.hosting.tune(db.engine) in an application context, right after db.init_app(app).",
        )


def host_migrations(host: Host) -> Iterator[Check]:
    """The host's own autogenerate must leave our tables alone."""
    migrate = current_app.extensions.get("migrate")
    if migrate is None:
        return
    table, name = Mailing.__table__, Mailing.__tablename__
    wanted = migrate.configure_args.get("include_object")
    named = migrate.configure_args.get("include_name")
    if (wanted and not wanted(table, name, "table", True, None)) or (named and not named(name, "table", {})):
        yield ok("host migrations", "The host's `flask db migrate` leaves our tables alone.")
    else:
        yield warning(
            "host migrations",
            "The host's next `flask db migrate` would propose to drop our tables.",
            "Pass include_object=massmail_plugin.hosting.include_object to Migrate(app, db, ...).",
        )
