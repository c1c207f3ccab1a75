"""Names of a ContactSource held against the host's classes, refused in words. The files of the room enter."""

from typing import Any

from sqlalchemy import inspect
from sqlalchemy.exc import NoInspectionAvailable
from sqlalchemy.orm import Mapper

from massmail_plugin.contracts import Column, ContactSource
from massmail_plugin.errors import SetupError, nearest


def mapper_of(source: ContactSource) -> Mapper[Any]:
    try:
        mapper = inspect(source.model)
    except NoInspectionAvailable:
        mapper = None
    if not isinstance(mapper, Mapper):
        raise SetupError(f"ContactSource: {source.model!r} is not a mapped class of the host's database.")
    return mapper


def check_column(source: ContactSource, where: str, column: Any, owner: Mapper[Any]) -> None:
    """A column of another class would join it to each contact unseen; a text would fail long after the start."""
    if getattr(column, "type", None) is None:
        raise wrong(
            source,
            f"{where} takes a column of {owner.class_.__name__}, not {column!r}. "
            + nearest(str(getattr(column, "key", column)), owner.column_attrs.keys()),
        )
    parent = getattr(column, "parent", None)
    if isinstance(parent, Mapper) and not owner.isa(parent):
        ways = [r.key for r in owner.relationships if r.mapper.isa(parent)]
        raise wrong(
            source,
            f"{where} names a column of {parent.class_.__name__}, not of "
            f"{owner.class_.__name__}."
            + (f" The relation “{ways[0]}” leads there: Field(..., via=) or Related(..., via=)." if ways else ""),
        )


def relation_named(source: ContactSource, mapper: Mapper[Any], via: Any, *, to_many: bool) -> str:
    name = getattr(via, "key", via)
    known = {r.key: r for r in mapper.relationships}
    if name not in known:
        raise wrong(source, f"via= names “{name}”, which is no relation. {nearest(str(name), known)}")
    if bool(known[name].uselist) is not to_many:
        right = "Related(...)" if known[name].uselist else "Field(...)"
        raise wrong(source, f"the relation “{name}” belongs into {right}.")
    return str(name)


def column_name(column: Column) -> str:
    return str(getattr(column, "key", None) or getattr(column, "name", "") or "")


def wrong(source: ContactSource, words: str) -> SetupError:
    """What does not fit, and in which source."""
    return SetupError(f"ContactSource({getattr(source.model, '__name__', source.model)}): {words}")
