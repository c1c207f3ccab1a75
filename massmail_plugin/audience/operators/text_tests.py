"""Texts and codes compared in SQL. Commits nothing.

Texts compare exactly; contains, starts with and ends with pass over case (outside ASCII as far as the database knows
it). A code is what stands before the number at its end, then that number: A7 and A0007 are equal, A10 comes after A9,
and codes that begin otherwise are in no range of A.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Enum as SqlEnum
from sqlalchemy import String, and_, func, literal, or_
from sqlalchemy.sql.elements import ColumnElement

from massmail_plugin.audience.operators.value_tests import Test
from massmail_plugin.consent.contact_keys import TextOf
from massmail_plugin.portable_sql import one_of

CODE = re.compile(r"(.*?)([0-9]+)", re.DOTALL)
"""What stands before the number of a code, and the number."""
FEW = 50
"""So many values the planner may look at one by one; more go in one parameter."""


def _text(column: Any) -> Any:
    plain = isinstance(column.type, String) and not isinstance(column.type, SqlEnum)
    return column if plain else TextOf(column)


def THERE(column: Any, values: Sequence[Any], now: datetime) -> ColumnElement[bool]:
    return and_(column.is_not(None), _text(column) != "")


def _text_test(compare: Callable[[Any, Sequence[Any]], ColumnElement[bool]]) -> Test:
    return lambda column, values, now: and_(column.is_not(None), compare(_text(column), values))


IS = _text_test(lambda text, values: text == values[0])
IN = _text_test(lambda text, values: text.in_(values) if len(values) <= FEW else one_of(text, values))
CONTAINS = _text_test(lambda text, values: text.icontains(values[0], autoescape=True))
STARTS = _text_test(lambda text, values: text.istartswith(values[0], autoescape=True))
ENDS = _text_test(lambda text, values: text.iendswith(values[0], autoescape=True))


# --- Codes ----------------------------------------------------------------------------------------------------


def code_key(code: str) -> tuple[str, int] | None:
    """What stands before the number of a code, and the number; None where it does not end in one."""
    found = CODE.fullmatch(code)
    return (found[1], int(found[2])) if found else None


def _number_after(text: Any, before: str) -> tuple[ColumnElement[bool], ColumnElement[str]]:
    """Whether a text is `before` and digits; and these digits without leading zeros."""
    begins = func.substr(text, 1, len(before)) == before
    rest = func.substr(text, len(before) + 1, type_=String())
    digits = and_(rest != "", func.ltrim(rest, "0123456789") == "")
    return and_(begins, digits) if before else digits, func.ltrim(rest, "0", type_=String())


def _from(digits: ColumnElement[str], number: int) -> ColumnElement[bool]:
    """Digits are compared as texts of one length, so that they may be as long as they like."""
    least = str(number) if number else ""
    length = func.length(digits)
    return or_(length > len(least), and_(length == len(least), digits >= literal(least)))


def _to(digits: ColumnElement[str], number: int) -> ColumnElement[bool]:
    most = str(number) if number else ""
    length = func.length(digits)
    return or_(length < len(most), and_(length == len(most), digits <= literal(most)))


def _code_test(low: int | None, high: int | None) -> Test:
    """`low` and `high` are the places of the bounds among the values."""

    def test(column: Any, values: Sequence[Any], now: datetime) -> ColumnElement[bool]:
        before, _ = code_key(values[0]) or ("", 0)
        fits, digits = _number_after(_text(column), before)
        tests = [column.is_not(None), fits]
        if low is not None:
            tests.append(_from(digits, _number(values[low])))
        if high is not None:
            tests.append(_to(digits, _number(values[high])))
        return and_(*tests)

    return test


def _number(code: str) -> int:
    return (code_key(code) or ("", 0))[1]


BETWEEN_CODES = _code_test(0, 1)
CODE_FROM = _code_test(0, None)
CODE_TO = _code_test(None, 0)
