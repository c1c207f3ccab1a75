"""A rule as an SQL clause over the host's contacts, every value bound. Commits nothing."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import and_, false, func, not_, or_, select, true
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement

from massmail_plugin.audience.resolving import comparison, condition, related_rows
from massmail_plugin.audience.rules import ConditionRule, FieldRule, Group, RelatedRule, Rule, parse
from massmail_plugin.contact_fields import ContactField, RelatedRows, register
from massmail_plugin.contracts import ContactSource, Host

Clause = ColumnElement[bool]


def clause(host: Host, source: ContactSource, rule: object) -> Clause:
    """The rule (as JSON or parsed; None is everybody) as a clause over `source.model`: true or false, never NULL.

    Raises RuleError in words for a field, operator, value, related name or condition that does not exist or fit.
    """
    now = host.clock()

    def leaf(one: FieldRule | RelatedRule | ConditionRule) -> Clause:
        if isinstance(one, FieldRule):
            return _compared(source, register(source).fields, one, now)
        return _related(source, one, now) if isinstance(one, RelatedRule) else _asked_of_host(host, source, one)

    return _tree(parse(rule), leaf)


def _tree(rule: Rule, leaf: Callable[[Any], Clause]) -> Clause:
    if not isinstance(rule, Group):
        return leaf(rule)
    inner = [_tree(one, leaf) for one in rule.rules]
    if rule.kind == "all":
        return and_(true(), *inner)
    return or_(false(), *inner) if rule.kind == "any" else not_(or_(false(), *inner))


def _compared(source: ContactSource, fields: tuple[ContactField, ...], rule: FieldRule, now: datetime) -> Clause:
    found = comparison(fields, rule)
    test = found.operator.test(found.field.column, found.values, now)
    if found.field.relation is not None:
        test = getattr(source.model, found.field.relation).has(test)
    return not_(test) if found.operator.opposite else test


def _related(source: ContactSource, rule: RelatedRule, now: datetime) -> Clause:
    rows = related_rows(source, rule)
    wanted = true() if rule.has is None else _tree(rule.has, lambda one: _compared(source, rows.fields, one, now))
    if rule.minimum > 1:
        return _with_at_least(source, rows, wanted, rule.minimum)
    some: Clause = getattr(source.model, rows.relation).any(wanted)
    return some


def _with_at_least(source: ContactSource, rows: RelatedRows, wanted: Clause, minimum: int) -> Clause:
    """The owner goes under another name, so that rows of the contact's own class can be counted too."""
    owner = aliased(source.model)
    key = register(source).key_column
    owner_key = getattr(owner, str(key.key))
    enough = (
        select(owner_key)
        .join(getattr(owner, rows.relation))
        .where(wanted)
        .group_by(owner_key)
        .having(func.count() >= minimum)
        .correlate(None)
    )
    among: Clause = key.in_(enough)
    return among


def _asked_of_host(host: Host, source: ContactSource, rule: ConditionRule) -> Clause:
    """The host's clause may be NULL for some contacts: that counts as no."""
    _, written = condition(host, rule)
    return func.coalesce(written(source.model), false())
