"""What a column holds, told by its SQL type. The files of the room enter; nothing is committed."""

from typing import Any

from sqlalchemy import Boolean, Date, DateTime, Numeric, String, TypeDecorator

from massmail_plugin.contracts import Column
from massmail_plugin.vocabulary import FieldKind


def kind_of(column: Column) -> FieldKind:
    """The kind of a column, from its SQL type or that below a type of the host's own; what is not known is text."""
    sql_type = column.type
    while isinstance(sql_type, TypeDecorator):
        sql_type = sql_type.impl_instance
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
