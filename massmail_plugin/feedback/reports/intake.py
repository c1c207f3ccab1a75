"""Takes in a mail of any size in bounded memory: its head, and the beginning of every later part. The reader enters."""

import io
import re
from collections.abc import Iterator
from typing import BinaryIO

HEAD = 256 * 1024
"""Bytes kept from the beginning: what the servers we know have to say stands in it whole."""
PART = 32 * 1024
"""Bytes kept of every part that begins later."""
PARTS = 24
"""Later parts kept at most."""
_STEP = 128 * 1024
_LONGEST_DELIMITER = 256
_BOUNDARY = re.compile(rb'boundary\s*=\s*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))', re.I)


def bounded(source: bytes | BinaryIO) -> bytes:
    """What is worth reading of a mail, with single line feeds as line ends. A stream is read as far as need be."""
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    head = _first(stream, HEAD)
    kept = head if len(head) < HEAD else b"\n".join([head, *_later_parts(stream, head)])
    if b"\r" not in kept:
        return kept
    return kept.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _first(stream: BinaryIO, size: int) -> bytes:
    """So many bytes, or all there are: a stream may give less at a time."""
    head = stream.read(size)
    while len(head) < size and (more := stream.read(size - len(head))):
        head += more
    return head


def _later_parts(stream: BinaryIO, head: bytes) -> list[bytes]:
    """The beginnings of the parts that start beyond the head."""
    boundaries = {quoted or bare for quoted, bare in _BOUNDARY.findall(head)}
    if not boundaries:
        return []
    delimiter = re.compile(rb"(?:^|[\r\n])--(?:" + b"|".join(map(re.escape, boundaries)) + rb")(?:--)?[ \t]*(?=[\r\n])")
    parts: list[bytes] = []
    for window, new_from in _windows(stream, head[-_LONGEST_DELIMITER:]):
        if parts and len(parts[-1]) < PART:
            parts[-1] += window[new_from : new_from + PART - len(parts[-1])]
        elif len(parts) == PARTS:
            break
        starts = [one.start() for one in delimiter.finditer(window) if one.end() > new_from]
        parts.extend(window[start : start + PART] for start in starts[: PARTS - len(parts)])
    return parts


def _windows(stream: BinaryIO, before: bytes) -> Iterator[tuple[bytes, int]]:
    """The rest of a stream in pieces, each behind the end of the piece before it; and where its new bytes begin."""
    while piece := stream.read(_STEP):
        yield before + piece, len(before)
        before = (before + piece)[-_LONGEST_DELIMITER:]
