"""Events in a file that a provider exported: CSV, JSON, or JSON lines. Imports enter; nothing is committed."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from massmail_plugin.audience.table_files import read_csv
from massmail_plugin.contracts import EventReader, EventRequest, Host, ProviderEvent
from massmail_plugin.errors import BadRequest, RequestRefused
from massmail_plugin.providers.export_rows import exported
from massmail_plugin.providers.payloads import json_value
from massmail_plugin.providers.request_files import reader_of

LARGEST_JSON = 50_000_000
"""Octets of a file that is one JSON value; lines may go on for ever."""
LONGEST_LINE = 1_000_000
_LINES = (".jsonl", ".ndjson")


def read_event_file(host: Host, path: Path, provider: str = "") -> Iterator[ProviderEvent]:
    """The events of a file, one after another: *.csv, *.json, *.jsonl or *.ndjson.

    With `provider`, JSON is what its webhooks post; else rows with columns such as event, email, time, and one that
    holds our token or the Message-ID. Raises BadRequest, also on the way, for a file that cannot be read.
    """
    kind = path.suffix.lower()
    reader = reader_of(host.event_readers, provider) if provider else None
    if kind == ".csv":
        if reader is not None:
            raise BadRequest("A CSV file is read by the names of its columns; leave the provider out.")
        return _csv(path)
    if kind not in (".json", *_LINES):
        raise BadRequest(f"{path.name} is none of: csv, json, jsonl, ndjson. For mails: flask massmail bounces import.")
    values = _line_values(path) if kind in _LINES else _values(path)
    return _events(path, values, reader, host)


def _csv(path: Path) -> Iterator[ProviderEvent]:
    with path.open("rb") as stream:
        file = read_csv(stream)
        for _, cells in file.rows():
            yield exported(dict(zip(file.columns, cells, strict=False)))


def _events(path: Path, values: Iterator[bytes], reader: EventReader | None, host: Host) -> Iterator[ProviderEvent]:
    for number, value in enumerate(values, 1):
        try:
            if reader is None:
                yield from map(exported, _rows(json_value(value)))
            else:
                json_type = {"content-type": "application/json"}
                yield from reader.read(EventRequest(body=value, headers=json_type, at=host.clock()))
        except RequestRefused as refused:
            raise BadRequest(f"{path.name}, line {number}: {refused}") from refused


def _rows(value: Any) -> list[Mapping[str, Any]]:
    rows = value.get("events", value) if isinstance(value, dict) else value
    found = [rows] if isinstance(rows, dict) else rows
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise RequestRefused(400, "It should be an event, or a list of events.")
    return found


def _values(path: Path) -> Iterator[bytes]:
    if path.stat().st_size > LARGEST_JSON:
        raise BadRequest(f"{path.name} is larger than {LARGEST_JSON // 1_000_000} MB. Export it as JSON lines or CSV.")
    yield path.read_bytes()


def _line_values(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while line := stream.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise BadRequest(f"A line of {path.name} is longer than {LONGEST_LINE:,} octets.")
            if line.strip():
                yield line
