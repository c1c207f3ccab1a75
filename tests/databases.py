"""Databases for tests: made before they are asked for, as copies of one that holds our tables, and dropped meanwhile.

The fixtures of `tests/conftest.py` enter.
"""

import shutil
import sqlite3
import uuid
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from sqlalchemy import Connection, Engine, create_engine, inspect, make_url, text
from sqlalchemy.pool import NullPool

from massmail_plugin.models import Base
from massmail_plugin.upkeep.schema import configuration

EMPTY = "template1"
AHEAD = 2


class PostgresDatabases:
    """Databases of one server. A thread makes the next ones, and drops old ones, while tests run."""

    def __init__(self, server_url: str) -> None:
        self._url = make_url(server_url)
        self._server = create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        self._thread = ThreadPoolExecutor(1)
        self._ready: dict[str, deque[Future[str]]] = {}
        self._with_tables = ""

    def take(self, *, empty: bool) -> str:
        """The URL of a database of the caller's own."""
        if not empty and not self._with_tables:
            self._with_tables = self._make(EMPTY)
            _make_tables(self._address(self._with_tables))
        template = EMPTY if empty else self._with_tables
        waiting = self._ready.setdefault(template, deque())
        while len(waiting) <= AHEAD:
            waiting.append(self._thread.submit(self._make, template))
        return self._address(waiting.popleft().result())

    def give_back(self, url: str) -> None:
        """Nobody uses it any more."""
        self._thread.submit(self._drop, make_url(url).database)

    def close(self) -> None:
        """End the thread. What is left goes with the server, or is dropped from one that stays."""
        for waiting in self._ready.values():
            for made in waiting:
                self._thread.submit(self._drop, made.result())
        if self._with_tables:
            self._thread.submit(self._drop, self._with_tables)
        self._thread.shutdown()

    def _make(self, template: str) -> str:
        name = f"massmail_{uuid.uuid4().hex}"
        with self._server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}{_how(connection)}"))
        return name

    def _drop(self, name: str) -> None:
        with self._server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))

    def _address(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)


def _how(connection: Connection) -> str:
    """Copying files takes a seventh of the time of copying through the log, where nothing waits for the disk."""
    version = connection.dialect.server_version_info or (0,)
    return " STRATEGY FILE_COPY" if version >= (15,) else ""


def sqlite_with_tables(path: Path) -> str:
    """The URL of a new SQLite file with our tables."""
    shutil.copyfile(_sqlite_original(), path)
    return f"sqlite:///{path}"


def bring_tables(engine: Engine) -> None:
    """Our tables into a database that has none yet, before it has any others."""
    if inspect(engine).has_table(Base.metadata.sorted_tables[0].name):
        return
    if engine.dialect.name != "sqlite":
        Base.metadata.create_all(engine)
        return
    with closing(sqlite3.connect(_sqlite_original())) as original, closing(engine.raw_connection()) as connection:
        original.backup(connection.driver_connection)


@cache
def _sqlite_original() -> Path:
    folder = TemporaryDirectory(prefix="massmail-tables-")
    path = Path(folder.name) / "tables.sqlite"
    _make_tables(f"sqlite:///{path}")
    _KEPT.append(folder)
    return path


_KEPT: list["TemporaryDirectory[str]"] = []
"""Removed as the process ends."""


def _make_tables(url: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        command.upgrade(configuration(connection), "head")
