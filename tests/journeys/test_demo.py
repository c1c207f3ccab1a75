"""`make demo-once` and `make demo` as processes: the figures agree, and nothing stays behind."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sample_host.demo_once import CLICK, OPEN, PORTS, REMOVE
from sample_host.reachable import free_port
from tests.requirements import need

pytestmark = pytest.mark.xdist_group("demo")

CHECKOUT = Path(__file__).resolve().parents[2]
KEYS = {
    "contacts", "planned", "skipped", "sent", "failed", "caught", "distinct", "read", "clicked", "removed", "statuses",
}  # fmt: skip
OWN = "MASSMAIL_"
LAST_LINE = "Ctrl-C stops everything."


def environment(**more: str) -> dict[str, str]:
    """The tests' own, without what it says about the demo."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    return {**kept, "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1", **more}


@pytest.mark.usefixtures("redis_url")
def test_the_main_job_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sample_host.demo_once"],
        cwd=CHECKOUT,
        env=environment(TMPDIR=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert set(figures) >= KEYS
    assert figures["contacts"] == sum(figures["statuses"].values()) == 1284
    assert figures["sent"] == figures["caught"] == figures["distinct"] > 1000
    assert figures["planned"] == figures["sent"] + figures["skipped"] + figures["failed"]
    assert (figures["read"], figures["clicked"], figures["removed"]) == (OPEN, CLICK, REMOVE)
    expected = {
        "interested": CLICK,
        "mail_read": OPEN - CLICK,
        "removed": REMOVE,
        "mail_sent": figures["sent"] - OPEN - REMOVE,
    }
    assert {name: figures["statuses"].get(name) for name in expected} == expected
    assert processes_of(tmp_path) == []


class Supervisor:
    """A `make demo` under way."""

    def __init__(self, folder: Path, process: subprocess.Popen[str], said: str, port: int) -> None:
        self.folder, self.process, self.said, self.port = folder, process, said, port

    def page(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def end(self, number: signal.Signals) -> str:
        """Signals the supervisor alone, as an init system does; what it said last."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=40)
        assert self.process.returncode == 0, rest
        return rest


@contextmanager
def supervised(folder: Path) -> Iterator[Supervisor]:
    port = free_port(random.choice(PORTS))
    process = subprocess.Popen(
        [sys.executable, "-m", "sample_host.demo", "--port", str(port)],
        cwd=CHECKOUT,
        env=environment(MASSMAIL_DEMO_DIR=str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield Supervisor(folder, process, until(process, LAST_LINE, seconds=120), port)
    finally:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=40)


def until(process: subprocess.Popen[str], words: str, seconds: float) -> str:
    """What it prints up to these words."""
    assert process.stdout is not None
    said, give_up = "", time.monotonic() + seconds
    while words not in said:
        line = process.stdout.readline()
        assert line, f"It ended:\n{said}"
        assert time.monotonic() < give_up, said
        said += line
    return said


def processes_of(folder: Path) -> list[str]:
    """Every process that was started with this folder in its words or surroundings."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            known = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in known:
            found.append(known.split(b"\0", 1)[0].decode() + " " + entry.name)
    return found


@pytest.mark.usefixtures("redis_url")
def test_the_demo_starts_stops_and_keeps_its_data(tmp_path: Path) -> None:
    if not Path("/proc/self/environ").exists():
        need("proc", "this system has no /proc to look for processes in.")
    with supervised(tmp_path) as first:
        assert "Sending the first mailing" in first.said
        assert f"http://127.0.0.1:{first.port}/" in first.said
        assert all(name in first.said for name in ("developer", "marketing", "operations"))
        assert "Sign in" in first.page("/")
        assert len(processes_of(tmp_path)) >= 6
        assert "The data are kept." in first.end(signal.SIGINT)
    assert processes_of(tmp_path) == []
    caught = sorted(path.name for path in (tmp_path / "caught").glob("*.eml"))
    assert len(caught) > 100
    with supervised(tmp_path) as second:
        assert "Sending the first mailing" not in second.said
        assert "Sign in" in second.page("/")
        second.end(signal.SIGTERM)
    assert processes_of(tmp_path) == []
    assert sorted(path.name for path in (tmp_path / "caught").glob("*.eml")) == caught
