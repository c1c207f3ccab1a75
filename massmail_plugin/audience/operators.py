"""How fields are compared: the operators of each kind, as words for the screen and as SQL. Commits nothing.

Every test is true or false, never NULL: an empty field fails each positive test, and passes its opposite ("is not X"
includes empty). Texts compare exactly; contains, starts with and ends with pass over case (outside ASCII as far as the
database knows it). Points in time compare by whole days in UTC.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Float, Integer, Numeric, String, TypeDecorator, and_, false, literal, true
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.sql.elements import ColumnElement

from massmail_plugin.consent.contact_keys import TextOf
from massmail_plugin.contact_fields import FieldKind
from massmail_plugin.errors import RuleError, nearest

Test = Callable[[Any, Sequence[Any], datetime], ColumnElement[bool]]


class Takes(StrEnum):
    """What stands after an operator."""

    NOTHING = "nothing"
    ONE = "one"
    TWO = "two"
    MANY = "many"
    DAYS = "days"


@dataclass(frozen=True)
class Operator:
    """`name` as rules hold it, `label` as people read it, what it takes; `opposite` turns the test round."""

    name: str
    label: str
    takes: Takes
    test: Test
    opposite: bool = False


def operators_for(kind: FieldKind) -> tuple[Operator, ...]:
    """The operators of a kind, in the order the screen offers them."""
    return _OPERATORS[kind]


def operator(kind: FieldKind, name: str) -> Operator:
    """One operator by name; raises RuleError with the nearest right name."""
    found = next((one for one in _OPERATORS[kind] if one.name == name), None)
    if found is None:
        names = [one.name for one in _OPERATORS[kind]]
        raise RuleError(f"A {kind} field cannot be compared by “{name[:50]}”. {nearest(name[:50], names)}")
    return found


# --- Text -----------------------------------------------------------------------------------------------------


def _text(column: Any) -> Any:
    plain = isinstance(column.type, String) and not isinstance(column.type, SqlEnum)
    return column if plain else TextOf(column)


def _has_text(column: Any, values: Sequence[Any], now: datetime) -> ColumnElement[bool]:
    return and_(column.is_not(None), _text(column) != "")


def _text_test(compare: Callable[[Any, Sequence[Any]], ColumnElement[bool]]) -> Test:
    return lambda column, values, now: and_(column.is_not(None), compare(_text(column), values))


_TEXT_IS = _text_test(lambda text, values: text == values[0])
_TEXT_IN = _text_test(lambda text, values: text.in_(values))
_CONTAINS = _text_test(lambda text, values: text.icontains(values[0], autoescape=True))
_STARTS = _text_test(lambda text, values: text.istartswith(values[0], autoescape=True))
_ENDS = _text_test(lambda text, values: text.iendswith(values[0], autoescape=True))


# --- Numbers --------------------------------------------------------------------------------------------------


def _number(column: Any, value: Decimal) -> ColumnElement[Any]:
    """A bound number that both drivers take for this column: SQLite has no decimals, whole columns no fractions."""
    if value == value.to_integral_value():
        return literal(int(value), BigInteger)
    return literal(float(value), Float) if isinstance(column.type, Integer | Float) else literal(value, Numeric)


def _number_test(compare: Callable[[Any, Sequence[Any]], ColumnElement[bool]]) -> Test:
    return lambda column, values, now: and_(
        column.is_not(None), compare(column, [_number(column, value) for value in values])
    )


_NUMBER_IS = _number_test(lambda column, values: column == values[0])
_NUMBER_IN = _number_test(lambda column, values: column.in_(values))
_LESS = _number_test(lambda column, values: column < values[0])
_AT_MOST = _number_test(lambda column, values: column <= values[0])
_MORE = _number_test(lambda column, values: column > values[0])
_AT_LEAST = _number_test(lambda column, values: column >= values[0])
_BETWEEN = _number_test(lambda column, values: column.between(values[0], values[1]))


# --- Days: of dates, and of points in time ---------------------------------------------------------------------


def _moment(column: Any, day: date) -> Any:
    """Where a day begins, as the column keeps it: a date, or a time with or without a zone (then meant as UTC)."""
    kept = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    if not isinstance(kept, DateTime):
        return literal(day)
    begin = datetime.combine(day, time(), UTC)
    return literal(begin if kept.timezone else begin.replace(tzinfo=None), DateTime(timezone=kept.timezone))


def _from(column: Any, day: date) -> ColumnElement[bool]:
    begins: ColumnElement[bool] = column >= _moment(column, day)
    return begins


def _until(column: Any, day: date) -> ColumnElement[bool]:
    ends: ColumnElement[bool] = column < _moment(column, day + timedelta(days=1))
    return ends


def _day_test(compare: Callable[[Any, Sequence[Any], date], ColumnElement[bool]]) -> Test:
    return lambda column, values, now: and_(column.is_not(None), compare(column, values, now.astimezone(UTC).date()))


_ON = _day_test(lambda column, days, today: and_(_from(column, days[0]), _until(column, days[0])))
_BEFORE = _day_test(lambda column, days, today: _until(column, days[0] - timedelta(days=1)))
_AFTER = _day_test(lambda column, days, today: _from(column, days[0] + timedelta(days=1)))
_BETWEEN_DAYS = _day_test(lambda column, days, today: and_(_from(column, days[0]), _until(column, days[1])))
_IN_LAST = _day_test(lambda column, n, today: and_(_from(column, today - timedelta(days=n[0])), _until(column, today)))
_IN_NEXT = _day_test(lambda column, n, today: and_(_from(column, today), _until(column, today + timedelta(days=n[0]))))
_LONGER_AGO = _day_test(lambda column, n, today: _until(column, today - timedelta(days=n[0] + 1)))


# --- Yes and no, and whether there is anything -------------------------------------------------------------------


def _there(column: Any, values: Sequence[Any], now: datetime) -> ColumnElement[bool]:
    there: ColumnElement[bool] = column.is_not(None)
    return there


def _true(column: Any, values: Sequence[Any], now: datetime) -> ColumnElement[bool]:
    return and_(column.is_not(None), column == true())


def _false(column: Any, values: Sequence[Any], now: datetime) -> ColumnElement[bool]:
    return and_(column.is_not(None), column == false())


def _emptiness(test: Test) -> tuple[Operator, Operator]:
    return (
        Operator("is_empty", "is empty", Takes.NOTHING, test, opposite=True),
        Operator("is_not_empty", "is not empty", Takes.NOTHING, test),
    )


_DAY_OPERATORS = (
    Operator("on", "is on", Takes.ONE, _ON),
    Operator("before", "is before", Takes.ONE, _BEFORE),
    Operator("after", "is after", Takes.ONE, _AFTER),
    Operator("between", "is between", Takes.TWO, _BETWEEN_DAYS),
    Operator("in_last_days", "was in the last … days", Takes.DAYS, _IN_LAST),
    Operator("in_next_days", "is in the next … days", Takes.DAYS, _IN_NEXT),
    Operator("longer_ago_than_days", "was longer ago than … days", Takes.DAYS, _LONGER_AGO),
    *_emptiness(_there),
)
_OPERATORS: dict[FieldKind, tuple[Operator, ...]] = {
    FieldKind.TEXT: (
        Operator("is", "is", Takes.ONE, _TEXT_IS),
        Operator("is_not", "is not", Takes.ONE, _TEXT_IS, opposite=True),
        Operator("in", "is one of", Takes.MANY, _TEXT_IN),
        Operator("not_in", "is none of", Takes.MANY, _TEXT_IN, opposite=True),
        Operator("contains", "contains", Takes.ONE, _CONTAINS),
        Operator("not_contains", "does not contain", Takes.ONE, _CONTAINS, opposite=True),
        Operator("starts_with", "starts with", Takes.ONE, _STARTS),
        Operator("ends_with", "ends with", Takes.ONE, _ENDS),
        *_emptiness(_has_text),
    ),
    FieldKind.NUMBER: (
        Operator("is", "is", Takes.ONE, _NUMBER_IS),
        Operator("is_not", "is not", Takes.ONE, _NUMBER_IS, opposite=True),
        Operator("less", "is less than", Takes.ONE, _LESS),
        Operator("at_most", "is at most", Takes.ONE, _AT_MOST),
        Operator("more", "is more than", Takes.ONE, _MORE),
        Operator("at_least", "is at least", Takes.ONE, _AT_LEAST),
        Operator("between", "is between", Takes.TWO, _BETWEEN),
        Operator("in", "is one of", Takes.MANY, _NUMBER_IN),
        Operator("not_in", "is none of", Takes.MANY, _NUMBER_IN, opposite=True),
        *_emptiness(_there),
    ),
    FieldKind.DATE: _DAY_OPERATORS,
    FieldKind.TIME: _DAY_OPERATORS,
    FieldKind.BOOLEAN: (
        Operator("is_true", "is yes", Takes.NOTHING, _true),
        Operator("is_false", "is no", Takes.NOTHING, _false),
        *_emptiness(_there),
    ),
}
