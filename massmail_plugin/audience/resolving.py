"""Names of rules held against what a host registered: fields, related rows, conditions. Commits nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from massmail_plugin.audience.operators import Operator, operator
from massmail_plugin.audience.rule_values import values
from massmail_plugin.audience.rules import ConditionRule, FieldRule, RelatedRule
from massmail_plugin.contact_fields import ContactField, RelatedRows, register
from massmail_plugin.contracts import Condition, ContactSource, Host
from massmail_plugin.errors import RuleError, nearest


@dataclass(frozen=True)
class Comparison:
    """A field rule with everything found and every value read."""

    field: ContactField
    operator: Operator
    values: tuple[Any, ...]


def comparison(fields: Sequence[ContactField], rule: FieldRule) -> Comparison:
    """The field, operator and values a rule names. Raises RuleError naming the nearest right word."""
    field = next((one for one in fields if one.path == rule.field), None)
    if field is None:
        hint = nearest(rule.field[:80], [one.path for one in fields])
        raise RuleError(f"There is no field “{rule.field[:80]}”. {hint}")
    chosen = operator(field.kind, rule.op)
    return Comparison(field, chosen, values(field, chosen, rule.value))


def related_rows(source: ContactSource, rule: RelatedRule) -> RelatedRows:
    """The related rows a rule names. Raises RuleError."""
    known = register(source)
    found = known.related_rows(rule.related)
    if found is None:
        hint = nearest(rule.related[:80], [one.name for one in known.related])
        raise RuleError(f"Contacts have no rows called “{rule.related[:80]}”. {hint}")
    return found


def condition(host: Host, rule: ConditionRule) -> tuple[str, Condition]:
    """Label and function of the host's condition a rule names. Raises RuleError."""
    if rule.condition not in host.hooks.conditions:
        hint = nearest(rule.condition[:80], host.hooks.conditions)
        raise RuleError(f"The host has no condition “{rule.condition[:80]}”. {hint}")
    return host.hooks.conditions[rule.condition]
