"""A stored rule as lines of the builder. Views enter; nothing is looked up or committed."""

from collections.abc import Mapping
from typing import Any

from massmail_plugin.admin.criteria.rule_form import Line
from massmail_plugin.audience.criteria.rules import GROUP_KINDS, Rows


def lines_of(rule: Mapping[str, Any]) -> Line:
    """The builder's lines for a stored rule; its root is always a group."""
    line = _line(rule)
    return line if line.what == "group" else Line("group", lines=[line])


def _line(rule: Mapping[str, Any]) -> Line:
    glue = next((kind for kind in GROUP_KINDS if kind in rule), None)
    if glue is not None:
        return Line("group", glue=glue, lines=[_line(one) for one in rule[glue]])
    if "condition" in rule:
        return Line(f"condition:{rule['condition']}")
    if "related" in rule:
        return _related(rule)
    if "field" in rule:
        return Line(f"field:{rule['field']}", op=str(rule.get("op", "")), values=_texts(rule.get("value")))
    return _asking(rule)


def _related(rule: Mapping[str, Any]) -> Line:
    inner = _line(rule["has"]) if rule.get("has") else Line("group")
    group = inner if inner.what == "group" else Line("group", lines=[inner])
    rows = str(rule.get("rows", Rows.ANY))
    bounds = [_text(rule.get("min")), _text(rule.get("max"))] if rows == Rows.COUNT else []
    return Line(f"related:{rule['related']}", op=rows, values=bounds, glue=group.glue, lines=group.lines)


def _asking(rule: Mapping[str, Any]) -> Line:
    """A rule that asks our own tables."""
    if "opt_out" in rule:
        return Line("opt_out", op=str(rule["opt_out"]), values=[_named(rule, "list", "topic")])
    if "history" in rule:
        values = [_named(rule, "mailing", "template"), _text(rule.get("days")), _text(rule.get("link"))]
        return Line("history", op=str(rule["history"]), values=values)
    if "criterion" in rule:
        return Line("criterion", op=str(rule.get("op", "found")), values=[_text(rule["criterion"])])
    if "list" in rule:
        return Line("list", op=str(rule.get("op", "on")), values=_texts(rule["list"]))
    return Line()


def _named(rule: Mapping[str, Any], *kinds: str) -> str:
    """What is named by its number, as a select holds it: "list:5"."""
    return next((f"{kind}:{rule[kind]}" for kind in kinds if rule.get(kind) is not None), "")


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]


def _text(value: Any) -> str:
    return "" if value is None else str(value)
