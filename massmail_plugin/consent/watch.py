"""Notices that somebody has said stop since the last look, for the price of one small query. Sending enters.

A wish to stop is always a new row (a suppression, or the history of a subscription), so counting the newest rows tells.
"""

from typing import Any, NamedTuple, cast

from sqlalchemy import Subquery, Table, bindparam, func, select, true

from massmail_plugin.contracts import Host
from massmail_plugin.models import SubscriptionEvent, Suppression

OVERLAP = 1_000
"""Rows looked at again: one with a lower number may be committed after one with a higher."""
REBASE_ABOVE = 5 * OVERLAP


class _Newest(NamedTuple):
    suppressions: int
    suppression_id: int
    changes: int
    change_id: int


_STOP, _CHANGE = (cast(Table, model.__table__).c.id for model in (Suppression, SubscriptionEvent))


def _newest(key: Any, after: str) -> Subquery:
    """The newest keys alone: with an order and a limit the planner takes the index, whatever it knows of the table."""
    few = select(key).where(key > bindparam(after)).order_by(key.desc()).limit(REBASE_ABOVE + 1).subquery()
    return select(func.count(few.c[0]), func.coalesce(func.max(few.c[0]), 0)).subquery()


_STOPS, _CHANGES = _newest(_STOP, "suppression"), _newest(_CHANGE, "change")
_NEWEST = select(_STOPS, _CHANGES).select_from(_STOPS.join(_CHANGES, true()))


class StopWatch:
    """One lane's memory of what it has seen."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._from = (0, 0)
        self._seen = _Newest(0, 0, 0, 0)
        self._rebase()

    def looks_changed(self) -> bool:
        """Whether anybody was suppressed, released, or left or joined a list since the last look. Commits nothing."""
        found = self._newest()
        changed = found != self._seen
        self._seen = found
        if found.suppressions + found.changes > REBASE_ABOVE:
            self._rebase()
            return True
        return changed

    def _rebase(self) -> None:
        self._from = (0, 0)
        highest = select(
            select(func.coalesce(func.max(Suppression.id), 0)).scalar_subquery(),
            select(func.coalesce(func.max(SubscriptionEvent.id), 0)).scalar_subquery(),
        )
        suppression, change = self._host.session.execute(highest).one()
        self._from = (suppression - OVERLAP, change - OVERLAP)
        self._seen = self._newest()

    def _newest(self) -> _Newest:
        given = {"suppression": self._from[0], "change": self._from[1]}
        return _Newest(*self._host.session.connection().execute(_NEWEST, given).one())
