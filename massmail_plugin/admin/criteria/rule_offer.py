"""What the criteria builder offers for each line: fields, related rows, conditions, operators, values to choose from.

Views and their templates enter; only reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from massmail_plugin.admin.criteria.rule_form import Line
from massmail_plugin.audience.operators import Operator, Takes, operators_for
from massmail_plugin.contact_fields import ContactField, FieldKind, FieldRegister, register
from massmail_plugin.contracts import ContactSource, Host

Choice = tuple[str, str]

INPUTS = {FieldKind.DATE: ("date", ""), FieldKind.TIME: ("date", ""), FieldKind.NUMBER: ("text", "decimal")}
"""Kind -> (type, inputmode) of a box for one value."""


@dataclass(frozen=True)
class Offer:
    """The choices for lines about one source. `within` names related rows, "" is the contact itself."""

    host: Host
    source: ContactSource

    @property
    def register(self) -> FieldRegister:
        return register(self.source)

    def fields(self, within: str = "") -> Sequence[ContactField]:
        """The fields a line may ask for."""
        if not within:
            return self.register.fields
        rows = self.register.related_rows(within)
        return rows.fields if rows else ()

    def whats(self, line: Line, within: str = "") -> list[tuple[str, list[Choice]]]:
        """The groups of the first select: fields, related rows, the host's conditions; and what is no longer there."""
        groups = [("Fields", [(f"field:{one.path}", one.label) for one in self.fields(within)])]
        if not within:
            groups.append(("Has rows", [(f"related:{one.name}", one.label) for one in self.register.related]))
            conditions = self.host.hooks.conditions.items()
            groups.append(("Conditions", [(f"condition:{name}", label) for name, (label, _) in conditions]))
        known = {value for _, choices in groups for value, _ in choices}
        if line.what and line.what not in known:
            groups.append(("No longer there", [(line.what, line.name)]))
        return [group for group in groups if group[1]]

    def field(self, line: Line, within: str = "") -> ContactField | None:
        """The field a line asks for, or None."""
        if line.kind != "field":
            return None
        return next((one for one in self.fields(within) if one.path == line.name), None)

    def operators(self, line: Line, within: str = "") -> Sequence[Operator]:
        """The operators its field can be compared by; none where there is no field."""
        field = self.field(line, within)
        return operators_for(field.kind) if field else ()

    def operator(self, line: Line, within: str = "") -> Operator | None:
        """The chosen operator, or the first one the field has."""
        offered = self.operators(line, within)
        return next((one for one in offered if one.name == line.op), offered[0] if offered else None)

    def choices(self, line: Line, within: str = "") -> list[str]:
        """Values the host names for the field, and those the line has already; empty where anything may be entered."""
        field = self.field(line, within)
        if field is None or field.kind is not FieldKind.TEXT:
            return []
        named = self._named(field)
        return [*named, *(value for value in line.values if value and value not in named)] if named else []

    def _named(self, field: ContactField) -> list[str]:
        if field.choices is not None:
            return [str(one) for one in (field.choices() if callable(field.choices) else field.choices)]
        return list(self.host.statuses.known()) if field.column is self.source.status else []

    def box(self, line: Line, within: str = "") -> tuple[str, str]:
        """(type, inputmode) of a box for one value of the line."""
        field, operator = self.field(line, within), self.operator(line, within)
        if operator is not None and operator.takes is Takes.DAYS:
            return ("text", "numeric")
        return INPUTS.get(field.kind, ("text", "")) if field else ("text", "")
