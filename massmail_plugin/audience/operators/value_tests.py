"""Numbers, yes and no, and whether there is anything, compared in SQL. Commits nothing."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Float, Integer, Numeric, TypeDecorator, and_, false, literal, true
from sqlalchemy.sql.elements import ColumnElement

Test = Callable[[Any, Sequence[Any], datetime], ColumnElement[bool]]
"""(column, values, now) -> true or false, never NULL."""


def as_number(column: Any, value: Decimal) -> ColumnElement[Any]:
    """A bound number that both drivers take for this column: SQLite has no decimals, whole columns no fractions.

    A type of the host's own says itself how it keeps one.
    """
    whole = value == value.to_integral_value()
    if isinstance(column.type, TypeDecorator):
        return literal(int(value) if whole else value, column.type)
    if whole:
        return literal(int(value), BigInteger)
    return literal(float(value), Float) if isinstance(column.type, Integer | Float) else literal(value, Numeric)


def _number_test(compare: Callable[[Any, Sequence[Any]], ColumnElement[bool]]) -> Test:
    return lambda column, values, now: and_(
        column.is_not(None), compare(column, [as_number(column, value) for value in values])
    )


IS = _number_test(lambda column, values: column == values[0])
IN = _number_test(lambda column, values: column.in_(values))
LESS = _number_test(lambda column, values: column < values[0])
AT_MOST = _number_test(lambda column, values: column <= values[0])
MORE = _number_test(lambda column, values: column > values[0])
AT_LEAST = _number_test(lambda column, values: column >= values[0])
BETWEEN = _number_test(lambda column, values: column.between(values[0], values[1]))


def _flag(column: Any, yes: bool) -> ColumnElement[bool]:
    """A flag may be kept as a number, or as whatever a type of the host's own makes of it."""
    if isinstance(column.type, TypeDecorator):
        kept: ColumnElement[bool] = column == literal(yes, column.type)
    elif isinstance(column.type, Integer):
        kept = column != 0 if yes else column == 0
    else:
        kept = column == (true() if yes else false())
    return and_(column.is_not(None), kept)


def IS_TRUE(column: Any, values: Sequence[Any], now: datetime) -> ColumnElement[bool]:
    return _flag(column, True)


def IS_FALSE(column: Any, values: Sequence[Any], now: datetime) -> ColumnElement[bool]:
    return _flag(column, False)


def THERE(column: Any, values: Sequence[Any], now: datetime) -> ColumnElement[bool]:
    there: ColumnElement[bool] = column.is_not(None)
    return there
