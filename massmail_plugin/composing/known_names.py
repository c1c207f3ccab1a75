"""The names a template may use for one contact source, as a tree with an example at each leaf.

Checks and the picker enter; nothing is committed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from massmail_plugin.consent.wishes.contact_wishes import LIST_NAME, LIST_TOPIC, OPTED_OUT, SUBSCRIPTIONS
from massmail_plugin.contact_fields import ContactField, FieldRegister, register
from massmail_plugin.contracts import ContactSource
from massmail_plugin.vocabulary import FieldKind

EXAMPLES: Mapping[FieldKind, Any] = {
    FieldKind.TEXT: "",
    FieldKind.NUMBER: 42,
    FieldKind.DATE: date(2026, 3, 14),
    FieldKind.TIME: datetime(2026, 3, 14, 9, 30, tzinfo=UTC),
    FieldKind.BOOLEAN: True,
    FieldKind.CODE: "A1027",
}
"""What a field of each kind looks like; a text's example is its own label."""


@dataclass(frozen=True)
class Name:
    """One name: a value, a group of names (`parts`), rows to loop over (`row`), or anything at all."""

    label: str = ""
    example: Any = ""
    parts: "Mapping[str, Name]" = field(default_factory=dict)
    row: "Name | None" = None
    anything: bool = False

    @property
    def printable(self) -> bool:
        return not self.parts and self.row is None

    def leaves(self, path: str) -> "Iterator[tuple[str, Name]]":
        """Every path below this one, with what is there; rows count as one."""
        if not self.parts:
            yield path, self
        for name, part in self.parts.items():
            yield from part.leaves(f"{path}.{name}")

    def sample(self) -> Any:
        """Plain values of this shape, as a render would get them."""
        if self.row is not None:
            return [self.row.sample(), self.row.sample()]
        if self.parts:
            return {name: part.sample() for name, part in self.parts.items()}
        return self.example


VALUE = Name()
ANYTHING = Name(anything=True)

_LOOP_NUMBERS = ("index", "index0", "rindex", "rindex0", "length")
FORLOOP = Name(
    parts={
        **{name: Name(example=1) for name in _LOOP_NUMBERS},
        "first": Name(example=True),
        "last": Name(example=True),
        "name": VALUE,
        "parentloop": ANYTHING,
    }
)

FIXED: Mapping[str, Name] = {
    "sender": Name(
        parts={"name": Name("Sender’s name", "Anna Berg"), "address": Name("Sender’s address", "anna@example.org")}
    ),
    "mailing": Name(parts={"name": Name("Name of the mailing", "Spring news"), "topic": Name("Topic", "News")}),
    "organisation": Name(
        parts={"name": Name("Organisation", "Example Ltd"), "address": Name("Postal address", "1 High Street, Town")}
    ),
    "today": Name("Day of sending", date(2026, 3, 14)),
    "unsubscribe_url": Name("Unsubscribe link", "#"),
    "preferences_url": Name("Link to the preferences", "#"),
}
"""Names that every template has, whatever the host registers."""


_LIST = Name(parts={LIST_NAME: Name("Name of a list", "News"), LIST_TOPIC: Name("Its topic", "Wine")})
_WISHES: Mapping[str, Name] = {
    OPTED_OUT: Name("Opted out of all mail", False),
    SUBSCRIPTIONS: Name("Lists the contact is on", row=_LIST),
}
"""What we know of every contact ourselves."""


def known_names(source: ContactSource) -> dict[str, Name]:
    """The roots a template may use: `contact` and the fixed ones."""
    return {"contact": contact_name(register(source)), **FIXED}


def contact_name(fields: FieldRegister) -> Name:
    """`contact` with the fields and related rows of its source, without the sensitive ones."""
    parts: dict[str, Any] = {}
    for one in fields.fields:
        if not one.sensitive:
            _place(parts, one)
    tree = {name: Name(parts=part) if isinstance(part, dict) else part for name, part in parts.items()}
    for rows in fields.related:
        row = Name(rows.label, parts={one.path: _leaf(one) for one in rows.fields if not one.sensitive})
        tree[rows.name] = Name(rows.label, row=row)
    return Name("Contact", parts={**_WISHES, **tree})


def _place(parts: dict[str, Any], one: ContactField) -> None:
    group, _, name = one.path.rpartition(".")
    level = parts.setdefault(group, {}) if group else parts
    level[name] = _leaf(one)


def _leaf(one: ContactField) -> Name:
    example = EXAMPLES[one.kind] if one.example is None else one.example
    return Name(one.label, example if one.kind is not FieldKind.TEXT or example else one.label)
