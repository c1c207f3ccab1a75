"""The tree of a criterion as values: parsed from JSON, not yet held against a host's fields. Commits nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal, TypeGuard

from massmail_plugin.errors import RuleError, nearest

MAX_DEPTH = 3
"""How deep groups may stand in one another, also within `has`."""
MAX_RULES = 200

GroupKind = Literal["all", "any", "none"]
GROUP_KINDS: tuple[GroupKind, ...] = ("all", "any", "none")


@dataclass(frozen=True)
class Group:
    """True where all, any or none of its rules are. An empty `all` is everybody."""

    kind: GroupKind
    rules: tuple["Rule", ...]


@dataclass(frozen=True)
class FieldRule:
    """A field (its path) compared by an operator with a value as JSON gave it."""

    field: str
    op: str
    value: Any = None


@dataclass(frozen=True)
class RelatedRule:
    """At least `minimum` related rows for which `has` is true; without `has`, any rows."""

    related: str
    has: "Rule | None" = None
    minimum: int = 1


@dataclass(frozen=True)
class ConditionRule:
    """A criterion the host wrote in code."""

    condition: str


Rule = Group | FieldRule | RelatedRule | ConditionRule
EVERYBODY = Group("all", ())

_LEAF_KEYS = {"field": {"field", "op", "value"}, "related": {"related", "has", "min"}, "condition": {"condition"}}


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


def walk(rule: Rule) -> Iterator[Rule]:
    """The rule and everything below it."""
    yield rule
    below = rule.rules if isinstance(rule, Group) else (rule.has,) if isinstance(rule, RelatedRule) and rule.has else ()
    for inner in below:
        yield from walk(inner)


def _parse(rule: object, depth: int, numbers: Iterator[int]) -> Rule:
    if next(numbers) > MAX_RULES:
        raise RuleError(f"A criterion may hold {MAX_RULES} rules at the most. Split it into two.")
    if depth > MAX_DEPTH + 1:
        raise RuleError(f"Groups may stand in one another {MAX_DEPTH} deep at the most.")
    if not _is_object(rule):
        raise RuleError(f"A rule must be an object such as {{“field”: …, “op”: …}}; this is {_shown(rule)}.")
    kinds = [kind for kind in GROUP_KINDS if kind in rule]
    if kinds:
        return _group(rule, kinds[0], depth, numbers)
    kind = next((name for name in _LEAF_KEYS if name in rule), None)
    if kind is None:
        raise RuleError("A rule needs one of all, any, none, field, related or condition.")
    _only(rule, _LEAF_KEYS[kind])
    name = rule[kind]
    if not isinstance(name, str) or not name:
        raise RuleError(f"The {kind} of a rule must be a name; this is {_shown(name)}.")
    if kind == "field":
        return _field(name, rule)
    return ConditionRule(name) if kind == "condition" else _related(name, rule, depth, numbers)


def _group(rule: Mapping[str, Any], kind: GroupKind, depth: int, numbers: Iterator[int]) -> Group:
    _only(rule, {kind})
    if depth > MAX_DEPTH:
        raise RuleError(f"Groups may stand in one another {MAX_DEPTH} deep at the most.")
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
    minimum = rule.get("min", 1)
    if isinstance(minimum, bool) or not isinstance(minimum, int) or not 1 <= minimum <= 1_000_000:
        raise RuleError(f"The rule on “{name}” must ask for at least 1 row; this is {_shown(minimum)}.")
    if rule.get("has") in (None, {}, {"all": []}):
        return RelatedRule(name, None, minimum)
    has = _parse(rule["has"], depth, numbers)
    if any(isinstance(inner, RelatedRule | ConditionRule) for inner in walk(has)):
        raise RuleError(f"Within “{name}” only fields of its rows can be asked for.")
    return RelatedRule(name, has, minimum)


def _only(rule: Mapping[str, Any], known: set[str]) -> None:
    strange = [str(key) for key in rule if key not in known]
    if strange:
        raise RuleError(f"A rule cannot hold “{strange[0][:50]}”. {nearest(strange[0][:50], known)}")


def _is_object(rule: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(rule, Mapping)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 50 else text[:50] + "…"
