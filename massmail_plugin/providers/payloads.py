"""What providers post, as plain values: JSON and forms read strictly and within bounds. Readers enter; no commits."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from massmail_plugin.contracts import EventRequest
from massmail_plugin.errors import RequestRefused

MOST_EVENTS = 10_000
"""Events of one request; more are refused."""
DEEPEST = 32
"""Levels of nesting; no provider comes near."""
_LONGEST = 2_000
_MOST_TOKENS = 16
_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])(?:[0-9a-f]{44}|[A-Za-z0-9_-]{36}|[A-Za-z0-9_-]{32})(?![A-Za-z0-9_-])")
_NEVER_OURS = ("agent", "subject")
"""What a key has in its name whose text strangers write: no token is looked for there."""
_JSON_TYPES = ("", "text/plain", "application/octet-stream", "application/x-ndjson", "application/jsonl")


def json_body(request: EventRequest) -> Any:
    """The body as JSON (RFC 8259) without repeated names; raises RequestRefused for any other bytes."""
    if request.media_type not in _JSON_TYPES and not request.media_type.endswith("json"):
        raise RequestRefused(400, f"The body should be JSON, but it calls itself {request.media_type[:80]}.")
    return json_value(request.body)


def json_value(text: bytes | str) -> Any:
    """One JSON value; raises RequestRefused for what is none, repeats a name, or is nested too deeply."""
    try:
        value = json.loads(text, object_pairs_hook=_unrepeated, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RequestRefused(400, "The body is not JSON as RFC 8259 wants it.") from error
    if _too_deep(value):
        raise RequestRefused(400, f"The JSON is nested more than {DEEPEST} levels deep.")
    return value


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name is repeated")
    return value


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def form_body(request: EventRequest) -> MultiDict[str, str]:
    """The fields of a form, URL-encoded or multipart; files are left out. Raises RequestRefused for other bytes."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind not in ("multipart/form-data", "application/x-www-form-urlencoded"):
        raise RequestRefused(400, f"The body should be a form, but it calls itself {kind[:80] or 'nothing'}.")
    parser = FormDataParser(max_form_memory_size=len(request.body) + 1, max_form_parts=1_000, silent=False)
    try:
        _, fields, _ = parser.parse(BytesIO(request.body), kind, len(request.body), options)
    except Exception as error:
        raise RequestRefused(400, "The form in the body cannot be read.") from error
    return fields


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, or of a single one. Raises RequestRefused where there is anything else, or too much."""
    rows = [value] if isinstance(value, dict) else value
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RequestRefused(400, "The body should be one event or a list of events.")
    if len(rows) > MOST_EVENTS:
        raise RequestRefused(413, f"One request may hold {MOST_EVENTS:,} events; this one holds more.")
    return rows


def mapping(value: Any) -> dict[str, Any]:
    """`value` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def rows_in(value: Any) -> list[Any]:
    """`value` where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """A text or number as text a database can keep, cut to 2,000 characters; "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    written = value if isinstance(value, str) else repr(value)
    return written[:_LONGEST].replace("\0", "").encode("utf-8", "replace").decode().strip()


def number_or_text(value: Any) -> str | int | None:
    """An id as the provider writes it; None where there is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 2**63 else None
    return text(value) or None


def first(*values: Any) -> str:
    """The first of these that is a text, or ""."""
    return next((found for value in values if (found := text(value))), "")


def moment(value: Any) -> datetime | None:
    """A time as providers write it: seconds since 1970 (as number or digits), or ISO 8601; without a zone it is UTC."""
    try:
        seconds = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return _iso(value)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _iso(value: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(value.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def possible_tokens(*values: Any) -> tuple[str, ...]:
    """Whatever has the shape of a token of ours, in the texts of a payload; at most 16, each once."""
    found: dict[str, None] = {}
    for written in _texts(values):
        found.update(dict.fromkeys(_TOKEN.findall(written)))
        if len(found) >= _MOST_TOKENS:
            break
    return tuple(found)[:_MOST_TOKENS]


def _texts(values: Iterable[Any]) -> Iterator[str]:
    """Breadth first; the depth is bounded by whoever read the JSON."""
    level = list(values)
    while level:
        yield from (one for one in level if isinstance(one, str) and len(one) >= 32)
        level = [inner for one in level for inner in _ours(one)]


def _ours(value: Any) -> Iterable[Any]:
    if not isinstance(value, dict):
        return _inside(value)
    return [inner for name, inner in value.items() if not any(word in name.lower() for word in _NEVER_OURS)]
