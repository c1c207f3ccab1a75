"""Waiting, and looking at processes, without touching them."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


class Unfit(Exception):
    """The run cannot go on as planned; the words say why."""


def needed(true: bool, otherwise: str) -> None:
    """Raises Unfit where it is not so."""
    if not true:
        raise Unfit(otherwise)


def until(true: Callable[[], bool], seconds: float, between: Callable[[], object] = lambda: None) -> bool:
    """Wait for it; False where it did not come true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        between()
        time.sleep(0.05)
    return true()


def children(pid: int) -> list[int]:
    """The processes that a process has forked and that have not ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
