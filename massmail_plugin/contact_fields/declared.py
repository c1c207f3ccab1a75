"""Fields and related rows as a ContactSource declares them, checked. The files of the room enter."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Enum as SqlEnum
from sqlalchemy import Integer, TypeDecorator
from sqlalchemy.orm import Mapper

from massmail_plugin.contact_fields.checks import check_column, column_name, relation_named, wrong
from massmail_plugin.contact_fields.kinds import kind_of
from massmail_plugin.contact_fields.registered import ContactField, RelatedRows
from massmail_plugin.contracts import Column, ContactSource, Field, Related
from massmail_plugin.vocabulary import FieldKind


def own_fields(source: ContactSource, mapper: Mapper[Any]) -> Iterable[ContactField]:
    seen: set[str] = set()
    for declared in [*_own(source), *(f for f in source.fields if isinstance(f, Field))]:
        made = _field(source, mapper, declared)
        if made.path in seen:
            if declared in source.fields:
                raise wrong(source, f"the field “{made.path}” is there twice; give one a name=.")
            continue
        seen.add(made.path)
        yield made
    for other in source.fields:
        if not isinstance(other, Field | Related):
            raise wrong(source, f"fields= takes Field(...) and Related(...), not {other!r}.")


def _own(source: ContactSource) -> list[Field]:
    """The columns the host named for other purposes are fields too, unless it registers them itself."""
    named = {"name": source.name, "status": source.status}
    registered = {column_name(f.column) for f in source.fields if isinstance(f, Field) and f.via is None}
    named |= {
        name: column
        for name, column in (("locale", source.locale), ("time_zone", source.time_zone))
        if column is not None and column_name(column) not in registered
    }
    own = [Field(column, name=name) for name, column in named.items() if column is not None]
    return [f for f in own if f.name not in registered]


def _field(source: ContactSource, mapper: Mapper[Any], declared: Field) -> ContactField:
    relation = None if declared.via is None else relation_named(source, mapper, declared.via, to_many=False)
    name = declared.name or column_name(declared.column)
    if not name or not name.isidentifier():
        raise wrong(
            source, f"the field {declared.label or declared.column} needs a name= of letters, digits and underscores."
        )
    owner = mapper.relationships[relation].mapper if relation else mapper
    path = f"{relation}.{name}" if relation else name
    return _made(source, owner, declared, where=f"the field “{name}”", path=path, relation=relation)


def _made(
    source: ContactSource, owner: Mapper[Any], declared: Field, *, where: str, path: str, relation: str | None = None
) -> ContactField:
    check_column(source, where, declared.column, owner)
    if declared.changed is not None:
        check_column(source, f"changed= of {where}", declared.changed, owner)
        if kind_of(declared.changed) not in (FieldKind.DATE, FieldKind.TIME):
            raise wrong(source, f"changed= of {where} takes a column of dates or times.")
    return ContactField(
        path,
        declared.label or path.replace(".", " ").replace("_", " ").capitalize(),
        _kind(source, where, declared),
        declared.column,
        relation,
        _choices(declared),
        declared.sensitive,
        declared.example,
        declared.changed,
    )


def _kind(source: ContactSource, where: str, declared: Field) -> FieldKind:
    """What the host says the field holds, where the column can hold it."""
    found = kind_of(declared.column)
    kind = declared.kind or found
    fitting = {
        FieldKind.NUMBER: (FieldKind.NUMBER,),
        FieldKind.DATE: (FieldKind.DATE, FieldKind.TIME),
        FieldKind.TIME: (FieldKind.DATE, FieldKind.TIME),
        FieldKind.BOOLEAN: (FieldKind.BOOLEAN,),
    }.get(kind, tuple(FieldKind))
    flag = kind is FieldKind.BOOLEAN and isinstance(declared.column.type, Integer)
    if found in fitting or flag or isinstance(declared.column.type, TypeDecorator):
        return kind
    raise wrong(
        source,
        f"kind= of {where} says {kind}, but the column holds {declared.column.type}. "
        "Give a column, hybrid or TypeDecorator of that kind.",
    )


def _choices(declared: Field) -> Any:
    """What an Enum column can hold is offered of itself."""
    if declared.choices is None and isinstance(declared.column.type, SqlEnum):
        return tuple(declared.column.type.enums)
    return declared.choices


def related_rows(source: ContactSource, mapper: Mapper[Any], declared: Related) -> RelatedRows:
    relation = relation_named(source, mapper, declared.via, to_many=True)
    name = declared.name or relation
    target = mapper.relationships[relation].mapper
    if target.class_ is not declared.model:
        raise wrong(source, f"the relation “{relation}” leads to {target.class_.__name__}, not to {declared.model!r}.")
    if declared.latest is not None:
        check_column(source, f"latest= of Related “{name}”", declared.latest, target)
    fields = tuple(_of_row(source, target, name, one) for one in declared.fields)
    label = declared.label or name.replace("_", " ").capitalize()
    return RelatedRows(name, label, declared.model, relation, fields, declared.latest)


def _of_row(source: ContactSource, target: Mapper[Any], name: str, declared: Column | Field) -> ContactField:
    one = declared if isinstance(declared, Field) else Field(declared)
    if one.via is not None:
        raise wrong(source, f"a field of Related “{name}” takes no via=.")
    return _made(source, target, one, where=f"Related “{name}”", path=one.name or column_name(one.column))
