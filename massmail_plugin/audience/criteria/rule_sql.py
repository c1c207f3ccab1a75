"""A rule as an SQL clause over the host's contacts, every value bound. Commits nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import and_, false, func, not_, or_, true
from sqlalchemy.sql.elements import ColumnElement

from massmail_plugin.audience.criteria.history_sql import history
from massmail_plugin.audience.criteria.related_sql import related
from massmail_plugin.audience.criteria.resolving import comparison, condition, related_rows, written
from massmail_plugin.audience.criteria.rule_json import parse
from massmail_plugin.audience.criteria.rules import (
    ConditionRule,
    CriterionRule,
    FieldRule,
    Group,
    HistoryRule,
    Leaf,
    ListRule,
    OptOutRule,
    RelatedRule,
    Rule,
)
from massmail_plugin.audience.criteria.saved_criteria import Trail, inner_rule
from massmail_plugin.audience.criteria.standing_sql import on_lists, opted_out
from massmail_plugin.contact_fields import ContactField, register
from massmail_plugin.contracts import ContactSource, Host

Clause = ColumnElement[bool]


def clause(host: Host, source: ContactSource, rule: object) -> Clause:
    """The rule (as JSON or parsed; None is everybody) as a clause over `source.model`: true or false, never NULL.

    Raises RuleError in words for a field, operator, value, related name, condition, list, mailing or criterion that
    does not exist or fit, and for criteria that lead back to themselves.
    """
    return _Contact(host, source, Trail()).tree(parse(rule))


@dataclass(frozen=True)
class _Contact:
    """Rules about one contact; `trail` are the saved criteria on the way here."""

    host: Host
    source: ContactSource
    trail: Trail

    def tree(self, rule: Rule) -> Clause:
        return _tree(rule, self.leaf, wanted=True)

    def leaf(self, rule: Any) -> Clause:
        ways: Mapping[type[Leaf], Callable[[Any], Clause]] = {
            FieldRule: self.field,
            RelatedRule: self.rows,
            ConditionRule: self.asked_of_host,
            ListRule: self.lists,
            OptOutRule: self.stops,
            HistoryRule: self.mails,
            CriterionRule: self.saved,
        }
        return ways[type(rule)](rule)

    def field(self, rule: FieldRule) -> Clause:
        return _compared(self.host, self.source, register(self.source).fields, rule)

    def rows(self, rule: RelatedRule) -> Clause:
        rows = related_rows(self.source, rule)

        def fits(wanted: bool) -> Clause:
            if rule.has is None:
                return true() if wanted else false()
            return _tree(rule.has, lambda one: _compared(self.host, self.source, rows.fields, one), wanted=wanted)

        return related(self.source, rows, rule, fits)

    def asked_of_host(self, rule: ConditionRule) -> Clause:
        """The host's clause may be NULL for some contacts: that counts as no."""
        asked = condition(self.host, self.source, rule)
        return func.coalesce(written(asked, self.source), false())

    def lists(self, rule: ListRule) -> Clause:
        return on_lists(self.host, self.source, rule, self.kept)

    def kept(self, host: Host, source: ContactSource, rule: object) -> Clause:
        """The rule of a criterion that keeps a list which is asked for: it counts as one that is asked for itself."""
        inner = parse(rule)
        self.trail.count(inner)
        return self.tree(inner)

    def stops(self, rule: OptOutRule) -> Clause:
        return opted_out(self.host, self.source, rule)

    def mails(self, rule: HistoryRule) -> Clause:
        return history(self.host, self.source, rule)

    def saved(self, rule: CriterionRule) -> Clause:
        trail, inner = inner_rule(self.host, self.source, rule, self.trail)
        found = replace(self, trail=trail).tree(inner)
        return found if rule.found else not_(found)


def _tree(rule: Rule, leaf: Callable[[Any], Clause], *, wanted: bool) -> Clause:
    """The clause of a tree, or of its opposite.

    NOT goes down to the leaves: there a database can make a join of it, which it cannot do above several.
    """
    if not isinstance(rule, Group):
        return leaf(rule) if wanted else not_(leaf(rule))
    inner = [_tree(one, leaf, wanted=wanted is not (rule.kind == "none")) for one in rule.rules]
    every = (rule.kind != "any") is wanted
    return and_(true(), *inner) if every else or_(false(), *inner)


def _compared(host: Host, source: ContactSource, fields: Sequence[ContactField], rule: FieldRule) -> Clause:
    found = comparison(fields, rule)
    test = found.operator.test(found.column, found.values, host.clock())
    if found.field.relation is not None:
        test = getattr(source.model, found.field.relation).has(test)
    return not_(test) if found.operator.opposite else test
