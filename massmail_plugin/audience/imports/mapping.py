"""Which column of a file says what: guessed from names and values, chosen by a person. Reads only."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from massmail_plugin.audience.table_files import Table
from massmail_plugin.contact_fields import ContactField, register
from massmail_plugin.contracts import ContactSource
from massmail_plugin.errors import ImportRefused

_ADDRESS_NAMES = ("email", "emailaddress", "mail", "mailaddress", "email1", "address", "correo", "courriel", "epost")
_KEY_NAMES = ("id", "key", "no", "nr", "number", "contactid")


@dataclass(frozen=True)
class ColumnMapping:
    """`by` says what rows are matched with; `column` is the place of that column, `fields` of those of the values that
    a new contact is made with, by the names of fields.
    """

    by: Literal["address", "key"] = "address"
    column: int = 0
    fields: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def kept(cls, values: Mapping[str, Any]) -> "ColumnMapping":
        """As a row of ours keeps it."""
        return cls(**values)

    def to_keep(self) -> dict[str, Any]:
        return asdict(self) | {"fields": dict(self.fields)}

    def check(self, table: Table) -> None:
        """Raise ImportRefused where the file has no such column."""
        if any(not 0 <= place < len(table.columns) for place in (self.column, *self.fields.values())):
            raise ImportRefused("The file does not have the columns that were chosen. Choose them again.")


def guessed(table: Table, source: ContactSource) -> ColumnMapping:
    """The likeliest mapping: the column that looks like addresses, else the one that looks like the key."""
    names = [_bare(name) for name in table.columns]
    fields = {one.path: names.index(name) for one in fillable(source) if (name := _named(one, names)) is not None}
    address = _first(names, _ADDRESS_NAMES)
    if address is None:
        address = next((place for place, name in enumerate(names) if "mail" in name), None)
    if address is None:
        address = _with_addresses(table)
    key = _first(names, (_bare(str(register(source).key_column.key)), *_KEY_NAMES))
    if address is None and key is not None:
        return ColumnMapping("key", key, fields)
    return ColumnMapping("address", address or 0, fields)


def fillable(source: ContactSource) -> list[ContactField]:
    """The fields of a contact itself that a file may have values for."""
    return [one for one in register(source).fields if one.relation is None]


def _named(one: ContactField, names: list[str]) -> str | None:
    return next((name for name in (_bare(one.label), _bare(one.path)) if name in names), None)


def _with_addresses(table: Table) -> int | None:
    shares = [sum("@" in cell for cell in column) for column in zip(*table.sample(50), strict=True)]
    return shares.index(max(shares)) if any(shares) else None


def _first(names: list[str], known: Iterable[str]) -> int | None:
    return next((names.index(name) for name in known if name in names), None)


def _bare(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())
