"""One page of a long table, by number or after a key. Views enter; only reads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy import Select
from sqlalchemy.orm import scoped_session

SIZE = 25
LAST_PAGE = 400


@dataclass(frozen=True)
class Page:
    """Some rows, and the query arguments that lead to the pages around them (None: there is none)."""

    rows: Sequence[Any]
    previous: dict[str, str] | None = None
    following: dict[str, str] | None = None
    number: int = 1


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
) -> Page:
    """The rows whose integer `column` comes after ?after=, ordered by it; for tables of any length."""
    wanted = request.args.get("after", "")
    start = int(wanted) if wanted.isdecimal() and len(wanted) < 19 else None
    if start is not None:
        query = query.where(column > start)
    found = session.execute(query.order_by(column).limit(size + 1))
    rows = list(found.scalars() if scalars else found)
    first = None if start is None else {k: v for k, v in request.args.items() if k != "after"}
    return Page(rows[:size], first, _arguments(after=key(rows[size - 1])) if len(rows) > size else None, 1)


def _arguments(**changed: int) -> dict[str, str]:
    return {**request.args.to_dict(), **{name: str(value) for name, value in changed.items()}}
