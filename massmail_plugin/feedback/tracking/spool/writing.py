"""Appends hits to a file of the process's own, before the visitor is answered. The door for recipients enters.

What was appended is in the system's hands: it outlives the process, however that ends. Only when the machine itself
fails may the last seconds be lost; the drain has each file written to the disk as it comes by.
"""

import errno
import fcntl
import os
import threading
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from massmail_plugin.feedback.tracking.spool.files import ENDING, folder_of
from massmail_plugin.feedback.tracking.spool.hits import SpooledHit, line

LARGEST = 16 * 1024 * 1024
"""Octets, after which a process begins another file, so that the drain can remove this one."""


def append(state_dir: Path, hit: SpooledHit) -> None:
    """Keep a hit in the spool of this process. It is safe from the end of the process once this returns.

    Raises OSError where it could not be kept, such as on a full disk.
    """
    writer = _writers.get(state_dir)
    if writer is None:
        writer = _writers.setdefault(state_dir, _Writer(folder_of(state_dir)))
    writer.append(hit)


class _Writer:
    """The spool of one process. Its lock on the file says that the process lives; threads take turns."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = threading.Lock()
        self._file = -1
        self._octets = 0
        self._torn = False

    def append(self, hit: SpooledHit) -> None:
        written = line(hit)
        with self._turn:
            if self._file < 0 or self._octets >= LARGEST:
                self._begin(hit)
            self._write(b"\n" + written if self._torn else written)

    def _write(self, octets: bytes) -> None:
        """A line that was cut off is ended by the next one, and passed over by the drain."""
        count = os.write(self._file, octets)
        self._octets += count
        self._torn = count < len(octets)
        if self._torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _begin(self, hit: SpooledHit) -> None:
        """A file whose name sorts by time. The drain may remove one that it finds before we have its lock."""
        self.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"{int(hit.at.timestamp() * 1000):014d}-{uuid4().hex}{ENDING}"
        file = os.open(self._folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file).st_nlink == 0:
            os.close(file)
            self._begin(hit)
            return
        self._file, self._octets, self._torn = file, 0, False

    def close(self) -> None:
        """Let the file go; the drain takes it over."""
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
            self._file = -1


_writers: dict[Path, _Writer] = {}


def _after_fork() -> None:
    """A child appends to files of its own, and must not keep its parent's alive."""
    for writer in _writers.values():
        writer.close()
    _writers.clear()


os.register_at_fork(after_in_child=_after_fork)
