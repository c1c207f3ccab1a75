"""One page of a long table, by number or after a key. Views enter; only reads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import request
from sqlalchemy import BigInteger, Select, literal, tuple_
from sqlalchemy.orm import scoped_session

from massmail_plugin.models.base import UtcDateTime

SIZE = 25
LAST_PAGE = 400


@dataclass(frozen=True)
class Page:
    """Some rows, and the query arguments that lead to the pages around them (None: there is none)."""

    rows: Sequence[Any]
    previous: dict[str, str] | None = None
    following: dict[str, str] | None = None
    number: int = 1


def sliced(rows: Sequence[Any], *, size: int = SIZE) -> Page:
    """The page that ?page= asks for, of rows that are all there already; for a few thousand at the most."""
    wanted = request.args.get("page", "1")
    last = max((len(rows) + size - 1) // size, 1)
    number = min(max(int(wanted) if wanted.isdecimal() and len(wanted) < 5 else 1, 1), last)
    return Page(
        rows[(number - 1) * size : number * size],
        _arguments(page=number - 1) if number > 1 else None,
        _arguments(page=number + 1) if number < last else None,
        number,
    )


def numbered(session: scoped_session[Any], query: Select[Any], *, size: int = SIZE, scalars: bool = True) -> Page:
    """The page that ?page= asks for, by LIMIT and OFFSET; for tables of some thousand rows (400 pages at the most)."""
    wanted = request.args.get("page", "1")
    number = min(max(int(wanted) if wanted.isdecimal() and len(wanted) < 5 else 1, 1), LAST_PAGE)
    found = session.execute(query.limit(size + 1).offset((number - 1) * size))
    rows = list(found.scalars() if scalars else found)
    return Page(
        rows[:size],
        _arguments(page=number - 1) if number > 1 else None,
        _arguments(page=number + 1) if len(rows) > size and number < LAST_PAGE else None,
        number,
    )


def after_key(
    session: scoped_session[Any],
    query: Select[Any],
    column: Any,
    *,
    key: Callable[[Any], int] = lambda row: row.id,
    size: int = SIZE,
    scalars: bool = True,
    newest: bool = False,
) -> Page:
    """The rows whose integer `column` comes after ?after=, ordered by it; for tables of any length.

    With `newest` from the greatest on.
    """
    wanted = request.args.get("after", "")
    start = int(wanted) if wanted.isdecimal() and len(wanted) < 19 else None
    if start is not None:
        # As large a number as any key may have, also beside a key that is smaller.
        place = literal(start, BigInteger)
        query = query.where(column < place if newest else column > place)
    found = session.execute(query.order_by(column.desc() if newest else column).limit(size + 1))
    rows = list(found.scalars() if scalars else found)
    first = None if start is None else {k: v for k, v in request.args.items() if k != "after"}
    return Page(rows[:size], first, _arguments(after=key(rows[size - 1])) if len(rows) > size else None, 1)


def by_time(session: scoped_session[Any], query: Select[Any], at: Any, column: Any, *, size: int = SIZE) -> Page:
    """The rows after ?after=, the newest first, by a time and an integer key that an index has in this order.

    The rows have the attributes that `at` and `column` are mapped to; for tables of any length.
    """
    moment, _, key = request.args.get("after", "").partition("~")
    start = _place(moment, key)
    if start is not None:
        query = query.where(tuple_(at, column) < start)
    rows = list(session.scalars(query.order_by(at.desc(), column.desc()).limit(size + 1)))
    first = None if start is None else {k: v for k, v in request.args.items() if k != "after"}
    if len(rows) <= size:
        return Page(rows, first)
    last = rows[size - 1]
    after = f"{getattr(last, at.key).isoformat()}~{getattr(last, column.key)}"
    return Page(rows[:size], first, {**request.args.to_dict(), "after": after})


def _place(moment: str, key: str) -> Any:
    try:
        at, number = datetime.fromisoformat(moment), int(key)
    except ValueError:
        return None
    return tuple_(literal(at, UtcDateTime), literal(number, BigInteger)) if at.tzinfo and 0 <= number < 2**63 else None


def _arguments(**changed: int) -> dict[str, str]:
    return {**request.args.to_dict(), **{name: str(value) for name, value in changed.items()}}
