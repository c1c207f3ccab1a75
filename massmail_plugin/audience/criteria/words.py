"""A rule as a sentence for people. Commits nothing."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from massmail_plugin.audience.criteria import asking_words
from massmail_plugin.audience.criteria.resolving import Comparison, comparison, condition, related_rows
from massmail_plugin.audience.criteria.rule_json import parse
from massmail_plugin.audience.criteria.rules import ConditionRule, FieldRule, Group, RelatedRule, Rows, Rule
from massmail_plugin.audience.operators.of_kinds import Takes
from massmail_plugin.contact_fields import ContactField, register
from massmail_plugin.contracts import ContactSource, Host

SHOWN = 5
"""Values of "is one of" that are written out."""


def sentence(host: Host, source: ContactSource, rule: object) -> str:
    """The rule in words, such as: City is “Graz” and (Balance is more than 100 or VIP is yes). Raises RuleError."""
    tree = parse(rule)
    return (
        "Everybody" if tree == Group("all", ()) else _said(host, source, register(source).fields, tree, outermost=True)
    )


def _said(
    host: Host, source: ContactSource, fields: Sequence[ContactField], rule: Rule, *, outermost: bool = False
) -> str:
    if isinstance(rule, FieldRule):
        return _compared(comparison(fields, rule))
    if isinstance(rule, ConditionRule):
        return condition(host, source, rule).label
    if isinstance(rule, RelatedRule):
        return _related(host, source, rule)
    if not isinstance(rule, Group):
        return asking_words.said(host, rule)
    joined = (" and " if rule.kind == "all" else " or ").join(_said(host, source, fields, one) for one in rule.rules)
    if rule.kind == "none":
        return f"not ({joined})"
    return joined if outermost or len(rule.rules) == 1 else f"({joined})"


_ROWS = {Rows.ANY: "a row", Rows.ALL: "every row", Rows.NONE: "no row", Rows.LATEST: "the latest row"}
_FITS = {Rows.ALL: " has ", Rows.LATEST: " has "}


def _related(host: Host, source: ContactSource, rule: RelatedRule) -> str:
    rows = related_rows(source, rule)
    number = _ROWS.get(rule.rows) or _counted(rule)
    if rule.has is None:
        return f"{rows.label}: {number}"
    return f"{rows.label}: {number}{_FITS.get(rule.rows, ' where ')}{_said(host, source, rows.fields, rule.has)}"


def _counted(rule: RelatedRule) -> str:
    low, high = rule.minimum, rule.maximum
    if high is None:
        return "any number of rows" if low == 0 else f"at least {_rows(low)}"
    if low == high:
        return f"exactly {_rows(low)}"
    return f"at most {_rows(high)}" if low == 0 else f"{low} to {_rows(high)}"


def _rows(number: int) -> str:
    return f"{number} row" + ("" if number == 1 else "s")


def _compared(found: Comparison) -> str:
    label, how = found.field.label, found.operator.label
    if found.operator.takes is Takes.NOTHING:
        return f"{label} {how}"
    if found.operator.takes is Takes.SPAN:
        number, unit = found.values
        return f"{label} {how.replace('…', f'{number} {unit if number != 1 else unit[:-1]}')}"
    joint = " and " if found.operator.takes is Takes.TWO else ", "
    shown = joint.join(_value(value) for value in found.values[:SHOWN])
    if "…" in how:
        return f"{label} {how.replace('…', shown)}"
    more = len(found.values) - SHOWN
    return f"{label} {how} {shown}" + (f" and {more:,} more" if more > 0 else "")


def _value(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else f"“{value}”"
