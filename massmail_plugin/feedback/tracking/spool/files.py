"""Where spools lie, and who may drain them. Writing, reading and the drain enter."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

ENDING = ".hits"
_HELD = "drain.lock"


def folder_of(state_dir: Path) -> Path:
    return state_dir / "spool"


def spool_files(state_dir: Path) -> list[Path]:
    """Every spool of this machine, the oldest first."""
    return sorted(folder_of(state_dir).glob(f"*{ENDING}"))


@contextmanager
def holding(state_dir: Path, at: datetime) -> Iterator[bool]:
    """Be the one on this machine who drains, from `at` on.

    False where somebody is it already, or where there is nothing to drain.
    """
    try:
        file = os.open(folder_of(state_dir) / _HELD, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except (FileNotFoundError, NotADirectoryError):
        yield False
        return
    try:
        ours = locked(file)
        if ours:
            os.utime(file, (at.timestamp(), at.timestamp()))
        yield ours
    finally:
        os.close(file)


def last_held(state_dir: Path) -> float:
    """When somebody on this machine last began to drain, as a POSIX time; 0 for never."""
    try:
        return (folder_of(state_dir) / _HELD).stat().st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return 0.0


def locked(file: int) -> bool:
    """Whether the lock of an open file could be had: it lasts until the file is closed or its process ends."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
