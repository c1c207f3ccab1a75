"""The sample host as real processes that can be killed: workers, schedulers, Redis, a mail server that writes down.

Runs launch mailings, break things, and compare in the end what the mail server took with what the rows say
(`faults.reckoning`). Every process that is started here is ended here, by its id.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.pool import NullPool

from faults.mail_server import MailServer, listens
from faults.mould import CROWD, Mould
from faults.patience import alive, children, needed, until
from faults.reckoning import Taken
from massmail_plugin import mailings
from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, List, Mailing, OutboxMessage, Sender, Template
from massmail_plugin.sending import senders
from massmail_plugin.vocabulary import MailingState
from sample_host import demo_mailing
from sample_host.app import create_app
from sample_host.config import CHECKOUT, settings
from sample_host.crm.models import db
from sample_host.reachable import free_port
from sample_host.running import close
from sample_host.services import redis_server
from sample_host.services.child_process import end_with_parent

BY = "the fault runs"
QUICK = {
    "MASSMAIL_LEASE_SECONDS": "5",
    "MASSMAIL_TICK_SECONDS": "1",
    "MASSMAIL_LANE_SECONDS": "20",
    "MASSMAIL_RETRY_FIRST_SECONDS": "1",
    "MASSMAIL_CHUNK_SIZE": "200",
}
APP = "faults.hosts"


@dataclass
class World:
    """Everything that runs, by name: `sink`, `redis`, `scheduler`, `worker0` and so on."""

    folder: Path
    port: int
    environment: dict[str, str]
    app: Flask
    crowd: int
    """Contacts on the list Crowd."""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    commands: dict[str, tuple[Sequence[str], Mapping[str, str]]] = field(default_factory=dict)
    orphans: list[int] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    """Processes that ended by themselves and were started again, as a service manager does; with their last words."""
    sinks: dict[str, MailServer] = field(default_factory=dict)

    @property
    def sink(self) -> MailServer:
        return self.sinks["sink"]

    @property
    def host(self) -> Host:
        host: Host = self.app.extensions["massmail"]
        return host

    # --- Processes ---

    def start(self, name: str, *command: str | Path, **environment: str) -> None:
        """Start a process under a name; it ends with this one at the latest."""
        words = [str(word) for word in command]
        self.commands[name] = words, environment
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**self.environment, **environment},
                cwd=CHECKOUT,
                preexec_fn=end_with_parent(signal.SIGKILL),
            )

    def again(self, name: str) -> None:
        """Start what has ended, with the same command."""
        command, environment = self.commands[name]
        self.start(name, *command, **environment)

    def start_flask(self, name: str, *words: str, **environment: str) -> None:
        """A `flask massmail` command of the host."""
        self.start(name, sys.executable, "-m", "flask", "--app", APP, "massmail", *words, **environment)

    def start_workers(self, number: int, *, first: int = 0, environment: Mapping[str, str] | None = None) -> None:
        """Workers `worker0` and so on."""
        for one in range(first, first + number):
            self.start_flask(f"worker{one}", "worker", **(environment or {}))

    def start_redis(self) -> None:
        """Returns when it listens."""
        folder, path = self.folder / "redis", self.folder / "r.sock"
        folder.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        self.start("redis", *redis_server.command(redis_server.find_program(), folder, path))
        needed(until(lambda: listens(path), 20), "Redis did not start")

    def flush_redis(self) -> None:
        """FLUSHALL."""
        with redis.Redis.from_url(self.environment["MASSMAIL_REDIS_URL"]) as connection:
            connection.flushall()

    def start_sink(self, name: str = "sink") -> MailServer:
        """A mail server by name; returns when it listens. One that ran before gets its last script again."""
        if name not in self.sinks:
            port = self.port if name == "sink" else free_port(random.randrange(20000, 50000))
            self.sinks[name] = MailServer(port, self.folder / name)
        sink = self.sinks[name]
        self.start(name, sys.executable, "-m", "faults.sink", str(sink.port), sink.folder)
        needed(until(sink.listens, 20), "the mail server did not start")
        sink.script()
        return sink

    def kill(self, name: str, *, which: str = "both") -> list[int]:
        """SIGKILL for a process (`parent`), those it forked (`children`) or `both`; returns the ids of the killed.

        Nothing of it can tidy up.
        """
        process = self.processes[name]
        forked = children(process.pid)
        if which in ("both", "children"):
            for pid in forked:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if which == "children":
            return forked
        del self.processes[name]
        process.kill()
        process.wait()
        if which == "parent":
            self.orphans += forked
            return [process.pid]
        return [process.pid, *forked]

    def stop(self, name: str, seconds: float = 60) -> float:
        """SIGTERM; the seconds until it and what it forked have ended. Raises TimeoutExpired."""
        process, began = self.processes.pop(name), time.monotonic()
        forked = children(process.pid)
        process.terminate()
        process.wait(seconds)
        until(lambda: not any(alive(pid) for pid in forked), seconds)
        return time.monotonic() - began

    def keep_running(self) -> None:
        """Start again what ended by itself."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                self.ended.append(f"{name}: {self.last_words(name)}")
                self.again(name)

    def kill_everything(self) -> None:
        """The end of this world."""
        for name in sorted(self.processes):
            self.kill(name)
        for pid in self.orphans:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.orphans.clear()

    def workers(self) -> list[str]:
        """The names of the workers that run."""
        return [name for name in self.processes if name.startswith("worker")]

    def busy(self) -> list[str]:
        """The names of the workers that hold a chunk at this moment."""
        holders = [chunk.leased_by or "" for chunk in self.leased()]
        return [
            name
            for name in self.workers()
            if any(_holds(pid, holder) for pid in children(self.processes[name].pid) for holder in holders)
        ]

    # --- Mailings ---

    def launch(self, list_name: str = CROWD, template: str = demo_mailing.HOURS, name: str = "Faults") -> int:
        """Make a mailing and send it off."""
        with self.app.app_context():
            return demo_mailing.launch(name, template, list_name)

    def draft(self, list_name: str = CROWD, template: str = demo_mailing.HOURS, **values: Any) -> int:
        """Make a mailing and leave it a draft."""
        with self.app.app_context():
            made = mailings.create(
                self.host,
                name="Faults",
                contact_source=demo_mailing.SOURCE,
                by=BY,
                list_ids=[db.session.scalars(select(List.id).where(List.name == list_name)).one()],
                template_id=db.session.scalars(select(Template.id).where(Template.name == template)).one(),
                address_roles=["main"],
                **values,
            )
            db.session.commit()
            return made.id

    def do(self, act: Callable[..., object], mailing_id: int, **options: object) -> None:
        """What a person does to the mailing, committed."""
        with self.app.app_context():
            act(self.host, db.session.get_one(Mailing, mailing_id), **options)
            db.session.commit()

    def mailing(self, mailing_id: int) -> tuple[str, str, str]:
        """State, reason and note of holding it."""
        columns = Mailing.state, Mailing.hold_reason, Mailing.hold_note
        with self.app.app_context():
            state, reason, note = db.session.execute(select(*columns).where(Mailing.id == mailing_id)).one()
            return state, reason, note

    def state(self, mailing_id: int) -> str:
        return self.mailing(mailing_id)[0]

    def finish(self, mailing_ids: Sequence[int], seconds: float) -> None:
        """Wait until all are finished; workers that end by themselves are started again. Raises Unfit."""
        done = until(lambda: self.finished(mailing_ids), seconds, self.keep_running)
        left = [self.describe(one) for one in self.open(mailing_ids)[:3]]
        needed(done, f"not finished in {seconds:.0f} s: {left} {self.fault()}")

    def finish_or_pause(self, mailing_id: int, seconds: float) -> None:
        """Wait until it has ended or is held, with nothing in a worker's hands. Raises Unfit."""

        def at_rest() -> bool:
            held = self.state(mailing_id) == MailingState.PAUSED
            return (held and not self.leased()) or self.finished([mailing_id])

        needed(until(at_rest, seconds, self.keep_running), f"neither held nor finished: {self.describe(mailing_id)}")

    def finished(self, mailing_ids: Sequence[int]) -> bool:
        return not self.open(mailing_ids)

    def open(self, mailing_ids: Sequence[int]) -> list[int]:
        """Those that have not ended, and those with a chunk in a worker's hands."""
        over = MailingState.FINISHED.value, MailingState.CANCELLED.value
        chosen = Mailing.id.in_(mailing_ids)
        busy = select(Chunk.mailing_id).where(Chunk.leased_by.is_not(None))
        with self.app.app_context():
            return list(
                db.session.scalars(
                    select(Mailing.id).where(chosen, ~Mailing.state.in_(over) | chosen & Mailing.id.in_(busy))
                )
            )

    def describe(self, mailing_id: int) -> str:
        """A mailing in a few words."""
        return f"mailing {mailing_id} {self.mailing(mailing_id)} {dict(self.rows(mailing_id))}"

    def rows(self, mailing_id: int) -> Counter[str]:
        """How many rows are in each state."""
        with self.app.app_context():
            states = select(OutboxMessage.state).where(OutboxMessage.mailing_id == mailing_id)
            return Counter(db.session.scalars(states))

    def row(self, mailing_id: int, *columns: Any, **where: Any) -> list[Any]:
        """Columns of chosen rows of a mailing."""
        query = select(*columns).where(OutboxMessage.mailing_id == mailing_id).filter_by(**where)
        with self.app.app_context():
            return list(db.session.execute(query.order_by(OutboxMessage.id)))

    def leased(self) -> list[Any]:
        """The chunks in workers' hands: id, mailing, number, holder."""
        columns = Chunk.id, Chunk.mailing_id, Chunk.number, Chunk.leased_by
        with self.app.app_context():
            return list(db.session.execute(select(*columns).where(Chunk.leased_by.is_not(None))))

    def held_by(self, pids: Sequence[int]) -> list[Any]:
        """The chunks in the hands of these processes."""
        return [chunk for chunk in self.leased() if any(_holds(pid, chunk.leased_by or "") for pid in pids)]

    def add_sender(self, port: int, **values: Any) -> int:
        """Another sender, tried out; values as columns of Sender."""
        with self.app.app_context():
            draft = demo_mailing.CATCHER_ACCOUNT
            made = senders.save(self.host, None, type(draft)(**{**vars(draft), "name": f"Sender {port}", "port": port}))
            for name, value in values.items():
                setattr(made, name, value)
            db.session.commit()
            senders.try_out(self.host, made, "", by=BY)
            return made.id

    def change_sender(self, **values: Any) -> None:
        """Set columns of the sender all mailings use."""
        with self.app.app_context():
            db.session.execute(update(Sender).where(Sender.name == demo_mailing.CATCHER).values(**values))
            db.session.commit()

    def test_sender(self) -> None:
        """What a person does when the mail server is well again: press Test."""
        with self.app.app_context():
            demo_mailing.load(self.port)

    def fault(self) -> str:
        """Why sending is held, in the sender's words."""
        with self.app.app_context():
            return db.session.scalars(select(Sender.fault).where(Sender.name == demo_mailing.CATCHER)).one()

    def taken(self) -> list[Taken]:
        """What the mail servers have taken."""
        return [taken for sink in self.sinks.values() for taken in sink.taken()]

    def accepted(self) -> int:
        """How many mails the mail servers have taken."""
        return sum(sink.accepted() for sink in self.sinks.values())

    def sends(self, more: int = 20, seconds: float = 60) -> None:
        """Wait until the mail server has taken `more`. Raises Unfit."""
        before = self.accepted()
        done = until(lambda: self.accepted() >= before + more, seconds, self.keep_running)
        needed(done, f"nothing is sent: {self.logs()}")

    def last_words(self, name: str) -> str:
        """The last line of a process's log."""
        lines = (self.folder / f"{name}.log").read_text(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else ""

    def said(self, words: str, of: str = "worker*.log") -> bool:
        """Whether a process has said this."""
        return any(words in path.read_text(errors="replace") for path in self.folder.glob(of))

    def logs(self) -> str:
        """The ends of the workers' and the scheduler's logs."""
        paths = [*sorted(self.folder.glob("worker*.log")), *sorted(self.folder.glob("scheduler*.log"))]
        return "\n".join(f"{path.name}: {path.read_text(errors='replace')[-600:]}" for path in paths)


@contextmanager
def world(mould: Mould, **environment: str) -> Iterator[World]:
    """A fresh host with its mail server, Redis and a scheduler; workers are started by the run."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="mm-", ignore_cleanup_errors=True)))
        port = free_port(random.randrange(20000, 50000))
        shutil.copy(mould.folder / "secrets.json", folder)
        own = {
            **QUICK,
            "MASSMAIL_DEMO_DIR": str(folder),
            "MASSMAIL_STATE_DIR": str(folder / "state"),
            "MASSMAIL_REDIS_URL": f"unix://{folder / 'r.sock'}",
            "MASSMAIL_DATABASE_URL": stack.enter_context(mould.copied(folder)),
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        environ = {**os.environ, **own}
        app = create_app({**settings(environ), "SQLALCHEMY_ENGINE_OPTIONS": _engine(own["MASSMAIL_DATABASE_URL"])})
        made = World(folder, port, environ, app, mould.contacts)
        stack.callback(close, app)
        stack.callback(made.kill_everything)
        made.start_redis()
        made.start_sink()
        made.test_sender()
        made.start_flask("scheduler", "scheduler")
        yield made


def _engine(url: str) -> dict[str, Any]:
    """The run's own sessions bear its name, so that a database can tell them from the engine's."""
    named = {"application_name": "faults"} if url.startswith("postgresql") else {}
    return {"poolclass": NullPool, "connect_args": named}


def _holds(pid: int, holder: str) -> bool:
    """Whether a lease's holder (machine, process, a random word) is this process."""
    return str(pid) in holder.split(":")
