"""Checks of this machine: the folder of the journals, its clock, what makes sending faster, and modes for staging.

The doctor enters.
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from math import inf
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, select

from massmail_plugin.contracts import Host
from massmail_plugin.feedback import waiting
from massmail_plugin.leases import database_now
from massmail_plugin.models import Chunk
from massmail_plugin.outbox import journal
from massmail_plugin.portable_sql import dialect
from massmail_plugin.upkeep.check import Check, fail, ok, warning

NEEDED_BYTES = 1_000_000
FLEETING = {
    "tmpfs": "in memory",
    "ramfs": "in memory",
    "overlay": "in a container's own layer",
    "aufs": "in a container's own layer",
}
MOUNTS = Path("/proc/self/mountinfo")
MOST_SKEW = timedelta(seconds=5)
LEFT_FOR = timedelta(minutes=2)


def state_dir(host: Host) -> Iterator[Check]:
    """The folder of the journals can be written, has room, and outlives a restart."""
    folder = host.state_dir
    problem = _trouble(folder)
    if problem:
        yield fail(
            "state directory",
            f"{folder} cannot be used: {problem}. Workers send nothing without it.",
            "Set MASSMAIL_STATE_DIR to a folder the workers may write to, with some megabytes free.",
        )
    elif kind := FLEETING.get(file_system(folder, _mounts())):
        yield warning(
            "state directory",
            f"{folder} is {kind}: where it goes, all mails in a worker's hands at that moment become uncertain.",
            "Put it on a disk or a volume that outlives a restart: MASSMAIL_STATE_DIR.",
        )
    else:
        yield ok("state directory", f"{folder} can be written and outlives a restart.")


def _trouble(folder: Path) -> str:
    """Why the folder cannot be used; empty where it can. It is made where it is missing."""
    probe = folder / f"doctor.{uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with probe.open("xb") as file:
            file.write(bytes(NEEDED_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or str(error)
    finally:
        _remove(probe)
    return ""


def _remove(probe: Path) -> None:
    try:
        probe.unlink(missing_ok=True)
    except OSError:
        return


def file_system(folder: Path, mounts: str) -> str:
    """The kind of file system a folder is on, by a mountinfo table (proc(5)); empty where that does not tell."""
    there, found, longest = folder.resolve(), "", -1
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = before.split()[4].encode().decode("unicode_escape") if len(before.split()) > 4 else ""
        if point and there.is_relative_to(point) and len(point) >= longest:
            found, longest = after.split()[0], len(point)
    return found


def _mounts() -> str:
    try:
        return MOUNTS.read_text()
    except OSError:
        return ""


def journals(host: Host) -> Iterator[Check]:
    """What dead workers left is taken up: journals of this machine, and chunks whose journal is elsewhere."""
    long_ago = (host.clock() - LEFT_FOR).timestamp()
    old = [left.path for left in journal.left(host.state_dir / "journal") if _written_at(left.path) < long_ago]
    if old:
        number = "1 journal" if len(old) == 1 else f"{len(old)} journals"
        yield warning(
            "journals",
            f"{number} of workers that died on this machine were not read yet.",
            "Start a worker or the scheduler on this machine: it settles what they say.",
        )
    waiting = _chunks_without_worker(host)
    if waiting:
        groups = "1 group of mails waits" if waiting == 1 else f"{waiting} groups of mails wait"
        yield warning(
            "journals",
            f"{groups} for the machine that was sending them, which gives no sign.",
            f"Start a worker there. After {host.config.journal_wait_seconds} s without it their mails are uncertain.",
        )
    if not old and not waiting:
        yield ok("journals", "No worker left anything behind.")


def _written_at(path: Path) -> float:
    """As a POSIX time; never, where somebody has just taken it up."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return inf


def _chunks_without_worker(host: Host) -> int:
    gone = Chunk.leased_by.is_not(None), Chunk.leased_until < database_now(host) - LEFT_FOR
    return host.session.scalar(select(func.count()).select_from(Chunk).where(*gone)) or 0


def spool(host: Host) -> Iterator[Check]:
    """Opens and clicks taken on this machine reach the database."""
    waits = waiting(host)
    if waits.since and host.clock() - waits.since > LEFT_FOR:
        yield warning(
            "opens and clicks",
            f"{waits.octets:,} bytes of them wait on this machine since {waits.since:%Y-%m-%d %H:%M} UTC.",
            "None is lost. Run `flask massmail hits drain` here to see why: a web process, the scheduler or a worker "
            "should have done so.",
        )
    else:
        yield ok("opens and clicks", "What this machine took is in the database, but for the last seconds.")


def clock(host: Host) -> Iterator[Check]:
    """This machine's clock and the database's agree."""
    if dialect(host).name != "postgresql":
        return
    skew = abs(database_now(host) - host.clock())
    if skew > MOST_SKEW:
        yield warning(
            "clock",
            f"This machine's clock and the database's differ by {skew.total_seconds():,.0f} s.",
            "Let both be set by NTP: times on screens and the start of mailings follow them.",
        )
    else:
        yield ok("clock", "This machine's clock and the database's agree.")


def event_loop(host: Host) -> Iterator[Check]:
    """Sending is faster with uvloop; it does without."""
    if find_spec("uvloop"):
        yield ok("event loop", "uvloop is installed.")
    else:
        yield ok("event loop", "Without uvloop. Sending is faster with it: `pip install massmail-plugin[uvloop]`.")


def staging(host: Host) -> Iterator[Check]:
    """Mail goes where it seems to."""
    if host.config.dry_run:
        yield warning("staging", "Dry run: no mail leaves; all count as sent.", "For real mail unset MASSMAIL_DRY_RUN.")
    elif host.config.override_recipient:
        yield warning(
            "staging",
            f"All mail goes to {host.config.override_recipient} instead of its recipients.",
            "For real mail unset MASSMAIL_OVERRIDE_RECIPIENT.",
        )
