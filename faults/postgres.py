"""A PostgreSQL that can be stopped, killed and started again over the same data, as the fault runs need it.

It differs from the tests' own in one setting: a commit is in the kernel's hands before it is confirmed, so a killed
server forgets nothing.
"""

import shutil
import signal
import socket
import struct
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from sample_host.services import postgres_server as programs
from sample_host.services.child_process import Child, start

DURABLE = {"synchronous_commit": "on", "deadlock_timeout": "200ms", "max_connections": "200"}
PEER = struct.Struct("3i")


class PostgreSQL:
    """A cluster of its own in a temporary folder, with databases made from one mould."""

    def __init__(self, logs: Path) -> None:
        self._user = programs.unprivileged_user()
        self.home = Path(tempfile.mkdtemp(prefix="massmail-pg-", dir="/tmp" if self._user else None))
        self._logs = logs
        self._programs = programs.reachable(programs.find_programs(), self.home, self._user)
        programs.prepare(self._programs, self.home, self._user)
        self._child: Child | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@/postgres?host={quote(str(self.home))}"

    def start(self) -> None:
        """Returns when it answers."""
        options = [part for name, value in DURABLE.items() for part in ("-c", f"{name}={value}")]
        self._child = start(
            [self._programs / "postgres", "-D", self.home / "data", "-k", self.home, *programs.settings(), *options],
            log=self._logs / "postgres.log",
            stop_signal=signal.SIGINT,
            user=self._user,
        )
        programs.wait_until_it_answers(self._child, self.url)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: everybody is thrown out in good order; SIGQUIT: as after a crash, with recovery at the next start."""
        if self._child is not None:
            self._child.process.send_signal(number)
            self._child.stop()
            self._child = None

    def close(self) -> None:
        """End it and remove its data."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.home, ignore_errors=True)

    def new_database(self, mould: str = "template1") -> str:
        """The URL of a new database, a copy of `mould`."""
        name = f"faults_{uuid4().hex}"
        # FILE_COPY ends with a checkpoint. Without one, a copied sequence is not in the log before it has used up what
        # the mould's had logged ahead, and PostgreSQL gives its numbers a second time after a crash.
        self.execute(f"CREATE DATABASE {name} TEMPLATE {mould} STRATEGY FILE_COPY")
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        self.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """One statement outside a transaction."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(statement))

    @contextmanager
    def away(self, number: signal.Signals = signal.SIGINT) -> Iterator[Counter[int]]:
        """Stop it for a while; meanwhile its address only counts who knocks, by process id."""
        self.stop(number)
        path = self.home / ".s.PGSQL.5432"
        path.unlink(missing_ok=True)
        knocks: Counter[int] = Counter()
        with counted(path, knocks):
            yield knocks
        path.unlink(missing_ok=True)
        self.start()


@contextmanager
def counted(path: Path, knocks: Counter[int]) -> Iterator[None]:
    """Listen on a Unix socket, note which process connects, and close at once."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o777)
    listener.listen(64)
    listener.settimeout(0.2)
    over = threading.Event()

    def count() -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                client, _ = listener.accept()
                pid, _, _ = PEER.unpack(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
                knocks[pid] += 1
                client.close()

    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        listener.close()


def fastest_knock(knocks: Mapping[int, int], seconds: float) -> float:
    """Tries per second of the most impatient process."""
    return max(knocks.values(), default=0) / seconds
