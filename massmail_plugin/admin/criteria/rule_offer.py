"""What the criteria builder offers for each line: fields, rows, conditions, operators, values to choose from.

Views and their templates enter; only reads.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from massmail_plugin.admin.criteria.asking_offer import OPERATORS, AskingOffer
from massmail_plugin.admin.criteria.rule_form import Line
from massmail_plugin.audience.criteria.resolving import conditions
from massmail_plugin.audience.criteria.rules import Rows
from massmail_plugin.audience.operators.day_tests import Unit
from massmail_plugin.audience.operators.of_kinds import Operator, Takes, operators_for
from massmail_plugin.contact_fields import ContactField, FieldRegister, RelatedRows, register
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.models import Criterion
from massmail_plugin.vocabulary import FieldKind

log = logging.getLogger(__name__)

Choice = tuple[str, str]

INPUTS = {FieldKind.DATE: ("date", ""), FieldKind.TIME: ("date", ""), FieldKind.NUMBER: ("text", "decimal")}
"""Kind -> (type, inputmode) of a box for one value."""
UNITS = [(unit.value, unit.value) for unit in Unit]
_ROWS = (
    (Rows.ANY, "has a row"),
    (Rows.ALL, "has rows, and every row"),
    (Rows.NONE, "has no row"),
    (Rows.COUNT, "number of rows"),
    (Rows.LATEST, "the latest row"),
)
_JOINTS = {Rows.ALL.value: "fits where", Rows.LATEST.value: "fits where"}


@dataclass
class Offer:
    """The choices for lines about one source. `within` names related rows, "" is the contact itself.

    `criterion` is the one that is edited, which must not come to ask for itself.
    """

    host: Host
    source: ContactSource
    criterion: Criterion | None = None

    @cached_property
    def asking(self) -> AskingOffer:
        """What can be asked of our own tables."""
        return AskingOffer(self.host, self.source, self.criterion)

    @property
    def register(self) -> FieldRegister:
        return register(self.source)

    def rows(self, line: Line) -> RelatedRows | None:
        """The related rows a line asks for, or None."""
        return self.register.related_rows(line.name) if line.kind == "related" else None

    def fields(self, within: str = "") -> Sequence[ContactField]:
        """The fields a line may ask for."""
        if not within:
            return self.register.fields
        rows = self.register.related_rows(within)
        return rows.fields if rows else ()

    def whats(self, line: Line, within: str = "") -> list[tuple[str, list[Choice]]]:
        """The groups of the first select; and what is no longer there."""
        groups = [("Fields", [(f"field:{one.path}", one.label) for one in self.fields(within)])]
        if not within:
            groups.append(("Has rows", [(f"related:{one.name}", one.label) for one in self.register.related]))
            groups.append(("Mail", self.asking.whats()))
            known_conditions = conditions(self.host, self.source).items()
            groups.append(("Conditions", [(f"condition:{name}", one.label) for name, one in known_conditions]))
        known = {value for _, choices in groups for value, _ in choices}
        if line.what and line.what not in known:
            groups.append(("No longer there", [(line.what, line.name or line.what)]))
        return [group for group in groups if group[1]]

    def ops(self, line: Line, within: str = "") -> list[Choice]:
        """What the second select offers, and what is no longer there; nothing where there is none."""
        offered = self._ops(line, within)
        return [*offered, (line.op, f"{line.op} (no longer there)")] if self.gone(line, within) else offered

    def gone(self, line: Line, within: str = "") -> bool:
        """Whether a line is asked in a way that the host offered once and does no more."""
        offered = [name for name, _ in self._ops(line, within)]
        return bool(offered and line.op) and line.op not in offered

    def _ops(self, line: Line, within: str) -> list[Choice]:
        rows = self.rows(line)
        if rows is not None:
            return [(name.value, label) for name, label in _ROWS if name is not Rows.LATEST or rows.latest is not None]
        if not within and line.what in OPERATORS:
            return list(OPERATORS[line.what])
        return [(one.name, one.label.replace(" …", "")) for one in self.operators(line, within)]

    def op(self, line: Line, within: str = "") -> str:
        """The chosen one of them, or the first."""
        offered = [name for name, _ in self._ops(line, within)]
        return line.op if line.op in offered else next(iter(offered), "")

    def joint(self, line: Line) -> str:
        """The word between rows and what they are asked."""
        return _JOINTS.get(self.op(line), "where")

    def field(self, line: Line, within: str = "") -> ContactField | None:
        """The field a line asks for, or None."""
        if line.kind != "field":
            return None
        return next((one for one in self.fields(within) if one.path == line.name), None)

    def operators(self, line: Line, within: str = "") -> Sequence[Operator]:
        """The operators its field can be compared by; none where there is no field."""
        field = self.field(line, within)
        return operators_for(field) if field else ()

    def operator(self, line: Line, within: str = "") -> Operator | None:
        """The chosen operator, or the first one the field has."""
        offered = self.operators(line, within)
        return next((one for one in offered if one.name == line.op), offered[0] if offered else None)

    def takes(self, line: Line, within: str = "") -> str:
        """Which controls stand after the operator: a word of Takes, "choice", "ticks", "rows", or the line's `what`."""
        if line.kind == "related":
            return "rows" if self.op(line) == Rows.COUNT else ""
        if line.what in OPERATORS:
            return line.what
        operator = self.operator(line, within)
        if operator is None or operator.takes is Takes.NOTHING:
            return ""
        if self.choices(line, within) and (operator.takes is Takes.MANY or operator.name in ("is", "is_not")):
            return "ticks" if operator.takes is Takes.MANY else "choice"
        return operator.takes.value

    def choices(self, line: Line, within: str = "") -> list[str]:
        """Values the host names for the field, and those the line has already; empty where anything may be entered."""
        field = self.field(line, within)
        if field is None or field.kind not in (FieldKind.TEXT, FieldKind.CODE):
            return []
        named = self._named(field)
        return [*named, *(value for value in line.values if value and value not in named)] if named else []

    def ticks(self, line: Line, within: str = "") -> list[Choice]:
        """`choices` as (value, words)."""
        return [(one, one) for one in self.choices(line, within)]

    def _named(self, field: ContactField) -> list[str]:
        """Nothing where the host's function fails, whatever its error: then values are entered, not chosen."""
        asked = field.choices
        if asked is None and field.column is self.source.status:
            asked = self.host.statuses.known
        try:
            return [str(one) for one in (asked() if callable(asked) else asked or ())]
        except Exception:
            log.exception("The choices of the field “%s” could not be had from the host", field.path)
            return []

    def box(self, line: Line, within: str = "") -> tuple[str, str]:
        """(type, inputmode) of a box for one value of the line."""
        field = self.field(line, within)
        return INPUTS.get(field.kind, ("text", "")) if field else ("text", "")

    def example(self, line: Line, within: str = "") -> str:
        """A value as people know it, if the host gave one."""
        field = self.field(line, within)
        return "" if field is None or field.example is None else f"such as {field.example}"
