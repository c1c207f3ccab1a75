"""Notices that somebody has said stop since the last look, for the price of one small query. Sending enters.

A wish to stop is always a new row (a suppression, or the history of a subscription), so counting the newest rows tells.
What was released counts too: SQLite gives the number of a row that is gone to the next one.
"""

from typing import Any, cast

from sqlalchemy import Subquery, Table, bindparam, func, select, true

from massmail_plugin.contracts import Host
from massmail_plugin.models import ReleasedSuppression, SubscriptionEvent, Suppression

OVERLAP = 1_000
"""Rows looked at again: one with a lower number may be committed after one with a higher."""
REBASE_ABOVE = 5 * OVERLAP


_KEYS = tuple(cast(Table, model.__table__).c.id for model in (Suppression, ReleasedSuppression, SubscriptionEvent))


def _newest(key: Any, after: str) -> Subquery:
    """The newest keys alone: with an order and a limit the planner takes the index, whatever it knows of the table."""
    few = select(key).where(key > bindparam(after)).order_by(key.desc()).limit(REBASE_ABOVE + 1).subquery()
    return select(func.count(few.c[0]), func.coalesce(func.max(few.c[0]), 0)).subquery()


_STOPS, _RELEASED, _CHANGES = (_newest(key, f"after{place}") for place, key in enumerate(_KEYS))
_NEWEST = select(_STOPS, _RELEASED, _CHANGES).select_from(_STOPS.join(_RELEASED, true()).join(_CHANGES, true()))
_HIGHEST = select(*(select(func.coalesce(func.max(key), 0)).scalar_subquery() for key in _KEYS))


class StopWatch:
    """One lane's memory of what it has seen."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._from: tuple[int, ...] = (0,) * len(_KEYS)
        self._seen: tuple[int, ...] = ()
        self._rebase()

    def looks_changed(self) -> bool:
        """Whether anybody was suppressed, released, or left or joined a list since the last look. Commits nothing."""
        found = self._newest()
        changed = found != self._seen
        self._seen = found
        if sum(found[::2]) > REBASE_ABOVE:
            self._rebase()
            return True
        return changed

    def _rebase(self) -> None:
        highest = self._host.session.connection().execute(_HIGHEST).one()
        self._from = tuple(key - OVERLAP for key in highest)
        self._seen = self._newest()

    def _newest(self) -> tuple[int, ...]:
        """Of each table the number of new rows and the highest key."""
        given = {f"after{place}": key for place, key in enumerate(self._from)}
        return tuple(self._host.session.connection().execute(_NEWEST, given).one())
