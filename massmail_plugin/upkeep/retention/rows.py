"""Tables whose rows each go by their own age: deleted, or made empty of what is personal. The run enters and commits.

A pass walks a table in the order of its ids, which is that of time closely enough: where a whole window holds nothing
old, nothing old comes after.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy import ColumnElement, delete, exists, func, select, update

from massmail_plugin.contracts import Host
from massmail_plugin.portable_sql import changed

WINDOW = 5_000
"""Rows looked at in one transaction."""


class Slice(NamedTuple):
    """What one transaction of a pass has done; the pass goes on after `place`, None: it is over."""

    forgotten: int
    place: int | None


class Kind(Protocol):
    """A kind of data with an age of its own."""

    @property
    def name(self) -> str:
        """The field of `Ages` that holds its days."""

    @property
    def label(self) -> str:
        """For people."""

    def due(self, host: Host, end: datetime) -> int:
        """How many rows are older than `end` now. Reads only."""

    def forget(self, host: Host, end: datetime, after: int) -> Slice:
        """Delete the next of what is older than `end`, in the order of ids, from the id `after` on. Flushes only."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of one table; with `values` they are not deleted but filled with these."""

    name: str
    label: str
    key: Any
    """The id of the row that says the age; the walk goes by it."""
    at: Any
    only: ColumnElement[bool] | None = None
    values: Mapping[str, Any] | None = None
    parts: Any = None
    """A column of another table that names `key`: it is these rows that go, all of each."""

    def due(self, host: Host, end: datetime) -> int:
        return host.session.scalar(select(func.count()).select_from(self._table).where(self._old(end))) or 0

    def forget(self, host: Host, end: datetime, after: int) -> Slice:
        window, last = self._window(host, after)
        if last is not None and not host.session.scalar(select(exists().where(window, self.at < end))):
            return Slice(0, None)
        if self.parts is not None:
            which = self.parts.in_(select(self.key).where(window, self.at < end))
        else:
            which = window & self._old(end)
        statement = delete(self._table) if self.values is None else update(self._table).values(**self.values)
        return Slice(changed(host, statement.where(which)), last)

    @property
    def _table(self) -> Any:
        return (self.key if self.parts is None else self.parts).class_

    def _old(self, end: datetime) -> ColumnElement[bool]:
        if self.parts is not None:
            return self.parts.in_(select(self.key).where(self.at < end))  # type: ignore[no-any-return]
        old: ColumnElement[bool] = self.at < end
        return old if self.only is None else old & self.only

    def _window(self, host: Host, after: int) -> tuple[ColumnElement[bool], int | None]:
        """The next rows, and the id of the last of them; None where there are none beyond."""
        following = select(self.key).where(self.key > after).order_by(self.key)
        last = host.session.scalar(following.offset(WINDOW - 1).limit(1))
        window: ColumnElement[bool] = self.key > after
        return (window, None) if last is None else (window & (self.key <= last), last)
