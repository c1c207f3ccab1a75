"""The host's key as text and back, the same in SQL on every database as in Python. Commits nothing.

`str(key)` in Python is the one form; it is what `contact_key` columns hold. Text that is no such form of a key matches
no contact, and never makes a statement fail.
"""

import re
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Any
from uuid import UUID

from sqlalchemy import UUID as NATIVE_UUID
from sqlalchemy import (
    BigInteger,
    Dialect,
    Integer,
    String,
    TypeDecorator,
    Uuid,
    and_,
    case,
    cast,
    collate,
    func,
    literal_column,
    null,
    or_,
)
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import Column, ContactSource
from massmail_plugin.portable_sql import one_of

_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]*")
_LARGEST = str(2**63 - 1)
_SAMPLE = UUID("0123abcd-4567-89ef-0123-456789abcdef")
_UUID_PARTS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
_NUMBER_PATTERN: ColumnElement[Any] = literal_column(f"'^({_WHOLE_NUMBER.pattern})$'")
_DIGITS: ColumnElement[Any] = literal_column(str(len(_LARGEST)))
_UUID_PATTERN: ColumnElement[Any] = literal_column("'^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$'")


class _Kept(Enum):
    """How a database keeps a column of the host."""

    NUMBER = auto()
    UUID = auto()
    HEX = auto()
    TEXT = auto()
    OTHER = auto()


class TextOf(FunctionElement[str]):
    """SQL of `str(value)` for a column of the host."""

    name = "massmail_text_of"
    type = String()
    inherit_cache = True


class KeyFrom(FunctionElement[Any]):
    """SQL of the host's key for a text: `KeyFrom(key_column, text)`; NULL where the text is no key."""

    name = "massmail_key_from"
    inherit_cache = True


def key_text(source: ContactSource) -> ColumnElement[str]:
    """The source's key in SQL, as the text our tables hold."""
    return TextOf(register(source).key_column)


def key_from_text(source: ContactSource, text: Any) -> ColumnElement[Any]:
    """The other way round: `key_column == key_from_text(source, Subscription.contact_key)` can use the host's index."""
    return KeyFrom(register(source).key_column, text)


def has_key(source: ContactSource, keys: Iterable[str]) -> ColumnElement[bool]:
    """True for the contacts with one of these keys; uses the host's index."""
    column = register(source).key_column
    as_value = _key_reader(column)
    values = [value for value in map(as_value, keys) if value is not None]
    if isinstance(column.type, Integer):
        # PostgreSQL refuses a statement with a number that its column could not hold; as a long one it matches nothing.
        return one_of(column, values)
    if isinstance(column.type, String) and not isinstance(column.type, SqlEnum):
        return one_of(column, values)
    found: ColumnElement[bool] = column.in_(values)
    return found


def _key_reader(column: Column) -> Callable[[str], Any]:
    """Text -> value of the key column, None where it can be none."""
    kept = _kept(column.type, DefaultDialect())
    if kept is _Kept.NUMBER:
        return lambda text: int(text) if _is_number(text) else None
    if kept in (_Kept.UUID, _Kept.HEX):
        return lambda text: _uuid_value(column.type, text) if text.isprintable() else None
    return lambda text: text if text.isprintable() else None


def _is_number(text: str) -> bool:
    """Whether it is a number as `str` writes it, which a column of the largest kind holds (-10**18 at the least)."""
    if len(text) > len(_LARGEST) or not _WHOLE_NUMBER.fullmatch(text):
        return False
    return len(text) < len(_LARGEST) or text <= _LARGEST


def _uuid_value(sql_type: TypeEngine[Any], text: str) -> UUID | str | None:
    try:
        value = UUID(text)
    except ValueError:
        return None
    if str(value) != text:
        return None
    return text if isinstance(sql_type, Uuid) and not sql_type.as_uuid else value


def _kept(sql_type: TypeEngine[Any], dialect: Dialect) -> _Kept:
    plain = sql_type.dialect_impl(dialect)
    if isinstance(plain, TypeDecorator):
        plain = plain.impl_instance
    if isinstance(plain, Uuid):
        return _Kept.UUID if dialect.supports_native_uuid and plain.native_uuid else _Kept.HEX
    if _stored(sql_type, dialect, _SAMPLE) == _SAMPLE.hex and _stored(sql_type, dialect, "no uuid") is None:
        return _Kept.HEX
    if isinstance(plain, String) and not isinstance(plain, SqlEnum):
        return _Kept.TEXT
    return _Kept.NUMBER if _python_type(sql_type) is int else _Kept.OTHER


def _stored(sql_type: TypeEngine[Any], dialect: Dialect, value: Any) -> Any:
    """What a type of the host's own making writes for a value; None where it refuses, with whatever error."""
    process = sql_type.dialect_impl(dialect).bind_processor(dialect)
    try:
        return value if process is None else process(value)
    except Exception:
        return None


def _python_type(sql_type: TypeEngine[Any]) -> type[Any] | None:
    try:
        return sql_type.python_type
    except NotImplementedError:
        return None


@compiles(TextOf)
def _text_of(element: TextOf, compiler: SQLCompiler, **options: Any) -> str:
    (column,) = element.clauses
    kept = _kept(column.type, compiler.dialect)
    if kept is _Kept.HEX:
        return compiler.process(_dashed(column), **options)
    return compiler.process(column if kept is _Kept.TEXT else cast(column, String), **options)


def _dashed(column: ColumnElement[Any]) -> ColumnElement[str]:
    hexadecimal = cast(column, String)
    dash = literal_column("'-'", String)
    parts = [func.substr(hexadecimal, literal_column(str(at)), literal_column(str(size))) for at, size in _UUID_PARTS]
    text: Any = cast(parts[0], String)
    for part in parts[1:]:
        text = text.concat(dash).concat(part)
    return func.lower(text)


@compiles(KeyFrom)
def _key_from(element: KeyFrom, compiler: SQLCompiler, **options: Any) -> str:
    column, text = element.clauses
    kept = _kept(column.type, compiler.dialect)
    on_postgresql = compiler.dialect.name == "postgresql"
    if kept is _Kept.HEX:
        bare = func.replace(text, literal_column("'-'"), literal_column("''"))
        expression: Any = case((func.length(text) == literal_column("36"), bare), else_=null())
    elif kept is _Kept.UUID:
        expression = case((text.regexp_match(_UUID_PATTERN), cast(text, NATIVE_UUID)), else_=null())
    elif kept is _Kept.NUMBER:
        expression = _number_on_postgresql(text) if on_postgresql else _number(text)
    else:
        expression = text
    return compiler.process(expression, **options)


def _number(text: Any) -> ColumnElement[Any]:
    number = cast(text, BigInteger)
    return case((cast(number, String) == text, number), else_=null())


def _number_on_postgresql(text: Any) -> ColumnElement[Any]:
    """PostgreSQL refuses to cast what is no number. A pattern that counts its digits would take eight times as long."""
    fits = or_(func.length(text) < _DIGITS, and_(func.length(text) == _DIGITS, collate(text, "C") <= _largest()))
    return case((and_(text.regexp_match(_NUMBER_PATTERN), fits), cast(text, BigInteger)), else_=null())


def _largest() -> ColumnElement[Any]:
    return literal_column(f"'{_LARGEST}'")
