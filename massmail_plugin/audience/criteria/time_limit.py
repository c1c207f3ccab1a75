"""A bound in time for questions that people put together on screen. Reads only."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from massmail_plugin.contracts import Host
from massmail_plugin.errors import TooSlow
from massmail_plugin.portable_sql import dialect

STEPS = 10_000
"""So often SQLite asks whether to go on: after this many steps of its machine, some tenths of a millisecond."""
_CANCELLED = "57014"
"""SQLSTATE query_canceled."""


@contextmanager
def bounded(host: Host, what: str = "This criterion") -> Iterator[None]:
    """Statements within are stopped after MASSMAIL_CRITERION_SECONDS each (on SQLite: all of them together).

    Raises TooSlow then; the transaction goes on as if they had not been asked. What is changed within is undone too.
    """
    seconds = host.config.criterion_seconds
    if seconds <= 0:
        yield
        return
    bound = _on_postgresql if dialect(host).name == "postgresql" else _on_sqlite
    try:
        with bound(host, seconds):
            yield
    except DBAPIError as error:
        if not _stopped(error):
            raise
        raise TooSlow(
            f"{what} took longer than {seconds} seconds, so the database was stopped. Ask for less at once, or ask the "
            "people who run the application for an index."
        ) from error


@contextmanager
def _on_postgresql(host: Host, seconds: int) -> Iterator[None]:
    """In a savepoint, since a statement that is stopped ends all that came before it in its transaction."""
    set_limit = text("SELECT set_config('statement_timeout', :limit, true)")
    with host.session.begin_nested():
        before = host.session.scalar(text("SELECT current_setting('statement_timeout')"))
        host.session.execute(set_limit, {"limit": str(1000 * seconds)})
        yield
        host.session.execute(set_limit, {"limit": before})


@contextmanager
def _on_sqlite(host: Host, seconds: int) -> Iterator[None]:
    connection: Any = host.session.connection().connection.driver_connection
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def _stopped(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) == _CANCELLED or "interrupted" in str(error.orig)
