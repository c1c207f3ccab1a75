"""What may be asked and printed of contacts, as values. Rooms enter; nothing is committed."""

from dataclasses import dataclass
from typing import Any

from massmail_plugin.contracts import Address, Column, ContactSource
from massmail_plugin.vocabulary import Channel, FieldKind


@dataclass(frozen=True, eq=False)
class ContactField:
    """One column of the contact or of a to-one relation.

    `path` is its name in criteria and, after `contact.`, in templates. `changed` holds the time of its last change.
    """

    path: str
    label: str
    kind: FieldKind
    column: Column
    relation: str | None
    choices: Any
    sensitive: bool
    example: Any = None
    changed: Column | None = None


@dataclass(frozen=True, eq=False)
class RelatedRows:
    """Rows that belong to a contact; `fields` are their columns, named without the relation.

    `latest` is the column by which the latest of them is told, if the host named one.
    """

    name: str
    label: str
    model: type[Any]
    relation: str
    fields: tuple[ContactField, ...]
    latest: Column | None = None


@dataclass(frozen=True, eq=False)
class FieldRegister:
    """Everything templates and criteria may ask of one contact source.

    The columns of `addresses` can be read beside the contact's own, wherever they come from.
    """

    source: ContactSource
    key_column: Column
    addresses: tuple[Address, ...]
    fields: tuple[ContactField, ...]
    related: tuple[RelatedRows, ...]

    def field(self, path: str) -> ContactField | None:
        return next((f for f in self.fields if f.path == path), None)

    def related_rows(self, name: str) -> RelatedRows | None:
        return next((r for r in self.related if r.name == name), None)

    def roles(self, channel: Channel = Channel.EMAIL) -> tuple[Address, ...]:
        """The addresses of one channel, in the order the host gave them."""
        return tuple(a for a in self.addresses if a.channel == channel)
