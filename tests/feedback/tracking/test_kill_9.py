"""Killed at any instant: a hit that was answered is kept, and none is kept twice. Short forms of long runs."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from itertools import cycle
from pathlib import Path
from socket import socket

import pytest
from sqlalchemy import insert, select

from bench.children import ROOT
from bench.feedback.mails import environment, settings
from bench.host import SOURCE, Base, context, create_app
from massmail_plugin import feedback
from massmail_plugin.contracts import Host
from massmail_plugin.feedback.tracking.spool import SpooledHit, append, spool_files
from massmail_plugin.models import Chunk, Event, Link, Mailing, OutboxMessage
from massmail_plugin.signed_links import message_token
from massmail_plugin.vocabulary import EventKind
from sample_host.services.child_process import Child, start
from tests.feedback.tracking.went_out import FIREFOX
from tests.requirements import need

MAILS = 500
VISITORS = 4
KILLS = 4


@pytest.fixture
def made(database_url: str, tmp_path: Path) -> dict[str, object]:
    return {**settings(database_url, tmp_path / "state"), "MASSMAIL_DRAIN_SECONDS": 1}


@pytest.fixture
def host(made: dict[str, object]) -> Iterator[Host]:
    """With one mailing to MAILS recipients, which went out long ago."""
    with context(create_app(made)) as host:
        Base.metadata.create_all(host.db.engine)
        now = host.clock() - timedelta(days=1)
        mailing = Mailing(name="News", state="finished", contact_source=SOURCE, created_at=now)
        host.session.add(mailing)
        host.session.flush()
        host.session.add_all([Link(mailing_id=mailing.id, number=1, target="https://shop.example/")])
        host.session.add(Chunk(mailing_id=mailing.id, number=0, sent=MAILS))
        row = {"mailing_id": mailing.id, "chunk": 0, "contact_source": SOURCE, "address_role": "main", "state": "sent"}
        host.session.execute(
            insert(OutboxMessage),
            [{**row, "contact_key": str(n), "address": f"a{n}@example.org", "handed_at": now} for n in range(MAILS)],
        )
        host.session.commit()
        yield host


def kept(host: Host) -> Counter[int]:
    return Counter(host.session.scalars(select(Event.message_id)))


# --- The web server -------------------------------------------------------------------------------------------


@contextmanager
def gunicorn(made: dict[str, object], folder: Path) -> Iterator[tuple[Child, int]]:
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    words = ("-k", "sync", "-w", "3", "-b", f"127.0.0.1:{port}", "bench.feedback.web:app", "--no-control-socket")
    command = [sys.executable, "-m", "gunicorn", "--chdir", str(ROOT), *words]
    server = start(command, log=folder / "gunicorn.log", environment=environment(made))
    try:
        yield server, port
    finally:
        server.stop()


def workers(master: int) -> list[int]:
    found = Path(f"/proc/{master}/task/{master}/children")
    return [int(word) for word in found.read_text().split()] if found.exists() else []


def visit(port: int, path: str) -> bool:
    """Whether an answer came, from its first octet to its last."""
    try:
        with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("GET", path, headers={"User-Agent": FIREFOX})
            answer = connection.getresponse()
            answer.read()
            return answer.status in (200, 302)
    except (OSError, HTTPException):
        return False


def wait_until_it_answers(port: int, server: Child) -> None:
    end = time.monotonic() + 60
    while not visit(port, "/nothing"):
        assert time.monotonic() < end, server.log_tail()
        assert server.running, server.log_tail()
        time.sleep(0.2)


def test_what_killed_web_processes_answered_is_kept_once(made: dict[str, object], host: Host, tmp_path: Path) -> None:
    if not Path("/proc/self/task").exists():
        need("proc", "worker processes cannot be found without /proc.")
    mails = list(host.session.execute(select(OutboxMessage.id, OutboxMessage.mailing_id)))
    host.session.remove()
    asked: list[int] = []
    answered: list[int] = []
    todo, over = cycle(mails), threading.Event()

    def visitor(port: int) -> None:
        while not over.is_set():
            message_id, mailing_id = next(todo)
            asked.append(message_id)
            token = message_token(host.config, message_id, mailing_id)
            if visit(port, f"/m/o/{token}.gif" if len(asked) % 2 else f"/m/c/{token}/1"):
                answered.append(message_id)

    with gunicorn(made, tmp_path) as (server, port):
        wait_until_it_answers(port, server)
        visitors = [threading.Thread(target=visitor, args=(port,)) for _ in range(VISITORS)]
        for one in visitors:
            one.start()
        killed = 0
        while killed < KILLS:
            time.sleep(random.uniform(0.05, 0.4))
            if living := workers(server.process.pid):
                os.kill(random.choice(living), signal.SIGKILL)
                killed += 1
        over.set()
        for one in visitors:
            one.join()
    feedback.drain(host, wait=timedelta(0))
    found = kept(host)
    assert len(answered) > KILLS, "the server answered"
    assert not Counter(answered) - found, "nothing that was answered is lost"
    assert not found - Counter(asked), "nothing is kept twice"
    assert spool_files(host.state_dir) == [], "every process has ended, and its file was taken over"


# --- The drain ------------------------------------------------------------------------------------------------

DRAIN = """
import sys
from datetime import timedelta
from bench.feedback.mails import settings_of_server
from bench.host import context, create_app
from massmail_plugin import feedback
from massmail_plugin.feedback.tracking import batches
batches.AT_ONCE = 50
with context(create_app(settings_of_server())) as host:
    print("go", flush=True)
    feedback.drain(host, wait=timedelta(0))
"""


def test_a_drain_that_is_killed_again_and_again_keeps_each_hit_once(made: dict[str, object], host: Host) -> None:
    mails = list(host.session.execute(select(OutboxMessage.id)).scalars())
    host.session.remove()
    for number, message_id in enumerate(mails):
        at = host.clock() - timedelta(hours=2) + timedelta(seconds=number)
        kind = EventKind.CLICK
        append(host.state_dir, SpooledHit(kind, at, message_id, 1, FIREFOX, ""))
    ended = None
    kills = 0
    while ended != 0:
        with subprocess.Popen(
            [sys.executable, "-c", DRAIN], cwd=ROOT, env=environment(made), stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            try:
                ended = process.wait(random.uniform(0.05, 0.6) if kills < KILLS else 60)
            except subprocess.TimeoutExpired:
                process.kill()
                ended, kills = process.wait(), kills + 1
    assert kills > 0
    assert kept(host) == Counter(mails)
