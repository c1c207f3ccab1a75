"""One hit as a line of a spool: a check sum, then its values as JSON. Writing and reading enter."""

import json
from datetime import UTC, datetime
from typing import NamedTuple
from zlib import crc32

from massmail_plugin.vocabulary import EventKind


class SpooledHit(NamedTuple):
    """What a request for a pixel (OPEN) or a link (CLICK) said. Its token was looked at, the database was not."""

    kind: EventKind
    at: datetime
    message_id: int
    number: int | None
    """Of the link, in the mail."""
    user_agent: str
    request: str
    """As `machines.signs` gave it."""


_KINDS = {kind.value: kind for kind in EventKind}
_decode = json.JSONDecoder().decode
_encode = json.JSONEncoder(separators=(",", ":")).encode


def line(hit: SpooledHit) -> bytes:
    """A hit as its line. ASCII, so that nothing of what a visitor said ends a line."""
    kind, at, *said = hit
    body = _encode((kind, at.timestamp(), *said)).encode("ascii")
    return b"%08x %s\n" % (crc32(body), body)


def read(written: bytes) -> SpooledHit | None:
    """The hit of a line without its end; None where the line is not whole."""
    body = written[9:]
    if written[8:9] != b" " or written[:8] != b"%08x" % crc32(body):
        return None
    kind, seconds, *said = _decode(body.decode("ascii"))
    return SpooledHit(_KINDS[kind], datetime.fromtimestamp(seconds, UTC), *said)
