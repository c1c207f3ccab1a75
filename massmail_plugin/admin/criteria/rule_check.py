"""Checks the lines of the criteria builder and turns them into a rule's JSON, each fault put at its line in words.

Views enter; only reads.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from massmail_plugin.admin.criteria.asking_check import ASKING
from massmail_plugin.admin.criteria.line_words import Unfinished, count_of
from massmail_plugin.admin.criteria.rule_form import ROOT, Line, depth
from massmail_plugin.admin.criteria.rule_offer import Offer
from massmail_plugin.audience import clause
from massmail_plugin.audience.criteria.resolving import comparison, condition, related_rows
from massmail_plugin.audience.criteria.rule_json import TOO_DEEP, parse
from massmail_plugin.audience.criteria.rules import MAX_DEPTH, ConditionRule, FieldRule, RelatedRule, Rows
from massmail_plugin.audience.operators.of_kinds import Takes
from massmail_plugin.errors import RuleError

Json = dict[str, Any]

EMPTY_GROUP = "This group is empty. Add a condition or remove the group."
MISSING = {
    Takes.TWO: "Enter both values.",
    Takes.MANY: "Choose or enter at least one value.",
    Takes.SPAN: "Enter how many.",
}


@dataclass
class Checked:
    """The rule the sound lines make (None: no line is), faults as (id of a control, line in words, message), and how
    many lines are unfinished."""

    rule: Json | None = None
    wrong: list[tuple[str, str, str]] = field(default_factory=list)
    unfinished: int = 0


def check(offer: Offer, root: Line, *, drafting: bool) -> Checked:
    """Hold every line against what the host registered and write each fault into its `error`.

    While drafting, lines that are not finished are counted and passed over; otherwise they are faults.
    """
    checked = Checked()
    lines = _Check(offer, checked, drafting)
    checked.rule = lines.line(root, ROOT, "")
    try:
        parse(checked.rule)
    except RuleError as error:
        lines.fault(root, ROOT, str(error))
    return checked


@dataclass
class _Check:
    offer: Offer
    checked: Checked
    drafting: bool

    def line(self, line: Line, at: str, within: str) -> Json | None:
        try:
            return self.made(line, at, within)
        except Unfinished as error:
            if self.drafting:
                self.checked.unfinished += at != ROOT
            else:
                self.fault(line, at, str(error))
        except RuleError as error:
            self.fault(line, at, str(error))
        return None

    def fault(self, line: Line, at: str, words: str) -> None:
        line.error = words
        control = f"{at}-glue" if line.what == "group" else f"{at}-what"
        self.checked.wrong.append((control, called(line, at), words))

    def made(self, line: Line, at: str, within: str) -> Json | None:
        if line.what == "group":
            return self.group(line, at, within)
        if self.offer.gone(line, within):
            raise RuleError("This cannot be asked in this way any more. Choose another way, or remove this line.")
        if line.kind == "related":
            return self.related(line, at)
        if line.kind == "condition":
            condition(self.offer.host, self.offer.source, ConditionRule(line.name))
            return {"condition": line.name}
        if line.what in ASKING:
            return self.asking(ASKING[line.what], line)
        return self.field(line, within)

    def group(self, line: Line, at: str, within: str) -> Json | None:
        if depth(at) > MAX_DEPTH:
            raise RuleError(TOO_DEEP)
        if not line.lines:
            outermost = at == ROOT
            raise Unfinished("There is no condition yet. Add at least one." if outermost else EMPTY_GROUP)
        rules = self.below(line, at, within)
        return {line.glue: rules} if rules else None

    def below(self, line: Line, at: str, within: str) -> list[Json]:
        made = [self.line(one, f"{at}-{number}", within) for number, one in enumerate(line.lines)]
        return [rule for rule in made if rule is not None]

    def related(self, line: Line, at: str) -> Json:
        rows = self.offer.op(line)
        bounds = _bounds(line) if rows == Rows.COUNT else {}
        related_rows(self.offer.source, RelatedRule(line.name, Rows(rows or Rows.ANY)))
        rules = self.below(line, at, line.name)
        return {"related": line.name, "rows": rows, **bounds, **_has(line, at, rules)}

    def asking(self, json_of: Callable[[str, Line], Json], line: Line) -> Json:
        """What asks our own tables is checked by asking: it may be gone, or lead back to this very criterion."""
        rule = json_of(self.offer.op(line), line)
        clause(self.offer.host, self.offer.source, rule)
        self.offer.asking.check_circle(rule)
        return rule

    def field(self, line: Line, within: str) -> Json:
        operator = self.offer.operator(line, within)
        if not line.what:
            raise Unfinished("Choose what to ask for, or remove this line.")
        if operator is None:
            raise RuleError(f"There is no field “{line.name[:80]}” any more. Choose another or remove this line.")
        rule: Json = {"field": line.name, "op": operator.name}
        if operator.takes is not Takes.NOTHING:
            rule["value"] = _value(line, operator.takes)
        comparison(self.offer.fields(within), FieldRule(line.name, operator.name, rule.get("value")))
        return rule


def _value(line: Line, takes: Takes) -> Any:
    wanted = {Takes.TWO: 2, Takes.SPAN: 2, Takes.MANY: len(line.values)}.get(takes, 1)
    values = line.values[:wanted]
    if not values or not all(values):
        raise Unfinished(MISSING.get(takes, "Enter a value, or compare by “is empty”."))
    return values[0] if takes is Takes.ONE else values


def _bounds(line: Line) -> Json:
    low, high = (count_of(line.value(place), "rows") for place in (0, 1))
    if low is None and high is None:
        raise Unfinished("Say how many rows: from, to, or both.")
    if low is not None and high is not None and low > high:
        raise RuleError("The first number must not be greater than the second.")
    return {name: number for name, number in (("min", low), ("max", high)) if number is not None}


def _has(line: Line, at: str, rules: list[Json]) -> Json:
    """What the related rows are asked: as a group where one may still stand, else the one rule there is."""
    if not rules:
        return {}
    if depth(at) < MAX_DEPTH:
        return {"has": {line.glue: rules}}
    if len(rules) > 1 or line.glue == "none":
        raise RuleError("So deep inside groups, these rows can be asked for one thing only. Move the line outwards.")
    return {"has": rules[0]}


def called(line: Line, at: str) -> str:
    """How people find a line: “Condition 2.1” is the first one in the second line."""
    if at == ROOT:
        return "Conditions"
    kind = "Group" if line.what == "group" else "Condition"
    return f"{kind} " + ".".join(str(int(number) + 1) for number in at.split("-")[1:])
