"""The servers of the contestants: a throw-away PostgreSQL that waits for its disk as a real one does, and a Redis."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine, make_url, text

from sample_host.services.child_process import start
from sample_host.services.postgres_server import (
    find_programs,
    prepare,
    reachable,
    unprivileged_user,
    wait_until_it_answers,
)
from sample_host.services.redis_server import redis_server

# As a small dedicated server is set up. What is committed is on the disk: fsync and synchronous_commit stay on.
SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "max_connections": "100",
}


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The URL of a PostgreSQL of our own, on a Unix socket; its data are gone afterwards.

    Raises ServiceMissing where there is none, ServiceFailed where it does not start.
    """
    user = unprivileged_user()
    with tempfile.TemporaryDirectory(prefix="bench-pg-", dir="/tmp" if user else None) as name:
        home = Path(name)
        programs = reachable(find_programs(), home, user)
        prepare(programs, home, user)
        options = [word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}")]
        command: list[str | Path] = [programs / "postgres", "-D", home / "data", "-k", home, *options]
        server = start(command, log=folder / "postgres.log", user=user)
        try:
            url = f"postgresql+psycopg://postgres@/postgres?host={quote(name)}"
            wait_until_it_answers(server, url)
            yield url
        finally:
            server.stop()


def fresh_database(server_url: str, name: str) -> str:
    """The URL of a new, empty database on the server."""
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """The URL of a Redis of our own."""
    with redis_server(folder / "redis", variable="MASSMAIL_BENCH_REDIS_URL") as url:
        yield url
