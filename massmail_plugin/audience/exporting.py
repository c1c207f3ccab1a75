"""CSV files for people's spreadsheets, written piece by piece. Reads only."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import select

from massmail_plugin.audience.contacts import summaries
from massmail_plugin.audience.csv_cells import safe_cell
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import List, Subscription

PAGE = 500


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


def list_lines(host: Host, list_: List) -> Iterator[str]:
    """A list as CSV: every contact that is or was on it, with name, addresses by role, state, since and evidence."""
    roles = list(dict.fromkeys(one.role for source in host.sources.values() for one in source.addresses))
    header = ["source", "key", "name", *roles, "state", "since", "evidence"]
    return csv_lines(header, _list_rows(host, list_.id, roles))


def _list_rows(host: Host, list_id: int, roles: Sequence[str]) -> Iterator[Sequence[Any]]:
    after = 0
    while page := _page(host, list_id, after):
        after = page[-1].id
        known = summaries(host, [ContactRef(row.contact_source, row.contact_key) for row in page])
        for row in page:
            summary = known.get(ContactRef(row.contact_source, row.contact_key))
            addresses = [summary.addresses.get(role, "") if summary else "" for role in roles]
            name = summary.name if summary else ""
            yield [
                row.contact_source,
                row.contact_key,
                name,
                *addresses,
                row.state,
                row.since.isoformat(),
                row.evidence,
            ]


def _page(host: Host, list_id: int, after: int) -> Sequence[Any]:
    wanted = (
        Subscription.id,
        Subscription.contact_source,
        Subscription.contact_key,
        Subscription.state,
        Subscription.since,
        Subscription.evidence,
    )
    page = select(*wanted).where(Subscription.list_id == list_id, Subscription.id > after)
    return host.session.execute(page.order_by(Subscription.id).limit(PAGE)).all()
