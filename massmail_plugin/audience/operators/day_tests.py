"""Dates and points in time compared in SQL, by whole days in UTC. Commits nothing.

A week begins on Monday. A month before the 31st of March is the last day of February. An anniversary of the 29th of
February is the 28th in years without one.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, Integer, TypeDecorator, and_, func, literal, or_, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from massmail_plugin.audience.operators.value_tests import Test


class Unit(StrEnum):
    """What a span is counted in."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


_DAYS = {Unit.DAYS: 1, Unit.WEEKS: 7}
_MONTHS = {Unit.MONTHS: 1, Unit.YEARS: 12}


def moved(day: date, number: int, unit: Unit) -> date:
    """The day so many units later, or earlier where the number is negative."""
    if unit in _DAYS:
        return day + timedelta(days=number * _DAYS[unit])
    months = day.year * 12 + day.month - 1 + number * _MONTHS[unit]
    first = date(months // 12, months % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), _last_of_month(first))


def _last_of_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


# --- Days -----------------------------------------------------------------------------------------------------


def _moment(column: Any, day: date) -> Any:
    """Where a day begins, as the column keeps it: a date, or a time with or without a zone (then meant as UTC).

    A type of the host's own that keeps days as something else says itself how.
    """
    decorated = isinstance(column.type, TypeDecorator)
    kept = column.type.impl_instance if decorated else column.type
    if isinstance(kept, DateTime):
        begin = datetime.combine(day, time(), UTC)
        return literal(begin if kept.timezone else begin.replace(tzinfo=None), DateTime(timezone=kept.timezone))
    return literal(day, column.type) if decorated else literal(day)


def _from(column: Any, day: date) -> ColumnElement[bool]:
    begins: ColumnElement[bool] = column >= _moment(column, day)
    return begins


def _until(column: Any, day: date) -> ColumnElement[bool]:
    ends: ColumnElement[bool] = column < _moment(column, day + timedelta(days=1))
    return ends


Days = Callable[[Sequence[Any], date], tuple[date | None, date | None]]
"""(values, today) -> the first and the last day that fit; None for no bound."""


def _day_test(days: Days) -> Test:
    def test(column: Any, values: Sequence[Any], now: datetime) -> ColumnElement[bool]:
        first, last = days(values, now.astimezone(UTC).date())
        tests = [column.is_not(None)]
        if first is not None:
            tests.append(_from(column, first))
        if last is not None:
            tests.append(_until(column, last))
        return and_(*tests)

    return test


_DAY = timedelta(days=1)

ON = _day_test(lambda values, today: (values[0], values[0]))
BEFORE = _day_test(lambda values, today: (None, values[0] - _DAY))
AFTER = _day_test(lambda values, today: (values[0] + _DAY, None))
BETWEEN = _day_test(lambda values, today: (values[0], values[1]))
IN_LAST = _day_test(lambda span, today: (moved(today, -span[0], span[1]), today))
IN_NEXT = _day_test(lambda span, today: (today, moved(today, span[0], span[1])))
LONGER_AGO = _day_test(lambda span, today: (None, moved(today, -span[0], span[1]) - _DAY))
FURTHER_AHEAD = _day_test(lambda span, today: (moved(today, span[0], span[1]) + _DAY, None))
TODAY = _day_test(lambda values, today: (today, today))
THIS_WEEK = _day_test(lambda values, today: _week(today))
THIS_MONTH = _day_test(lambda values, today: _month(today))
THIS_YEAR = _day_test(lambda values, today: (today.replace(month=1, day=1), today.replace(month=12, day=31)))


def _week(today: date) -> tuple[date, date]:
    monday = today - timedelta(days=today.weekday())
    return monday, monday + timedelta(days=6)


def _month(today: date) -> tuple[date, date]:
    return today.replace(day=1), _last_of_month(today)


# --- Anniversaries --------------------------------------------------------------------------------------------


class MonthDay(FunctionElement[int]):
    """SQL of a date's month times 100 and day, of a time's in UTC: 311 for the 11th of March."""

    name = "massmail_month_day"
    type = Integer()
    inherit_cache = True


@compiles(MonthDay)
def _month_day(element: MonthDay, compiler: SQLCompiler, **options: Any) -> str:
    (column,) = element.clauses
    return f"CAST(strftime('%m%d', {compiler.process(column, **options)}) AS INTEGER)"


@compiles(MonthDay, "postgresql")
def _month_day_on_postgresql(element: MonthDay, compiler: SQLCompiler, **options: Any) -> str:
    (column,) = element.clauses
    day = compiler.process(column, **options)
    if getattr(column.type, "timezone", False) or getattr(getattr(column.type, "impl", None), "timezone", False):
        day = f"({day} AT TIME ZONE 'UTC')"
    return f"CAST(EXTRACT(MONTH FROM {day}) * 100 + EXTRACT(DAY FROM {day}) AS INTEGER)"


def _anniversary_test(days: Callable[[Sequence[Any], date], tuple[date, date]]) -> Test:
    def test(column: Any, values: Sequence[Any], now: datetime) -> ColumnElement[bool]:
        first, last = days(values, now.astimezone(UTC).date())
        # A day without a month, such as PostgreSQL's infinity, is in no range.
        day = func.coalesce(MonthDay(column), 0)
        ranges = [day.between(low, high) for low, high in _ranges(first, last)]
        return and_(column.is_not(None), or_(*ranges) if ranges else true())

    return test


def _ranges(first: date, last: date) -> Iterator[tuple[int, int]]:
    """The month-days from one day to another as one or two ranges; none where it is all the year round."""
    if (last - first).days >= 365:
        return
    low, high = (100 * day.month + day.day for day in (first, last))
    if high == 228 and _last_of_month(last) == last:
        high = 229
    if first.year == last.year:
        yield low, high
    else:
        yield low, 1231
        yield 101, high


ANNIVERSARY_TODAY = _anniversary_test(lambda values, today: (today, today))
ANNIVERSARY_THIS_WEEK = _anniversary_test(lambda values, today: _week(today))
ANNIVERSARY_THIS_MONTH = _anniversary_test(lambda values, today: _month(today))
ANNIVERSARY_IN_NEXT = _anniversary_test(lambda span, today: (today, moved(today, span[0], span[1])))
