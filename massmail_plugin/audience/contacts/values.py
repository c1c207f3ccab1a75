"""What templates may print of contacts: plain values of the registered fields, never the host's objects. Reads only."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from sqlalchemy import func, inspect, literal, select, true
from sqlalchemy.orm import aliased

from massmail_plugin.audience.contacts.visibility import visible
from massmail_plugin.consent.contact_keys import TextOf, has_key, key_text
from massmail_plugin.consent.wishes.contact_wishes import names_of_wishes, wishes_of
from massmail_plugin.contact_fields import ContactField, RelatedRows, register
from massmail_plugin.contracts import ContactSource, Host

Values = dict[str, Any]


class Reader(NamedTuple):
    """A contact as the mail to it needs it: `addresses` as the host has them, in the order of the source's roles."""

    name: str
    active: bool
    tracked: bool
    addresses: Sequence[Any]
    values: Values


def readers(
    host: Host, source: ContactSource, keys: Sequence[str], *, paths: Collection[str], related: Collection[str]
) -> dict[str, Reader]:
    """Key -> what is needed to write to a contact, for those that are still there.

    Reads only the fields of `paths` and the rows of `related`. One SELECT, and one for each relation and kind of row.
    """
    known = register(source)
    wanted = [one for one in known.fields if not one.sensitive and one.path in paths]
    own = [one for one in wanted if one.relation is None]
    found = _readers(host, source, keys, own)
    answer = {key: reader.values for key, reader in found.items()}
    for relation in sorted({one.relation for one in wanted if one.relation is not None}):
        _add_relation(host, source, relation, [one for one in wanted if one.relation == relation], answer)
    for rows in known.related:
        if rows.name in related:
            _add_rows(host, source, rows, answer)
    _add_wishes(host, source, answer, paths)
    return found


def _readers(
    host: Host, source: ContactSource, keys: Sequence[str], fields: Sequence[ContactField]
) -> dict[str, Reader]:
    addresses = [one.column.label(f"a{number}") for number, one in enumerate(register(source).addresses)]
    name = literal("") if source.name is None else source.name
    active = true() if source.active is None else func.coalesce(source.active, False)
    tracked = true() if source.tracking is None else func.coalesce(source.tracking, False)
    own = [name.label("name"), active.label("active"), tracked.label("tracked")]
    statement = select(key_text(source), *own, *addresses, *_columns(fields))
    chosen = has_key(source, keys), visible(host, source)
    rows = host.session.connection().execute(statement.select_from(source.model).where(*chosen))
    first = 4 + len(addresses)
    names = list(enumerate((one.path.rpartition(".")[2] for one in fields), first))
    return {
        row[0]: Reader(
            row[1] or "",
            row[2],
            row[3],
            row[4:first],
            {name: value if type(value := row[place]) in _PLAIN else _plain(value) for place, name in names},
        )
        for row in map(tuple, rows)
    }


def values(
    host: Host,
    source: ContactSource,
    keys: Sequence[str],
    *,
    paths: set[str] | None = None,
    related: set[str] | None = None,
) -> dict[str, Values]:
    """Key -> {name: value, relation: {name: value}, related: [{name: value}]} for the contacts that are still there.

    `paths` and `related` narrow what is read (None: everything registered); sensitive fields never come. Values are
    str, int, float, Decimal, bool, date, datetime or None. One SELECT, and one for each relation and kind of row.
    """
    known = register(source)
    wanted = [one for one in known.fields if not one.sensitive and (paths is None or one.path in paths)]
    answer = _own(host, source, keys, [one for one in wanted if one.relation is None])
    for relation in sorted({one.relation for one in wanted if one.relation is not None}):
        _add_relation(host, source, relation, [one for one in wanted if one.relation == relation], answer)
    for rows in known.related:
        if related is None or rows.name in related:
            _add_rows(host, source, rows, answer)
    _add_wishes(host, source, answer, names_of_wishes(source) if paths is None else paths)
    return answer


def _add_wishes(host: Host, source: ContactSource, answer: dict[str, Values], names: Collection[str]) -> None:
    for key, wishes in wishes_of(host, source, list(answer), names).items():
        answer[key].update(wishes)


def _own(host: Host, source: ContactSource, keys: Sequence[str], fields: Sequence[ContactField]) -> dict[str, Values]:
    statement = select(key_text(source).label("key"), *_columns(fields)).select_from(source.model)
    found = host.session.execute(statement.where(has_key(source, keys), visible(host, source)))
    return {row[0]: _named(fields, row[1:]) for row in found}


def _add_relation(
    host: Host, source: ContactSource, relation: str, fields: Sequence[ContactField], answer: dict[str, Values]
) -> None:
    for contact in answer.values():
        contact[relation] = _named(fields, [None] * len(fields))
    for key, *row in _of_owners(host, source, relation, fields, list(answer)):
        answer[key][relation] = _named(fields, row)


def _add_rows(host: Host, source: ContactSource, rows: RelatedRows, answer: dict[str, Values]) -> None:
    for contact in answer.values():
        contact[rows.name] = []
    fields = [one for one in rows.fields if not one.sensitive]
    for key, *row in _of_owners(host, source, rows.relation, fields, list(answer)):
        answer[key][rows.name].append(_named(fields, row))


def _of_owners(
    host: Host, source: ContactSource, relation: str, fields: Sequence[ContactField], keys: Sequence[str]
) -> Iterable[Sequence[Any]]:
    """The owner goes under another name: the relation may lead to the contact's own class."""
    owner = aliased(source.model)
    key = getattr(owner, str(register(source).key_column.key))
    chosen = select(register(source).key_column).where(has_key(source, keys)).correlate(None)
    statement = select(TextOf(key), *_columns(fields)).select_from(owner).join(getattr(owner, relation))
    order = inspect(source.model).relationships[relation].order_by or ()
    return host.session.execute(statement.where(key.in_(chosen)).order_by(*order)).all()


def _columns(fields: Sequence[ContactField]) -> list[Any]:
    return [one.column.label(f"v{number}") for number, one in enumerate(fields)]


def _named(fields: Sequence[ContactField], row: Sequence[Any]) -> Values:
    return {one.path.rpartition(".")[2]: _plain(value) for one, value in zip(fields, row, strict=True)}


_PLAIN = frozenset((str, int, float, bool, Decimal, date, datetime, type(None)))


def _plain(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, str | int | float | Decimal | date | datetime):
        return value
    return str(value)
