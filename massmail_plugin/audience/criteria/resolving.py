"""Names of rules held against what a host registered: fields, related rows, conditions. Commits nothing."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.sql.elements import ColumnElement

from massmail_plugin.audience.criteria.rule_values import values
from massmail_plugin.audience.criteria.rules import ConditionRule, FieldRule, RelatedRule, Rows
from massmail_plugin.audience.operators.of_kinds import Operator, operator
from massmail_plugin.contact_fields import ContactField, RelatedRows, register
from massmail_plugin.contracts import Column, ContactSource, Host, HostCondition
from massmail_plugin.errors import RuleError, nearest

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """A field rule with everything found and every value read."""

    field: ContactField
    operator: Operator
    values: tuple[Any, ...]

    @property
    def column(self) -> Column:
        """What is compared: the field, or the time of its last change."""
        return self.field.changed if self.operator.of_change else self.field.column


def comparison(fields: Sequence[ContactField], rule: FieldRule) -> Comparison:
    """The field, operator and values a rule names. Raises RuleError naming the nearest right word."""
    field = next((one for one in fields if one.path == rule.field), None)
    if field is None:
        hint = nearest(rule.field[:80], [one.path for one in fields])
        raise RuleError(f"There is no field “{rule.field[:80]}”. {hint}")
    chosen = operator(field, rule.op)
    return Comparison(field, chosen, values(field, chosen, rule.value))


def related_rows(source: ContactSource, rule: RelatedRule) -> RelatedRows:
    """The related rows a rule names. Raises RuleError."""
    known = register(source)
    found = known.related_rows(rule.related)
    if found is None:
        hint = nearest(rule.related[:80], [one.name for one in known.related])
        raise RuleError(f"Contacts have no rows called “{rule.related[:80]}”. {hint}")
    if rule.rows is Rows.LATEST and found.latest is None:
        raise RuleError(f"{found.label}: which row is the latest is not known here. Ask for any or every row.")
    return found


def conditions(host: Host, source: ContactSource) -> dict[str, HostCondition]:
    """What the host offers in code for contacts of this source, by name."""
    return {name: one for name, one in host.hooks.conditions.items() if one.source in (None, source.source_name)}


def condition(host: Host, source: ContactSource, rule: ConditionRule) -> HostCondition:
    """The host's condition a rule names. Raises RuleError."""
    known = conditions(host, source)
    if rule.condition not in known:
        raise RuleError(f"The host has no condition “{rule.condition[:80]}”. {nearest(rule.condition[:80], known)}")
    return known[rule.condition]


def written(asked: HostCondition, source: ContactSource) -> ColumnElement[bool]:
    """The clause of a host's condition. Raises RuleError where the host's function fails, whatever its error."""
    try:
        return asked.function(source.model)
    except Exception as error:
        log.exception("The condition “%s” of the host failed", asked.label)
        raise RuleError(
            f"The condition “{asked.label}” of the application failed ({type(error).__name__}). Tell its developers, "
            "or leave the condition out."
        ) from error
