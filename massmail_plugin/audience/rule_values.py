"""Values of rules: what JSON or a form gave, read as what the field holds, or refused in words. Commits nothing."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from massmail_plugin.audience.operators import Operator, Takes
from massmail_plugin.contact_fields import ContactField, FieldKind
from massmail_plugin.errors import RuleError

MAX_VALUES = 1000
MAX_TEXT = 500
MAX_DAYS = 36_500
LARGEST = Decimal(10) ** 15


def values(field: ContactField, operator: Operator, given: object) -> tuple[Any, ...]:
    """The values of a rule: str, Decimal, date, or for DAYS one int. Raises RuleError naming field and fault."""
    if operator.takes is Takes.NOTHING:
        return ()
    if operator.takes is Takes.DAYS:
        return (_days(field, given),)
    read = _READERS.get(field.kind, _text)
    found = tuple(read(field, one) for one in _as_many(field, operator, given))
    if operator.takes is Takes.TWO and found[0] > found[1]:
        raise RuleError(f"{field.label}: the first value must not be greater than the second.")
    return found


def _as_many(field: ContactField, operator: Operator, given: object) -> Sequence[object]:
    several = list(given) if isinstance(given, list | tuple) else [given]
    if operator.takes is Takes.ONE and len(several) != 1:
        raise RuleError(f"{field.label}: “{operator.label}” takes one value.")
    if operator.takes is Takes.TWO and len(several) != 2:
        raise RuleError(f"{field.label}: “{operator.label}” takes two values.")
    if not several or len(several) > MAX_VALUES:
        raise RuleError(f"{field.label}: “{operator.label}” takes 1 to {MAX_VALUES} values.")
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


def _days(field: ContactField, given: object) -> int:
    text = str(given).strip()
    if (
        isinstance(given, bool | float)
        or not (text.isascii() and text.isdigit())
        or len(text) > 5
        or int(text) > MAX_DAYS
    ):
        raise RuleError(f"{field.label}: enter a number of days from 0 to {MAX_DAYS}.")
    return int(text)


def _shown(given: object) -> str:
    return "“" + str(given)[:40] + "”"


_READERS: dict[FieldKind, Callable[[ContactField, object], Any]] = {
    FieldKind.TEXT: _text,
    FieldKind.NUMBER: _number,
    FieldKind.DATE: _day,
    FieldKind.TIME: _day,
}
