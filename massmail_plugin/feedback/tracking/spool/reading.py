"""Reads spools from where the drain stopped. The drain enters; nothing is changed or committed."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from massmail_plugin.feedback.tracking.spool.files import locked
from massmail_plugin.feedback.tracking.spool.hits import SpooledHit, read

LONGEST = 16 * 1024
"""Octets of a line; ours are far shorter."""
_ONCE = datetime(1, 1, 1, tzinfo=UTC)


class Spooled(NamedTuple):
    """A line of a spool: when, in which file, where it ends there, and the hit; None where the line is torn."""

    at: datetime
    file: str
    end: int
    hit: SpooledHit | None


class SpoolReader:
    """One spool, open for reading."""

    def __init__(self, path: Path, read_to: int) -> None:
        """`read_to`: octets that are in the database already. Raises FileNotFoundError where the file is gone."""
        self.path = path
        self.read_to = read_to
        self._file = path.open("rb", buffering=256 * 1024)
        # Asked before it is read: of a process that is no more, nothing follows what is there now.
        self.left = locked(self._file.fileno())
        self.size = os.fstat(self._file.fileno()).st_size
        if self.size > read_to:
            os.fdatasync(self._file.fileno())

    def __iter__(self) -> Iterator[Spooled]:
        """The lines after `read_to`. Of a living process the last one may not be whole yet; it comes next time."""
        self._file.seek(self.read_to)
        at, end = _ONCE, self.read_to
        while written := self._file.readline(LONGEST):
            whole = written.endswith(b"\n")
            if not whole and len(written) < LONGEST and not self.left:
                return
            end += len(written)
            hit = read(written[:-1]) if whole else None
            at = hit.at if hit else at
            yield Spooled(at, self.path.name, end, hit)

    def close(self) -> None:
        """Let the file go, and with it the lock on one that was left."""
        self._file.close()

    def remove(self) -> None:
        """Everything of a file that was left is in the database."""
        self.path.unlink(missing_ok=True)
        self.close()
