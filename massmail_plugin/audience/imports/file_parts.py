"""An import's bytes in rows of a table: the upload comes in on one machine, a worker on another reads it.

Flushes; the room's other files enter.
"""

import io
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import IO

from sqlalchemy import delete, func, insert, select

from massmail_plugin.contracts import Host
from massmail_plugin.errors import ImportRefused
from massmail_plugin.models import ImportPart

PART_BYTES = 1_000_000
READ_AHEAD = 1 << 18


class PartKind(StrEnum):
    """What a part is a piece of."""

    FILE = "file"
    ERRORS = "errors"


def keep_file(host: Host, import_id: int, stream: IO[bytes]) -> int:
    """Keep what a stream gives as the file of an import; the number of its bytes.

    Raises ImportRefused for an empty file and, before it is read to its end, for one that is too large.
    """
    size = number = 0
    while piece := _filled(stream):
        size += len(piece)
        if size > host.config.import_bytes:
            raise ImportRefused(
                f"The file is larger than {host.config.import_bytes // 1_000_000} MB. Split it, or leave out columns "
                "that are not needed."
            )
        _keep(host, import_id, PartKind.FILE, number, piece)
        number += 1
    if not size:
        raise ImportRefused("The file is empty. Nothing was imported.")
    return size


def keep_errors(host: Host, import_id: int, text: str) -> None:
    """Put lines at the end of the file of an import's errors."""
    mine = ImportPart.import_id == import_id, ImportPart.kind == PartKind.ERRORS.value
    last = host.session.scalar(select(func.max(ImportPart.number)).where(*mine))
    _keep(host, import_id, PartKind.ERRORS, 0 if last is None else last + 1, text.encode())


def parts(host: Host, import_id: int, kind: PartKind) -> Iterator[bytes]:
    """The pieces of a file, one after another."""
    number = 0
    while (piece := _part(host, import_id, kind, number)) is not None:
        yield piece
        number += 1


def drop_parts(host: Host, import_id: int, kinds: Iterable[PartKind]) -> None:
    """Delete what is kept of an import."""
    mine = ImportPart.import_id == import_id, ImportPart.kind.in_([kind.value for kind in kinds])
    host.session.execute(delete(ImportPart).where(*mine), execution_options={"synchronize_session": False})


def open_file(host: Host, import_id: int, size: int) -> io.BufferedReader:
    """The file of an import as a seekable stream; a piece of it is held at a time."""
    return io.BufferedReader(_Parts(host, import_id, size), READ_AHEAD)


def _filled(stream: IO[bytes]) -> bytes:
    """PART_BYTES, fewer only at the end: an upload gives what has arrived."""
    piece = stream.read(PART_BYTES)
    while len(piece) < PART_BYTES and (more := stream.read(PART_BYTES - len(piece))):
        piece += more
    return piece


def _keep(host: Host, import_id: int, kind: PartKind, number: int, content: bytes) -> None:
    row = {"import_id": import_id, "kind": kind.value, "number": number, "content": content}
    host.session.execute(insert(ImportPart), [row])


def _part(host: Host, import_id: int, kind: PartKind, number: int) -> bytes | None:
    one = ImportPart.import_id == import_id, ImportPart.kind == kind.value, ImportPart.number == number
    return host.session.scalar(select(ImportPart.content).where(*one))


class _Parts(io.RawIOBase):
    """All parts but the last are of PART_BYTES, so that a place in the file tells the part."""

    def __init__(self, host: Host, import_id: int, size: int) -> None:
        self._host, self._import_id, self._size = host, import_id, size
        self._place = 0
        self._held: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        number, start = divmod(self._place, PART_BYTES)
        if self._place >= self._size:
            return 0
        if self._held[0] != number:
            content = _part(self._host, self._import_id, PartKind.FILE, number)
            if content is None:
                raise ImportRefused("The file is not there any more. Bring it again.")
            self._held = (number, content)
        piece = self._held[1][start : start + len(buffer)]
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)
