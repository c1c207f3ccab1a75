"""People and stops as rows for spreadsheets, and CSV files that no spreadsheet runs, written piece by piece.

Screens and CLI enter. Reads only, each page in a transaction of its own (the session is rolled back), so that a long
download holds nothing.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Select, select

from massmail_plugin.audience.contacts.summaries import ContactSummary, summaries
from massmail_plugin.audience.contacts.visibility import visible, visible_rows
from massmail_plugin.audience.criteria.rule_sql import clause
from massmail_plugin.audience.table_files.csv_cells import safe_cell
from massmail_plugin.audience.table_files.xlsx_writing import xlsx_parts
from massmail_plugin.consent.contact_keys import key_text
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import ContactRef, ContactSource, Host
from massmail_plugin.models import List, Subscription, Suppression, Topic

PAGE = 500
MATCHING_PAGE = 10_000
"""Contacts of a criterion that are read at a time: each page asks its whole question again."""
FORMS = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
"""The forms of files, with their MIME types."""


class Export(NamedTuple):
    """A table that is read while it is written."""

    header: Sequence[str]
    rows: Iterator[Sequence[Any]]

    def bytes_as(self, form: str) -> Iterator[bytes]:
        """The file, piece by piece, in one of FORMS."""
        if form == "xlsx":
            return xlsx_parts(self.header, self.rows)
        return (line.encode("utf-8", "replace") for line in csv_lines(self.header, map(_plain, self.rows)))


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The lines of a CSV file (comma, CRLF, a mark so that spreadsheets see UTF-8); cells are never formulas.

    Encode as UTF-8. Nothing but the line at hand is held.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    for row in chain([header], rows):
        writer.writerow([safe_cell(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def list_export(host: Host, list_: List) -> Export:
    """Every contact that is or was on a list, with name, addresses by role, state, since and evidence."""
    wanted: list[Any] = [Subscription.contact_source, Subscription.contact_key, Subscription.state, Subscription.since]
    here: Select[Any] = select(Subscription.id, *wanted, Subscription.evidence).where(
        Subscription.list_id == list_.id,
        visible_rows(host, Subscription.contact_source, Subscription.contact_key),
    )
    roles = _roles(host.sources.values())

    def rows() -> Iterator[Sequence[Any]]:
        for page in _pages(host, here, Subscription.id):
            for row, who in _with_names(host, page, roles):
                yield [*who, row.state, row.since, row.evidence]

    return Export(["source", "key", "name", *roles, "state", "since", "evidence"], rows())


def criterion_export(host: Host, source: ContactSource, rule: object) -> Export:
    """Every contact that a criterion finds, with name and addresses by role. Raises RuleError, in words."""
    key, roles = register(source).key_column, _roles([source])
    addresses = [one.column for one in register(source).addresses]
    name = [] if source.name is None else [source.name]
    found = select(key.label("id"), key_text(source), *name, *addresses).select_from(source.model)
    found = found.where(clause(host, source, rule), visible(host, source))

    def rows() -> Iterator[Sequence[Any]]:
        for page in _pages(host, found, key, size=MATCHING_PAGE):
            for _, text, *values in page:
                yield [source.source_name, text, *([] if name else [""]), *values]

    return Export(["source", "key", "name", *roles], rows())


def stop_export(host: Host) -> Export:
    """Every suppression: whom it names, how far it reaches, why, since when and until when.

    Where some contacts are hidden from who looks, only those of visible ones: a mere address may be a hidden contact's.
    """
    columns: list[Any] = [
        Suppression.address,
        Suppression.contact_source,
        Suppression.contact_key,
        Suppression.scope,
        List.name.label("list"),
        Topic.name.label("topic"),
        Suppression.reason,
        Suppression.created_at,
        Suppression.until,
        Suppression.created_by,
        Suppression.note,
    ]
    query: Select[Any] = select(Suppression.id, *columns).outerjoin(List, List.id == Suppression.list_id)
    query = query.outerjoin(Topic, Topic.id == Suppression.topic_id)
    query = query.where(visible_rows(host, Suppression.contact_source, Suppression.contact_key))

    def rows() -> Iterator[Sequence[Any]]:
        for page in _pages(host, query, Suppression.id):
            yield from (row[1:] for row in page)

    return Export([str(column.key) for column in columns], rows())


def _with_names(host: Host, page: Sequence[Any], roles: Sequence[str]) -> Iterator[tuple[Any, list[Any]]]:
    refs = [ContactRef(row.contact_source, row.contact_key) for row in page]
    known = summaries(host, refs)
    for row, ref in zip(page, refs, strict=True):
        one = known.get(ref, ContactSummary(ref, ""))
        yield row, [ref.source, ref.key, one.name, *(one.addresses.get(role, "") for role in roles)]


def _roles(sources: Iterable[ContactSource]) -> list[str]:
    return list(dict.fromkeys(one.role for source in sources for one in source.addresses))


def _pages(host: Host, query: Select[Any], key: Any, *, size: int = PAGE) -> Iterator[Sequence[Any]]:
    """Pages of rows whose first column is their key."""
    page = _page(host, query.order_by(key).limit(size))
    while page:
        yield page
        page = _page(host, query.where(key > page[-1][0]).order_by(key).limit(size)) if len(page) == size else []


def _page(host: Host, query: Select[Any]) -> Sequence[Any]:
    host.session.rollback()
    host.session.connection(execution_options={"sqlite_deferred": True})
    return host.session.execute(query).all()


def _plain(row: Sequence[Any]) -> list[Any]:
    """Times as ISO 8601 in UTC."""
    return [cell.isoformat() if hasattr(cell, "isoformat") else cell for cell in row]
