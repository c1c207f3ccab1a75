"""Runs the sample host as real processes beside this one: Redis, mail catcher, worker, scheduler, web.

Entered by `demo.py`, `demo_once.py` and the tests. It prepares the database and commits what it seeds.
"""

import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, select

from sample_host import demo_mailing
from sample_host.app import create_app
from sample_host.config import CHECKOUT, RUN_FILE, settings
from sample_host.crm.models import User, db
from sample_host.crm.seed import seed
from sample_host.reachable import answers, held_port, port_of, wait_until
from sample_host.services.child_process import Child, start
from sample_host.services.redis_server import redis_server

WEB_PORT, SMTP_PORT = 5080, 2525
SECONDS_TO_ANSWER = 60.0


class CannotRun(RuntimeError):
    """The demo cannot start or go on; the message says why and what to do."""


@dataclass(frozen=True)
class Running:
    """The running sample host: addresses, folder, processes by name, and an application beside them."""

    folder: Path
    address: str
    smtp_port: int
    children: Mapping[str, Child]
    app: Flask

    def ended(self) -> str | None:
        """The name of a process that ended by itself, or None."""
        return next((name for name, child in self.children.items() if not child.running), None)

    def check(self) -> None:
        """Raises CannotRun, with the end of its log, if a process ended by itself."""
        if name := self.ended():
            raise CannotRun(f"The process “{name}” ended by itself. Its log ends:\n{self.children[name].log_tail()}")


@contextmanager
def running(folder: Path, web_port: int = WEB_PORT, smtp_port: int = SMTP_PORT) -> Iterator[Running]:
    """Starts everything over `folder` and stops it afterwards; yields when the web answers.

    Must be entered from the main thread: the children end with it. Busy ports give way to the next free ones.
    Raises CannotRun, or ServiceMissing and ServiceFailed of `services`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(alone_in(folder))
        holders = [stack.enter_context(held_port(wanted)) for wanted in (web_port, smtp_port)]
        web_port, smtp_port = map(port_of, holders)
        redis_url = stack.enter_context(redis_server(folder / "redis"))
        address = f"http://127.0.0.1:{web_port}"
        config = {
            "MASSMAIL_BASE_URL": os.environ.get("MASSMAIL_BASE_URL", address),
            "MASSMAIL_REDIS_URL": redis_url,
        }
        environment = {**os.environ, "MASSMAIL_DEMO_DIR": str(folder), "PYTHONUNBUFFERED": "1", **config}
        environment["PYTHONPATH"] = os.pathsep.join([str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])])
        app = create_app(settings(environment))
        prepare(app)
        stack.enter_context(written_down(folder, config, smtp_port))
        for holder in holders:
            holder.close()
        children: dict[str, Child] = {}
        for name, command in commands(folder, web_port, smtp_port).items():
            children[name] = start(command, log=folder / "log" / f"{name}.log", environment=environment)
            stack.callback(children[name].stop)
        demo = Running(folder, address, smtp_port, children, app)
        stack.callback(close, app)
        wait_for_web(demo)
        with app.app_context():
            demo_mailing.load(smtp_port)
        yield demo


def commands(folder: Path, web_port: int, smtp_port: int) -> dict[str, list[str]]:
    """The processes, in the order in which they start; they stop in the reverse order."""
    flask = [sys.executable, "-m", "flask", "--app", "sample_host", "massmail"]
    catcher = [sys.executable, "-m", "sample_host.catcher.server", "--folder", str(folder / "caught")]
    return {
        "catcher": [*catcher, "--port", str(smtp_port)],
        "worker": [*flask, "worker"],
        "scheduler": [*flask, "scheduler"],
        "web": [sys.executable, "-m", "sample_host.web", "--port", str(web_port)],
    }


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """One demo to a folder; the lock goes with the process."""
    with (folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRun(f"A demo already runs over {folder}. Stop that one first.") from None
        yield


def prepare(app: Flask) -> None:
    """Brings the tables up to date, the CRM's and the plugin's, and fills them if nobody is there yet."""
    with app.app_context():
        upgrade()
    run_command(app, "massmail", "db", "upgrade")
    with app.app_context():
        if not db.session.scalar(select(func.count()).select_from(User)):
            seed(db.session(), datetime.now(UTC).date())
            db.session.commit()


def close(app: Flask) -> None:
    """Lets go of the database."""
    with app.app_context():
        db.engine.dispose()


def run_command(app: Flask, *words: str) -> None:
    """Runs a `flask` command within this process; raises CannotRun with what it printed if it fails."""
    result = app.test_cli_runner().invoke(args=list(words))
    if result.exit_code:
        raise CannotRun(f"`flask {' '.join(words)}` failed:\n{result.output}{result.exception or ''}")


@contextmanager
def written_down(folder: Path, config: Mapping[str, str], smtp_port: int) -> Iterator[None]:
    """While it runs, a file in the folder tells other commands where Redis and the web are."""
    path = folder / RUN_FILE
    path.write_text(json.dumps({"pid": os.getpid(), "smtp_port": smtp_port, "config": config}), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def wait_for_web(demo: Running) -> None:
    """Returns when the login page answers."""
    if not wait_until(lambda: answers(f"{demo.address}/login"), SECONDS_TO_ANSWER, demo.check):
        raise CannotRun(f"The web did not answer within {SECONDS_TO_ANSWER:.0f} seconds; see {demo.folder}/log.")


def asked(app: Flask, true: Callable[[], bool]) -> Callable[[], bool]:
    """The question with an application context, and so a transaction, of its own each time."""

    def ask() -> bool:
        with app.app_context():
            return true()

    return ask


def wait(demo: Running, true: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Returns when it is true; raises CannotRun after `seconds` or when a process has died."""
    if not wait_until(asked(demo.app, true), seconds, demo.check):
        raise CannotRun(f"{otherwise} within {seconds:.0f} seconds; the logs are in {demo.folder / 'log'}.")
