"""One mail as it came in: what it says, its first bytes, and what tells it from every other. Nothing is committed."""

import hashlib
import io
import logging
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from massmail_plugin.feedback.reports import Report, read_report

log = logging.getLogger(__name__)

RAW_KEPT = 128 * 1024
"""Bytes of a mail that are kept to look at."""


@dataclass(frozen=True)
class Incoming:
    """A mail that was read; `raw` are its first bytes as they came, `size` all of them."""

    report: Report
    digest: str
    raw: bytes = field(repr=False)
    size: int
    fault: str = ""
    """Why it could not be read; its report then says nothing."""


def read_incoming(source: BinaryIO, size: int | None = None) -> Incoming:
    """Read a mail from where the stream stands to its end, in bounded memory; never raises for what it contains.

    `size` is that of the whole mail where the stream is only its beginning.
    """
    copy, fault = _Copied(source), ""
    try:
        report = read_report(cast(BinaryIO, copy))
    except Exception as error:
        log.exception("A received mail could not be read")
        report, fault = Report(), f"It could not be read: {type(error).__name__}."
    while copy.read(RAW_KEPT):
        pass
    return Incoming(report, copy.digest.hexdigest(), bytes(copy.kept), copy.size if size is None else size, fault)


class _Copied(io.RawIOBase):
    """A stream that remembers what was read through it: the first bytes, their number, and a hash.

    Line ends are the same to the hash, so that a mail is the same in a Maildir and over IMAP.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.digest = hashlib.sha256()
        self.kept = bytearray()
        self.size = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece = self._source.read(size)
        self.size += len(piece)
        self.digest.update(piece.replace(b"\r", b""))
        self.kept += piece[: RAW_KEPT - len(self.kept)]
        return piece
