"""A mailing's numbers by domain, list and reason as the sum of its chunks' shares. The roll-up and the proof enter;
flushes only.
"""

import json
from collections import Counter, defaultdict
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, delete, select, true

from massmail_plugin.contracts import Host
from massmail_plugin.mailings.statistics.shares import Share
from massmail_plugin.models import BREAKDOWN_COUNTS, Breakdown, ChunkShare
from massmail_plugin.portable_sql import changed, dialect, one_of, records, upsert_of

Totals = Counter[tuple[int, str, str, int]]
"""Mailing, by, name, place of the count -> how much is added."""


def add_up(host: Host, mailing_id: int) -> None:
    """Write a mailing's breakdown anew as the sum of its shares. The caller commits."""
    changed(host, delete(Breakdown).where(Breakdown.mailing_id == mailing_id))
    totals: Totals = Counter()
    for numbers in host.session.scalars(select(ChunkShare.numbers).where(ChunkShare.mailing_id == mailing_id)):
        add_difference(totals, mailing_id, {}, numbers)
    write(host, totals)


def add_difference(totals: Totals, mailing_id: int, before: Share, after: Share) -> None:
    """Add to `totals` what changed from one share to the other."""
    for sign, share in ((-1, before), (1, after)):
        for key, counts in share.items():
            by, _, name = key.partition(":")
            for place, number in enumerate(counts):
                if number:
                    totals[mailing_id, by, name, place] += sign * number


def write(host: Host, totals: Totals) -> None:
    """Add these to the numbers of their mailings, in one statement."""
    rows: dict[tuple[int, str, str], dict[str, Any]] = defaultdict(lambda: dict.fromkeys(BREAKDOWN_COUNTS, 0))
    for (mailing_id, by, name, place), number in totals.items():
        if number:
            rows[mailing_id, by, name][BREAKDOWN_COUNTS[place]] = number
    given = [
        {"mailing_id": mailing_id, "by": by, "name": name} | counts
        for (mailing_id, by, name), counts in sorted(rows.items())
    ]
    if given:
        host.session.execute(_adding(dialect(host).name), {"rows": json.dumps(given)})
    if less := sorted({mailing_id for (mailing_id, *_), number in totals.items() if number < 0}):
        changed(host, delete(Breakdown).where(one_of(Breakdown.mailing_id, less), *_NOTHING))


_BREAKDOWN = cast(Table, Breakdown.__table__)
_NOTHING = [_BREAKDOWN.c[name] == 0 for name in BREAKDOWN_COUNTS]
"""True for rows that say nothing but a name, such as the domain of somebody who was erased."""


@cache
def _adding(dialect_name: str) -> Any:
    given = records(dialect_name, "rows", {part.name: part.type for part in _BREAKDOWN.c})
    names = [part.name for part in _BREAKDOWN.c]
    rows = select(*(given.c[name] for name in names)).where(true())
    new = upsert_of(dialect_name, _BREAKDOWN).from_select(names, rows, include_defaults=False)
    added = {name: _BREAKDOWN.c[name] + new.excluded[name] for name in BREAKDOWN_COUNTS}
    return new.on_conflict_do_update(index_elements=list(_BREAKDOWN.primary_key), set_=added)
