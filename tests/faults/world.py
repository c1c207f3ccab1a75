"""The sample host as real processes that can be killed: workers, schedulers, Redis, a mail server that writes down.

Tests launch a mailing, break things, and compare in the end what the mail server took with what the rows say.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask
from sqlalchemy import select

from massmail_plugin import signed_links
from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, Mailing, OutboxMessage, Sender
from massmail_plugin.vocabulary import MailingState
from sample_host import demo_mailing
from sample_host.app import create_app
from sample_host.config import CHECKOUT, settings
from sample_host.crm.models import db
from sample_host.reachable import free_port
from sample_host.running import close, prepare
from sample_host.services import redis_server

SINK = Path(__file__).with_name("sink.py")
QUICK = {
    "MASSMAIL_LEASE_SECONDS": "4",
    "MASSMAIL_TICK_SECONDS": "1",
    "MASSMAIL_CHUNK_SIZE": "40",
    "MASSMAIL_LANE_SECONDS": "20",
}


@dataclass
class World:
    """Everything that runs, by role; `taken` is what the mail server has on record."""

    folder: Path
    port: int
    environment: dict[str, str]
    app: Flask
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def host(self) -> Host:
        host: Host = self.app.extensions["massmail"]
        return host

    # --- Processes ---

    def start(self, name: str, *command: str | Path) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [str(word) for word in command], stdout=log, stderr=log, env=self.environment, cwd=CHECKOUT
            )

    def start_flask(self, name: str, *words: str) -> None:
        self.start(name, sys.executable, "-m", "flask", "--app", "sample_host", "massmail", *words)

    def start_workers(self, number: int) -> None:
        for one in range(number):
            self.start_flask(f"worker{one}", "worker")

    def start_sink(self, delay: float = 0.0) -> None:
        self.start("sink", sys.executable, SINK, str(self.port), self.folder / "taken.log", str(delay))
        assert until(self._sink_listens, 20)

    def _sink_listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def start_redis(self) -> None:
        folder, path = self.folder / "redis", self.folder / "r.sock"
        folder.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        self.start("redis", *redis_server.command(redis_server.find_program(), folder, path))
        assert until(path.exists, 20)

    def kill(self, name: str) -> None:
        """SIGKILL for a process and those it forked: nothing of it can tidy up."""
        process = self.processes.pop(name)
        forked = children(process.pid)
        process.kill()
        for pid in forked:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()

    def stop(self, name: str, seconds: float = 30) -> float:
        """SIGTERM; the seconds until it ended. Raises TimeoutExpired."""
        process, began = self.processes.pop(name), time.monotonic()
        process.terminate()
        process.wait(seconds)
        return time.monotonic() - began

    def kill_everything(self) -> None:
        for name in list(self.processes):
            self.kill(name)

    # --- The mailing ---

    def launch(self) -> int:
        with self.app.app_context():
            return demo_mailing.launch("Faults", demo_mailing.HOURS, demo_mailing.EVERYBODY)

    def state(self, mailing_id: int) -> str:
        with self.app.app_context():
            return db.session.scalars(select(Mailing.state).where(Mailing.id == mailing_id)).one()

    def do(self, act: Callable[..., object], mailing_id: int, **options: object) -> None:
        """What a person does to the mailing, committed."""
        with self.app.app_context():
            act(self.host, db.session.get_one(Mailing, mailing_id), **options)
            db.session.commit()

    def finish(self, mailing_id: int, seconds: float) -> None:
        """Wait until it is finished; what stays away is in the logs."""
        done = until(lambda: self.state(mailing_id) == MailingState.FINISHED, seconds)
        assert done, f"not finished: {self.rows(mailing_id)}, {self.logs()}"

    def rows(self, mailing_id: int) -> Counter[str]:
        with self.app.app_context():
            states = select(OutboxMessage.state).where(OutboxMessage.mailing_id == mailing_id)
            return Counter(db.session.scalars(states))

    def reasons(self, rows: set[int]) -> set[str]:
        with self.app.app_context():
            return set(db.session.scalars(select(OutboxMessage.reason).where(OutboxMessage.id.in_(rows))))

    def quiet(self, mailing_id: int) -> bool:
        """True where no worker has anything of the mailing in hand."""
        with self.app.app_context():
            leased = select(Chunk.id).where(Chunk.mailing_id == mailing_id, Chunk.leased_by.is_not(None))
            return db.session.scalars(leased).first() is None

    def test_sender(self) -> None:
        """What a person does when the mail server is back: press Test."""
        with self.app.app_context():
            demo_mailing.load(self.port)

    def fault(self) -> str:
        with self.app.app_context():
            return db.session.scalars(select(Sender.fault)).one()

    def logs(self) -> str:
        return "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in sorted(self.folder.glob("worker*.log")))

    def taken(self) -> Counter[str]:
        """How often the mail server took each mail, by Message-ID."""
        path = self.folder / "taken.log"
        return Counter(line.split()[1] for line in path.read_text().splitlines()) if path.exists() else Counter()

    # --- The reckoning ---

    def reckon(self, mailing_id: int) -> tuple[list[int], list[int], int]:
        """Rows that are lost (sent, but nobody took them), mails that are doubled, and the number of uncertain rows."""
        config = self.host.config
        took = {signed_links.read_message_id_field(config, mail): number for mail, number in self.taken().items()}
        with self.app.app_context():
            query = select(OutboxMessage.id, OutboxMessage.state).where(OutboxMessage.mailing_id == mailing_id)
            rows = {row.id: row.state for row in db.session.execute(query)}
            chunks = [
                db.session.scalars(select(column).where(Chunk.mailing_id == mailing_id)).all()
                for column in (Chunk.planned, Chunk.deferred, Chunk.sent, Chunk.uncertain, Chunk.leased_by)
            ]
        lost = [
            row for row, state in rows.items() if (state == "sent") > (row in took) or state in ("planned", "deferred")
        ]
        stray = [row for row in took if rows.get(row) not in ("sent", "uncertain", None)]
        assert stray == [], "mails were taken whose rows deny it"
        states = Counter(rows.values())
        assert [sum(number) for number in chunks[:4]] == [
            states[name] for name in ("planned", "deferred", "sent", "uncertain")
        ]
        assert not any(chunks[4]), "a lease was left behind"
        return lost, [row for row, number in took.items() if number > 1], states["uncertain"]


@contextmanager
def world(database_url: str | None = None, **environment: str) -> Iterator[World]:
    """A fresh host with its mail server, Redis and scheduler; workers are started by the test."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="mm-", ignore_cleanup_errors=True)))
        port = free_port(random.randrange(20000, 50000))
        own = {
            "MASSMAIL_DEMO_DIR": str(folder),
            "MASSMAIL_REDIS_URL": f"unix://{folder / 'r.sock'}",
            "PYTHONUNBUFFERED": "1",
            **QUICK,
            **environment,
        }
        if database_url:
            own["MASSMAIL_DATABASE_URL"] = database_url
        environ = {**os.environ, **own}
        app = create_app(settings(environ))
        prepare(app)
        made = World(folder, port, environ, app)
        stack.callback(close, app)
        stack.callback(made.kill_everything)
        made.start_redis()
        made.start_sink()
        with app.app_context():
            demo_mailing.load(port)
        made.start_flask("scheduler", "scheduler")
        yield made


def children(pid: int) -> list[int]:
    with suppress(FileNotFoundError, ProcessLookupError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def until(true: Callable[[], bool], seconds: float) -> bool:
    """Wait for it; False where it did not come true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.1)
    return False
