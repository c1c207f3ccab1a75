"""Reads what a ContactSource declares into named, typed fields, checked once at start. Rooms enter.

Nothing is committed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import Boolean, Date, DateTime, Numeric, String, inspect
from sqlalchemy.exc import NoInspectionAvailable
from sqlalchemy.orm import Mapper

from massmail_plugin.contracts import Address, Column, ContactSource, Field, Related
from massmail_plugin.errors import SetupError, nearest
from massmail_plugin.vocabulary import Channel


class FieldKind(StrEnum):
    """What a field holds: decides operators in criteria and how a value is printed."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    TIME = "time"
    BOOLEAN = "boolean"


@dataclass(frozen=True, eq=False)
class ContactField:
    """One column of the contact or of a to-one relation.

    `path` is its name in criteria and, after `contact.`, in templates.
    """

    path: str
    label: str
    kind: FieldKind
    column: Column
    relation: str | None
    choices: Any
    sensitive: bool


@dataclass(frozen=True, eq=False)
class RelatedRows:
    """Rows that belong to a contact; `fields` are their columns, named without the relation."""

    name: str
    label: str
    model: type[Any]
    relation: str
    fields: tuple[ContactField, ...]


@dataclass(frozen=True, eq=False)
class FieldRegister:
    """Everything templates and criteria may ask of one contact source."""

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


@lru_cache(maxsize=64)
def register(source: ContactSource) -> FieldRegister:
    """The fields of a source. Raises SetupError naming what does not fit, to whom, and the nearest right name."""
    mapper = _mapper(source)
    for option in ("key", "name", "locale", "time_zone", "active", "status", "tracking"):
        if getattr(source, option) is not None:
            _check_column(source, f"{option}=", getattr(source, option), mapper)
    return FieldRegister(
        source=source,
        key_column=_key(source, mapper),
        addresses=_addresses(source, mapper),
        fields=tuple(_fields(source, mapper)),
        related=tuple(_related(source, mapper, r) for r in source.fields if isinstance(r, Related)),
    )


def _mapper(source: ContactSource) -> Mapper[Any]:
    try:
        mapper = inspect(source.model)
    except NoInspectionAvailable:
        mapper = None
    if not isinstance(mapper, Mapper):
        raise SetupError(f"ContactSource: {source.model!r} is not a mapped class of the host's database.")
    return mapper


def _check_column(source: ContactSource, where: str, column: Any, owner: Mapper[Any]) -> None:
    """A column of another class would join it to each contact unseen; a text would fail long after the start."""
    if getattr(column, "type", None) is None:
        raise SetupError(
            f"ContactSource({_name(source)}): {where} takes a column of {owner.class_.__name__}, not {column!r}. "
            + nearest(str(getattr(column, "key", column)), owner.column_attrs.keys())
        )
    parent = getattr(column, "parent", None)
    if isinstance(parent, Mapper) and not owner.isa(parent):
        ways = [r.key for r in owner.relationships if r.mapper.isa(parent)]
        raise SetupError(
            f"ContactSource({_name(source)}): {where} names a column of {parent.class_.__name__}, not of "
            f"{owner.class_.__name__}."
            + (f" The relation “{ways[0]}” leads there: Field(..., via=) or Related(..., via=)." if ways else "")
        )


def _key(source: ContactSource, mapper: Mapper[Any]) -> Column:
    if source.key is not None:
        return source.key
    if len(mapper.primary_key) != 1:
        raise SetupError(
            f"ContactSource({_name(source)}): the table has no single primary key; say which column with key=."
        )
    column: Column = mapper.get_property_by_column(mapper.primary_key[0]).class_attribute
    return column


def _addresses(source: ContactSource, mapper: Mapper[Any]) -> tuple[Address, ...]:
    if not source.addresses:
        raise SetupError(f"ContactSource({_name(source)}): addresses= is empty; name at least one Email(...).")
    roles: set[str] = set()
    for address in source.addresses:
        if not isinstance(address, Address):
            raise SetupError(f"ContactSource({_name(source)}): addresses= takes Email, Phone or Fax, not {address!r}.")
        if address.role in roles:
            raise SetupError(
                f"ContactSource({_name(source)}): two addresses have the role “{address.role}”; give each its own, "
                f'such as Email(..., role="second").'
            )
        _check_column(source, f"the address “{address.role}”", address.column, mapper)
        roles.add(address.role)
    return tuple(source.addresses)


def _fields(source: ContactSource, mapper: Mapper[Any]) -> Iterable[ContactField]:
    seen: set[str] = set()
    for declared in [*_own(source), *(f for f in source.fields if isinstance(f, Field))]:
        made = _field(source, mapper, declared)
        if made.path in seen:
            if declared in source.fields:
                raise SetupError(
                    f"ContactSource({_name(source)}): the field “{made.path}” is there twice; give one a name=."
                )
            continue
        seen.add(made.path)
        yield made
    for other in source.fields:
        if not isinstance(other, Field | Related):
            raise SetupError(
                f"ContactSource({_name(source)}): fields= takes Field(...) and Related(...), not {other!r}."
            )


def _own(source: ContactSource) -> list[Field]:
    """The columns the host named for other purposes are fields too, unless it registers them itself."""
    named = {"name": source.name, "status": source.status}
    registered = {_column_name(f.column) for f in source.fields if isinstance(f, Field) and f.via is None}
    own = [Field(column, name=name) for name, column in named.items() if column is not None]
    return [f for f in own if f.name not in registered]


def _field(source: ContactSource, mapper: Mapper[Any], declared: Field) -> ContactField:
    relation = None if declared.via is None else _relation(source, mapper, declared.via, to_many=False)
    name = declared.name or _column_name(declared.column)
    if not name or not name.isidentifier():
        raise SetupError(
            f"ContactSource({_name(source)}): the field {declared.label or declared.column} needs a name= of letters, "
            "digits and underscores."
        )
    owner = mapper.relationships[relation].mapper if relation else mapper
    _check_column(source, f"the field “{name}”", declared.column, owner)
    path = f"{relation}.{name}" if relation else name
    label = declared.label or path.replace(".", " ").replace("_", " ").capitalize()
    return ContactField(
        path, label, kind_of(declared.column), declared.column, relation, declared.choices, declared.sensitive
    )


def _related(source: ContactSource, mapper: Mapper[Any], declared: Related) -> RelatedRows:
    relation = _relation(source, mapper, declared.via, to_many=True)
    name = declared.name or relation
    target = mapper.relationships[relation].mapper
    if target.class_ is not declared.model:
        raise SetupError(
            f"ContactSource({_name(source)}): the relation “{relation}” leads to {target.class_.__name__}, "
            f"not to {declared.model!r}."
        )
    fields = []
    for column in declared.fields:
        _check_column(source, f"Related “{name}”", column, target)
        own = _column_name(column)
        fields.append(ContactField(own, own.replace("_", " ").capitalize(), kind_of(column), column, None, None, False))
    return RelatedRows(
        name, declared.label or name.replace("_", " ").capitalize(), declared.model, relation, tuple(fields)
    )


def _relation(source: ContactSource, mapper: Mapper[Any], via: Any, *, to_many: bool) -> str:
    name = getattr(via, "key", via)
    known = {r.key: r for r in mapper.relationships}
    if name not in known:
        raise SetupError(
            f"ContactSource({_name(source)}): via= names “{name}”, which is no relation. {nearest(str(name), known)}"
        )
    if bool(known[name].uselist) is not to_many:
        right = "Related(...)" if known[name].uselist else "Field(...)"
        raise SetupError(f"ContactSource({_name(source)}): the relation “{name}” belongs into {right}.")
    return str(name)


def _column_name(column: Column) -> str:
    return str(getattr(column, "key", None) or getattr(column, "name", "") or "")


def kind_of(column: Column) -> FieldKind:
    """The kind of a column, from its SQL type; what is not known counts as text."""
    sql_type = column.type
    if isinstance(sql_type, Boolean):
        return FieldKind.BOOLEAN
    if isinstance(sql_type, String):
        return FieldKind.TEXT
    if isinstance(sql_type, DateTime):
        return FieldKind.TIME
    if isinstance(sql_type, Date):
        return FieldKind.DATE
    python = _python_type(sql_type)
    return FieldKind.NUMBER if isinstance(sql_type, Numeric) or python in (int, float) else FieldKind.TEXT


def _python_type(sql_type: Any) -> type[Any] | None:
    try:
        found: type[Any] = sql_type.python_type
    except NotImplementedError:
        return None
    return found


def _name(source: ContactSource) -> str:
    return getattr(source.model, "__name__", str(source.model))
