"""A criterion's tree read from JSON, or refused in words. Commits nothing."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, TypeGuard

from massmail_plugin.audience.criteria import asking_json
from massmail_plugin.audience.criteria.rules import (
    EVERYBODY,
    GROUP_KINDS,
    MAX_DEPTH,
    MAX_RULES,
    ConditionRule,
    FieldRule,
    Group,
    GroupKind,
    Leaf,
    RelatedRule,
    Rows,
    Rule,
    walk,
)
from massmail_plugin.errors import RuleError, nearest

MOST_ROWS = 1_000_000
_KEYS: Mapping[str, set[str]] = {
    "field": {"field", "op", "value"},
    "related": {"related", "rows", "has", "min", "max"},
    "condition": {"condition"},
    "list": {"list", "op"},
    "opt_out": {"opt_out", "list", "topic"},
    "history": {"history", "mailing", "template", "link", "days"},
    "criterion": {"criterion", "op"},
}
"""What each kind of rule may hold; `opt_out` may name a list, so it comes before `list` where both are there."""
_KINDS = ("field", "related", "condition", "opt_out", "history", "criterion", "list")
_OF_OURS: Mapping[str, Callable[[Mapping[str, Any]], Leaf]] = {
    "list": asking_json.of_lists,
    "opt_out": asking_json.of_opt_out,
    "history": asking_json.of_history,
    "criterion": asking_json.of_criterion,
}
TOO_DEEP = (
    f"Groups may stand in one another {MAX_DEPTH} deep at the most. Save the inner part as a criterion of its own and "
    "ask for that."
)


def parse(rule: object) -> Rule:
    """The tree that JSON such as {"all": [{"field": "city", "op": "is", "value": "Graz"}]} stands for.

    None stands for everybody; a Rule is given back. Raises RuleError in words for anything else, for more than
    MAX_DEPTH groups in one another and for more than MAX_RULES rules.
    """
    if isinstance(rule, Rule):
        return rule
    if rule is None or rule == {} or rule == {"all": []}:
        return EVERYBODY
    return _parse(rule, 1, count(1))


def _parse(rule: object, depth: int, numbers: Iterator[int]) -> Rule:
    if next(numbers) > MAX_RULES:
        raise RuleError(f"A criterion may hold {MAX_RULES} rules at the most. Split it into two.")
    if depth > MAX_DEPTH + 1:
        raise RuleError(TOO_DEEP)
    if not _is_object(rule):
        raise RuleError(f"A rule must be an object such as {{“field”: …, “op”: …}}; this is {_shown(rule)}.")
    kinds = [kind for kind in GROUP_KINDS if kind in rule]
    if kinds:
        return _group(rule, kinds[0], depth, numbers)
    kind = next((name for name in _KINDS if name in rule), None)
    if kind is None:
        raise RuleError(f"A rule needs one of {', '.join((*GROUP_KINDS, *_KINDS))}.")
    _only(rule, _KEYS[kind])
    if kind in _OF_OURS:
        return _OF_OURS[kind](rule)
    name = rule[kind]
    if not isinstance(name, str) or not name:
        raise RuleError(f"The {kind} of a rule must be a name; this is {_shown(name)}.")
    if kind == "field":
        return _field(name, rule)
    return ConditionRule(name) if kind == "condition" else _related(name, rule, depth, numbers)


def _group(rule: Mapping[str, Any], kind: GroupKind, depth: int, numbers: Iterator[int]) -> Group:
    _only(rule, {kind})
    if depth > MAX_DEPTH:
        raise RuleError(TOO_DEEP)
    inner = rule[kind]
    if not isinstance(inner, list | tuple):
        raise RuleError(f"The group “{kind}” must hold a list of rules.")
    if not inner:
        raise RuleError("A group holds no rule. Add one or remove the group.")
    return Group(kind, tuple(_parse(one, depth + 1, numbers) for one in inner))


def _field(name: str, rule: Mapping[str, Any]) -> FieldRule:
    op = rule.get("op")
    if not isinstance(op, str) or not op:
        raise RuleError(f"The rule on “{name}” does not say how to compare. Choose an operator.")
    return FieldRule(name, op, rule.get("value"))


def _related(name: str, rule: Mapping[str, Any], depth: int, numbers: Iterator[int]) -> RelatedRule:
    rows = rule.get("rows", Rows.ANY)
    if rows not in list(Rows):
        raise RuleError(f"The rows of “{name}” cannot be asked for “{rows}”. {nearest(str(rows), list(Rows))}")
    low, high = _bounds(name, rule) if rows == Rows.COUNT else (1, None)
    if rows != Rows.COUNT and {"min", "max"} & rule.keys():
        raise RuleError(f"The rule on “{name}” has bounds, but does not count rows.")
    has = None if rule.get("has") in (None, {}, {"all": []}) else _parse(rule["has"], depth, numbers)
    if has is not None and not all(isinstance(inner, FieldRule | Group) for inner in walk(has)):
        raise RuleError(f"Within “{name}” only fields of its rows can be asked for.")
    return RelatedRule(name, Rows(rows), has, low, high)


def _bounds(name: str, rule: Mapping[str, Any]) -> tuple[int, int | None]:
    low, high = rule.get("min", 0), rule.get("max")
    for number in (low, 0 if high is None else high):
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= MOST_ROWS:
            raise RuleError(f"“{name}” is counted in whole numbers from 0 to {MOST_ROWS:,}; this is {_shown(number)}.")
    if high is not None and low > high:
        raise RuleError(f"“{name}”: the first number must not be greater than the second.")
    return low, high


def _only(rule: Mapping[str, Any], known: set[str]) -> None:
    strange = [str(key) for key in rule if key not in known]
    if strange:
        raise RuleError(f"A rule cannot hold “{strange[0][:50]}”. {nearest(strange[0][:50], known)}")


def _is_object(rule: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(rule, Mapping)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 50 else text[:50] + "…"
