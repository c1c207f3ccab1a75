"""Values of rules: what JSON or a form gave, read as what the field holds, or refused in words. Commits nothing."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import TypeDecorator
from sqlalchemy.engine.default import DefaultDialect

from massmail_plugin.audience.operators.day_tests import Unit
from massmail_plugin.audience.operators.of_kinds import Operator, Takes
from massmail_plugin.audience.operators.text_tests import code_key
from massmail_plugin.contact_fields import ContactField
from massmail_plugin.errors import RuleError, nearest
from massmail_plugin.vocabulary import FieldKind

MAX_TEXTS = 10_000
"""Values of "is one of" for texts, which go to the database in one parameter."""
MAX_VALUES = 1000
MAX_TEXT = 500
MOST = {Unit.DAYS: 36_500, Unit.WEEKS: 5_200, Unit.MONTHS: 1_200, Unit.YEARS: 100}
LARGEST = Decimal(10) ** 15
_RANGES_OF_CODES = ("between", "at_least", "at_most")


def values(field: ContactField, operator: Operator, given: object) -> tuple[Any, ...]:
    """The values of a rule: str, Decimal, date, or for SPAN a number and its Unit.

    Raises RuleError naming field and fault.
    """
    if operator.takes is Takes.NOTHING:
        return ()
    if operator.takes is Takes.SPAN:
        return _span(field, given)
    read = _READERS.get(field.kind, _text)
    found = tuple(read(field, one) for one in _as_many(field, operator, given))
    if field.kind is FieldKind.CODE and operator.name in _RANGES_OF_CODES:
        _check_codes(field, found)
    elif operator.takes is Takes.TWO and found[0] > found[1]:
        raise RuleError(f"{field.label}: the first value must not be greater than the second.")
    _check_own_type(field, found)
    return found


def _check_codes(field: ContactField, codes: Sequence[str]) -> None:
    keys = [code_key(code) for code in codes]
    missing = next((code for code, key in zip(codes, keys, strict=True) if key is None), None)
    if missing is not None:
        raise RuleError(f"{field.label}: {_shown(missing)} does not end in a number, so no range can begin there.")
    first, *others = [key for key in keys if key is not None]
    if any(other[0] != first[0] for other in others):
        raise RuleError(f"{field.label}: both values must begin alike before the number, such as A100 and A250.")
    if any(other[1] < first[1] for other in others):
        raise RuleError(f"{field.label}: the first value must not be greater than the second.")


def _check_own_type(field: ContactField, found: Sequence[Any]) -> None:
    """A type of the host's own may refuse a value, with whatever error."""
    if not isinstance(field.column.type, TypeDecorator) or field.kind in (FieldKind.TEXT, FieldKind.CODE):
        return
    dialect = DefaultDialect()
    keep = field.column.type.dialect_impl(dialect).bind_processor(dialect) or str
    for value in found:
        try:
            keep(int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value)
        except Exception:
            raise RuleError(f"{field.label}: {_shown(value)} cannot stand in this field.") from None


def _as_many(field: ContactField, operator: Operator, given: object) -> Sequence[object]:
    several = list(given) if isinstance(given, list | tuple) else [given]
    if operator.takes is Takes.ONE and len(several) != 1:
        raise RuleError(f"{field.label}: “{operator.label}” takes one value.")
    if operator.takes is Takes.TWO and len(several) != 2:
        raise RuleError(f"{field.label}: “{operator.label}” takes two values.")
    most = MAX_TEXTS if field.kind in (FieldKind.TEXT, FieldKind.CODE) else MAX_VALUES
    if not several or len(several) > most:
        raise RuleError(f"{field.label}: “{operator.label}” takes 1 to {most:,} values.")
    return several


def _text(field: ContactField, given: object) -> str:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise RuleError(f"{field.label}: enter a text.")
    text = str(given)
    if not text:
        raise RuleError(f"{field.label}: enter a text, or choose “is empty”.")
    if len(text) > MAX_TEXT:
        raise RuleError(f"{field.label}: the text is longer than {MAX_TEXT} characters.")
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise RuleError(f"{field.label}: the text holds characters that no database keeps.")
    return text


def _number(field: ContactField, given: object) -> Decimal:
    try:
        if isinstance(given, bool) or not isinstance(given, str | int | float) or len(str(given)) > 40:
            raise InvalidOperation
        number = Decimal(str(given).strip())
    except (InvalidOperation, ValueError):
        raise RuleError(f"{field.label}: {_shown(given)} is no number. Write it like 1234.5.") from None
    if not number.is_finite() or abs(number) > LARGEST:
        raise RuleError(f"{field.label}: {_shown(given)} is too large.")
    if number.as_tuple().exponent < -9:  # type: ignore[operator]
        raise RuleError(f"{field.label}: {_shown(given)} has more than 9 decimal places.")
    return number


def _day(field: ContactField, given: object) -> date:
    try:
        day = date.fromisoformat(str(given).strip())
    except ValueError:
        raise RuleError(f"{field.label}: {_shown(given)} is no date. Write it like 2026-03-31.") from None
    if not 1000 <= day.year <= 9000:
        raise RuleError(f"{field.label}: the year of {_shown(given)} cannot be right.")
    return day


def _span(field: ContactField, given: object) -> tuple[int, Unit]:
    number, unit = given if isinstance(given, list | tuple) and len(given) == 2 else (given, Unit.DAYS)
    if unit not in list(Unit):
        raise RuleError(f"{field.label}: a span is counted in {', '.join(Unit)}. {nearest(str(unit)[:20], Unit)}")
    text, most = str(number).strip(), MOST[Unit(unit)]
    whole = isinstance(number, str | int) and not isinstance(number, bool) and text.isascii() and text.isdigit()
    if not whole or len(text) > 6 or int(text) > most:
        raise RuleError(f"{field.label}: enter a number of {unit} from 0 to {most:,}.")
    return int(text), Unit(unit)


def _shown(given: object) -> str:
    return "“" + str(given)[:40] + "”"


_READERS: dict[FieldKind, Callable[[ContactField, object], Any]] = {
    FieldKind.TEXT: _text,
    FieldKind.NUMBER: _number,
    FieldKind.DATE: _day,
    FieldKind.TIME: _day,
}
