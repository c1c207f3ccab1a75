"""Lines of the builder that ask our own tables, as a rule's JSON: lists, opt-outs, mailing history, criteria.

Views enter; what the rule names is looked up by whoever makes SQL of it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from massmail_plugin.admin.criteria.line_words import Unfinished, count_of
from massmail_plugin.admin.criteria.rule_form import Line
from massmail_plugin.audience.criteria.rules import Got
from massmail_plugin.errors import RuleError

Json = dict[str, Any]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10):
        raise RuleError("What was chosen here is not there any more. Choose again.")
    return int(text)


def _named(text: str, kinds: tuple[str, ...]) -> Json:
    """ "list:5" of a select as {"list": 5}; nothing for the first choice."""
    kind, _, number = text.partition(":")
    if text and kind not in kinds:
        raise RuleError("What was chosen here is not there any more. Choose again.")
    return {kind: _number(number)} if text else {}


def _lists(op: str, line: Line) -> Json:
    if not any(line.values):
        raise Unfinished("Choose at least one list.")
    return {"list": [_number(one) for one in line.values if one], "op": op}


def _opt_out(op: str, line: Line) -> Json:
    return {"opt_out": op, **_named(line.value(), ("list", "topic"))}


def _history(op: str, line: Line) -> Json:
    days, link = count_of(line.value(1), "days"), line.value(2)
    if days == 0:
        raise RuleError("Ask for the last 1 day or more, or leave the number of days empty.")
    rule = {"history": op, **_named(line.value(), ("mailing", "template"))}
    rule |= {} if days is None else {"days": days}
    return {**rule, "link": link} if link and op == Got.CLICKED else rule


def _criterion(op: str, line: Line) -> Json:
    if not line.value():
        raise Unfinished("Choose a criterion.")
    return {"criterion": _number(line.value()), "op": op}


ASKING: Mapping[str, Callable[[str, Line], Json]] = {
    "list": _lists,
    "opt_out": _opt_out,
    "history": _history,
    "criterion": _criterion,
}
"""What a line asks for -> (operator, line) -> JSON. Raises RuleError at the line."""
