"""Shifts the clock of a Python process that has this folder first on its PYTHONPATH: wall time, not monotonic time.

FAULTS_CLOCK names a file with the seconds to add; it may change while the process runs. (libfaketime is not used: with
it Python's `time.sleep` fails after a jump, since it also bends the absolute monotonic times.)
"""

import datetime
import os
import time
from pathlib import Path
from typing import Any

CLOCK = Path(os.environ["FAULTS_CLOCK"])
REAL = datetime.datetime
_now, _now_ns = time.time, time.time_ns
_read = {"until": 0.0, "seconds": 0.0}


def shift() -> float:
    """The seconds to add now; the file is read ten times a second at the most."""
    if time.monotonic() >= _read["until"]:
        _read["until"] = time.monotonic() + 0.1
        try:
            _read["seconds"] = float(CLOCK.read_text() or 0)
        except OSError:
            _read["seconds"] = 0.0
    return _read["seconds"]


class _Kind(type):
    def __instancecheck__(cls, thing: Any) -> bool:
        return isinstance(thing, REAL)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, REAL)


class Shifted(REAL, metaclass=_Kind):
    """A datetime that tells the shifted time; what it makes are ordinary ones."""

    __slots__ = ()

    def __new__(cls, *parts: Any, **named: Any) -> Any:
        return REAL(*parts, **named)

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return REAL.now(tz) + datetime.timedelta(seconds=shift())

    @classmethod
    def utcnow(cls) -> Any:
        return REAL.now(datetime.UTC).replace(tzinfo=None) + datetime.timedelta(seconds=shift())


time.time = lambda: _now() + shift()
time.time_ns = lambda: _now_ns() + int(shift() * 1e9)
datetime.datetime = Shifted  # type: ignore[misc]
