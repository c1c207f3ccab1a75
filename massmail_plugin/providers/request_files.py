"""Requests of providers kept as files, and what a request is answered. Commands and the door enter; no commits."""

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from massmail_plugin.contracts import EventReader, EventRequest, ProviderEvent
from massmail_plugin.errors import BadRequest, RequestRefused, nearest
from massmail_plugin.providers.event_readers import ALIASES

LARGEST = 5_000_000
"""Octets of a body, unpacked."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a request is answered: an HTTP status, the events in it, and why it was refused."""

    http: int
    events: tuple[ProviderEvent, ...] = ()
    problem: str = ""


def answered(reader: EventReader, request: EventRequest, secret: str, *, verify: bool = True) -> Answered:
    """Check a request and read it; never raises for what a provider, or anybody else, may send."""
    try:
        if len(request.body) > LARGEST:
            raise RequestRefused(413, f"The body is larger than {LARGEST:,} octets.")
        if verify:
            reader.check(request, secret)
        return Answered(200, tuple(reader.read(request)))
    except RequestRefused as refused:
        return Answered(refused.status, problem=str(refused))


@dataclass(frozen=True, slots=True)
class RequestFile:
    """A request as it was kept: whose it is, and what was posted."""

    provider: str
    request: EventRequest


def request_file(path: Path, at: datetime, url: str = "") -> RequestFile:
    """Read a file: JSON with provider, content_type, headers, body and body_encoding ("utf8" or "base64").

    Raises BadRequest for a file of another kind. `at` is the time the request counts as received.
    """
    try:
        kept: Any = json.loads(path.read_bytes())
        body = _body(kept)
        headers = {str(name).lower(): str(value) for name, value in kept.get("headers", {}).items()}
        provider = str(kept["provider"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadRequest(f"{path} is not a kept request of a provider: {error}.") from error
    headers.setdefault("content-type", str(kept.get("content_type") or ""))
    return RequestFile(provider, EventRequest(body=body, headers=headers, url=url, at=at))


def _body(kept: Mapping[str, Any]) -> bytes:
    written = str(kept["body"])
    if kept.get("body_encoding", "utf8") != "base64":
        return written.encode("utf-8", "surrogateescape")
    try:
        return b64decode(written)
    except Base64Error as error:
        raise ValueError("its body is not Base64") from error


def reader_of(readers: Mapping[str, EventReader], provider: str) -> EventReader:
    """The reader of a provider by any of its names; raises BadRequest with the nearest name."""
    name = ALIASES.get(provider, provider)
    if name not in readers:
        raise BadRequest(f"There is no provider “{provider}”. {nearest(provider, readers)}")
    return readers[name]
