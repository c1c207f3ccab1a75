"""How fields are compared: the operators of each kind, as words for the screen and as SQL. Commits nothing.

Every test is true or false, never NULL: an empty field fails each positive test, and passes its opposite ("is not X"
includes empty).
"""

from dataclasses import dataclass
from enum import StrEnum

from massmail_plugin.audience.operators import day_tests, text_tests, value_tests
from massmail_plugin.audience.operators.value_tests import Test
from massmail_plugin.contact_fields import ContactField
from massmail_plugin.errors import RuleError, nearest
from massmail_plugin.vocabulary import FieldKind


class Takes(StrEnum):
    """What stands after an operator."""

    NOTHING = "nothing"
    ONE = "one"
    TWO = "two"
    MANY = "many"
    SPAN = "span"
    """A number and a unit: 3 weeks."""


@dataclass(frozen=True)
class Operator:
    """`name` as rules hold it, `label` as people read it, what it takes; `opposite` turns the test round.

    `of_change` asks when the field last changed, not what it holds.
    """

    name: str
    label: str
    takes: Takes
    test: Test
    opposite: bool = False
    of_change: bool = False


def operators_for(field: ContactField) -> tuple[Operator, ...]:
    """The operators of a field, in the order the screen offers them."""
    return _OPERATORS[field.kind] if field.changed is None else (*_OPERATORS[field.kind], *_OF_CHANGE)


def operator(field: ContactField, name: str) -> Operator:
    """One operator by name; raises RuleError with the nearest right name."""
    known = operators_for(field)
    found = next((one for one in known if one.name == name), None)
    if found is None:
        hint = nearest(name[:50], [one.name for one in known])
        raise RuleError(f"{field.label} cannot be compared by “{name[:50]}”. {hint}")
    return found


def _emptiness(test: Test) -> tuple[Operator, Operator]:
    return (
        Operator("is_empty", "is empty", Takes.NOTHING, test, opposite=True),
        Operator("is_not_empty", "is not empty", Takes.NOTHING, test),
    )


_TEXT = (
    Operator("is", "is", Takes.ONE, text_tests.IS),
    Operator("is_not", "is not", Takes.ONE, text_tests.IS, opposite=True),
    Operator("in", "is one of", Takes.MANY, text_tests.IN),
    Operator("not_in", "is none of", Takes.MANY, text_tests.IN, opposite=True),
    Operator("contains", "contains", Takes.ONE, text_tests.CONTAINS),
    Operator("not_contains", "does not contain", Takes.ONE, text_tests.CONTAINS, opposite=True),
    Operator("starts_with", "starts with", Takes.ONE, text_tests.STARTS),
    Operator("ends_with", "ends with", Takes.ONE, text_tests.ENDS),
)
_CODE = (
    Operator("between", "is between", Takes.TWO, text_tests.BETWEEN_CODES),
    Operator("at_least", "is from … on", Takes.ONE, text_tests.CODE_FROM),
    Operator("at_most", "is up to …", Takes.ONE, text_tests.CODE_TO),
)
_NUMBER = (
    Operator("is", "is", Takes.ONE, value_tests.IS),
    Operator("is_not", "is not", Takes.ONE, value_tests.IS, opposite=True),
    Operator("less", "is less than", Takes.ONE, value_tests.LESS),
    Operator("at_most", "is at most", Takes.ONE, value_tests.AT_MOST),
    Operator("more", "is more than", Takes.ONE, value_tests.MORE),
    Operator("at_least", "is at least", Takes.ONE, value_tests.AT_LEAST),
    Operator("between", "is between", Takes.TWO, value_tests.BETWEEN),
    Operator("in", "is one of", Takes.MANY, value_tests.IN),
    Operator("not_in", "is none of", Takes.MANY, value_tests.IN, opposite=True),
    *_emptiness(value_tests.THERE),
)
_DAY = (
    Operator("on", "is on", Takes.ONE, day_tests.ON),
    Operator("before", "is before", Takes.ONE, day_tests.BEFORE),
    Operator("after", "is after", Takes.ONE, day_tests.AFTER),
    Operator("between", "is between", Takes.TWO, day_tests.BETWEEN),
    Operator("in_last", "is in the last …", Takes.SPAN, day_tests.IN_LAST),
    Operator("in_next", "is in the next …", Takes.SPAN, day_tests.IN_NEXT),
    Operator("longer_ago", "is longer ago than …", Takes.SPAN, day_tests.LONGER_AGO),
    Operator("further_ahead", "is further ahead than …", Takes.SPAN, day_tests.FURTHER_AHEAD),
    Operator("today", "is today", Takes.NOTHING, day_tests.TODAY),
    Operator("this_week", "is this week", Takes.NOTHING, day_tests.THIS_WEEK),
    Operator("this_month", "is this month", Takes.NOTHING, day_tests.THIS_MONTH),
    Operator("this_year", "is this year", Takes.NOTHING, day_tests.THIS_YEAR),
    Operator("anniversary_today", "has its anniversary today", Takes.NOTHING, day_tests.ANNIVERSARY_TODAY),
    Operator("anniversary_this_week", "has its anniversary this week", Takes.NOTHING, day_tests.ANNIVERSARY_THIS_WEEK),
    Operator(
        "anniversary_this_month", "has its anniversary this month", Takes.NOTHING, day_tests.ANNIVERSARY_THIS_MONTH
    ),
    Operator("anniversary_in_next", "has its anniversary in the next …", Takes.SPAN, day_tests.ANNIVERSARY_IN_NEXT),
    *_emptiness(value_tests.THERE),
)
_OF_CHANGE = (
    Operator("changed_in_last", "changed in the last …", Takes.SPAN, day_tests.IN_LAST, of_change=True),
    Operator(
        "not_changed_in_last",
        "did not change in the last …",
        Takes.SPAN,
        day_tests.IN_LAST,
        opposite=True,
        of_change=True,
    ),
)
_OPERATORS: dict[FieldKind, tuple[Operator, ...]] = {
    FieldKind.TEXT: (*_TEXT, *_emptiness(text_tests.THERE)),
    FieldKind.CODE: (*_TEXT, *_CODE, *_emptiness(text_tests.THERE)),
    FieldKind.NUMBER: _NUMBER,
    FieldKind.DATE: _DAY,
    FieldKind.TIME: _DAY,
    FieldKind.BOOLEAN: (
        Operator("is_true", "is yes", Takes.NOTHING, value_tests.IS_TRUE),
        Operator("is_false", "is no", Takes.NOTHING, value_tests.IS_FALSE),
        *_emptiness(value_tests.THERE),
    ),
}
