"""Mail servers that take everything: smtp-sink of Postfix, and a slow one of our own. Processes on the loopback."""

import re
import shutil
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from os import geteuid, truncate
from pathlib import Path
from pwd import struct_passwd

from bench.findings import BenchFailed
from sample_host.services.child_process import Child, start
from sample_host.services.postgres_server import unprivileged_user

HOST = "127.0.0.1"
POSTFIX_MISSING = (
    "smtp-source and smtp-sink are missing: they come with Postfix (Debian: apt-get install postfix; "
    "macOS has them in /usr/libexec/postfix). Everything but relay_20ms.rate needs them."
)
SLOW_SINK = Path(__file__).with_name("slow_sink.py")
_TAKEN = re.compile(rb"mesg=(\d+)")


def postfix_program(name: str) -> Path:
    """smtp-sink or smtp-source; root on Debian gets them installed. Raises BenchFailed with what to do."""
    found = _find(name)
    if found is None and geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "-y", "--no-install-recommends", "postfix"]
        environment = {"DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        subprocess.run(install, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)
        found = _find(name)
    if found is None:
        raise BenchFailed(POSTFIX_MISSING)
    return found


def _find(name: str) -> Path | None:
    found = shutil.which(name, path="/usr/sbin:/usr/libexec/postfix:/usr/lib/postfix/sbin") or shutil.which(name)
    return Path(found) if found else None


@dataclass(frozen=True)
class SmtpSink:
    """A running smtp-sink; it writes how many messages it took into its log, again and again."""

    port: int
    child: Child

    def taken(self) -> int:
        """Messages taken since the last `forget`."""
        with self.child.log.open("rb") as log:
            log.seek(max(0, self.child.log.stat().st_size - 200))
            numbers = _TAKEN.findall(log.read())
        return int(numbers[-1]) if numbers else 0

    def forget(self) -> None:
        """Keep the log short; the numbers go on counting."""
        truncate(self.child.log, 0)


@dataclass(frozen=True)
class SlowSink:
    """A running `bench.slow_sink`."""

    port: int
    child: Child

    def taken(self) -> int:
        """All messages taken so far."""
        return self.counts()[0]

    def counts(self) -> tuple[int, int, int]:
        """All messages taken so far, their octets, and the DKIM signatures in them; it is asked over SMTP."""
        with smtplib.SMTP(HOST, self.port, timeout=30) as session:
            taken, octets, signatures = session.docmd("XTAKEN")[1].split()
        return int(taken), int(octets), int(signatures)


@contextmanager
def smtp_sink(folder: Path) -> Iterator[SmtpSink]:
    """One smtp-sink process. Raises BenchFailed where Postfix is missing."""
    port = free_port()
    command: list[str | Path] = [postfix_program("smtp-sink"), "-c", f"{HOST}:{port}", "1000"]
    with _running(command, port, folder / "smtp-sink.log", user=unprivileged_user()) as child:
        yield SmtpSink(port, child)


@contextmanager
def slow_sink(folder: Path, milliseconds: int) -> Iterator[SlowSink]:
    """One server that offers PIPELINING and answers everything after so many milliseconds."""
    port = free_port()
    command: list[str | Path] = [sys.executable, SLOW_SINK, str(port), str(milliseconds)]
    with _running(command, port, folder / "slow-sink.log") as child:
        yield SlowSink(port, child)


@contextmanager
def _running(command: list[str | Path], port: int, log: Path, *, user: struct_passwd | None = None) -> Iterator[Child]:
    child = start(command, log=log, user=user)
    try:
        _wait_until_it_listens(child, port)
        yield child
    finally:
        child.stop()


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as asking:
        asking.bind((HOST, 0))
        return int(asking.getsockname()[1])


def _wait_until_it_listens(child: Child, port: int) -> None:
    deadline = time.monotonic() + 20
    while child.running and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((HOST, port), 1):
            return
        time.sleep(0.02)
    raise BenchFailed(f"{child.log.stem} did not start. Its log ends:\n{child.log_tail()}")
