"""Events as rows: what is said of a new one, and many of them inserted at once. Keeping enters; nobody commits here."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, select, true

from massmail_plugin.contracts import Host
from massmail_plugin.models import Event
from massmail_plugin.portable_sql import dialect, insert_many, moment_text, records, upsert_of
from massmail_plugin.vocabulary import EventKind

AT_ONCE = 5_000
"""Rows of one statement."""
LONGEST_DETAIL = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """Something that came back about an outbox message. Texts longer than their columns are cut."""

    message_id: int
    kind: EventKind
    at: datetime
    link_id: int | None = None
    machine_reason: str = ""
    """Why it was no person; empty for a person's (or a server's, for bounces), which counts."""
    user_agent: str = ""
    request: str = ""
    meaning: str = ""
    """Of a bounce: a value of `smtp_status.Meaning`."""
    detail: str = ""
    provider: str | None = None
    provider_event_id: str | None = None
    """With `provider`: what makes a repeat the same event."""
    received_id: int | None = None


Sameness = tuple[str | None, str | None]


def sameness(event: NewEvent) -> Sameness:
    """The pair that is unique, as the columns hold it."""
    return _cut(event.provider, 40), _cut(event.provider_event_id, 200)


def insert_events(
    host: Host, events: Mapping[int, NewEvent], mailings: Mapping[int, int], *, each: Callable[[NewEvent], object]
) -> dict[int, NewEvent]:
    """Insert events; `mailings` knows the mailing of each message. Returns those that were not there already.

    `each` is called with every one of them, if it can be while the database takes them in.
    """
    plain = {position: event for position, event in events.items() if not event.provider_event_id}
    named = {position: event for position, event in events.items() if event.provider_event_id}
    name = dialect(host).name
    if plain:
        insert_many(host, _EVENT, _NAMES, _rows_calling(each, plain.values(), mailings))
    new: set[Sameness] = set()
    for rows in _rows(name, named.values(), mailings):
        new.update((provider, same) for provider, same in host.session.execute(_unless_known(name), {"rows": rows}))
    unknown = {position: event for position, event in named.items() if sameness(event) in new}
    for event in unknown.values():
        each(event)
    return plain | unknown


def _rows_calling(
    each: Callable[[NewEvent], object], events: Iterable[NewEvent], mailings: Mapping[int, int]
) -> Iterator[tuple[Any, ...]]:
    for event in events:
        each(event)
        yield _row(event, mailings[event.message_id])


def _rows(dialect_name: str, events: Iterable[NewEvent], mailings: Mapping[int, int]) -> Iterable[str]:
    rows = [
        dict(zip(_KINDS, _row(event, mailings[event.message_id]), strict=True))
        | {"at": moment_text(dialect_name, event.at)}
        for event in events
    ]
    return (json.dumps(rows[start : start + AT_ONCE]) for start in range(0, len(rows), AT_ONCE))


def _row(event: NewEvent, mailing_id: int) -> tuple[Any, ...]:
    """In the order of the columns."""
    reason = event.machine_reason
    what = event.message_id, mailing_id, event.kind.value, event.link_id, event.at, bool(reason), _cut(reason, 100)
    said = _cut(event.user_agent, 300), _cut(event.request, 200), _cut(event.meaning, 20), event.received_id
    return *what, *said, _cut(event.detail, LONGEST_DETAIL), *sameness(event)


def _cut(text: str | None, length: int) -> str | None:
    """As a database takes it: without NUL and halves of characters."""
    if not text or (text.isascii() and "\0" not in text):
        return text[:length] if text else text
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:length]


_EVENT = cast(Table, Event.__table__)
_NAMES = (
    *("message_id", "mailing_id", "kind", "link_id", "at", "by_machine", "machine_reason"),
    *("user_agent", "request", "meaning", "received_id", "detail", "provider", "provider_event_id"),
)
_KINDS = {name: _EVENT.c[name].type for name in _NAMES}


@cache
def _unless_known(dialect_name: str) -> Any:
    given = records(dialect_name, "rows", _KINDS)
    rows = select(given).where(true())
    new = upsert_of(dialect_name, _EVENT).from_select(list(_KINDS), rows, include_defaults=False)
    return new.on_conflict_do_nothing(index_elements=["provider", "provider_event_id"]).returning(
        _EVENT.c.provider, _EVENT.c.provider_event_id
    )
