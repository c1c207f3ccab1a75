"""The host's contacts as we read them: addresses and summaries. Nothing is changed here.

What is found and shown is what the viewer may see (`visibility`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import RowMapping, Select, func, or_, select, true

from massmail_plugin.audience.contacts.visibility import visible
from massmail_plugin.consent.contact_keys import has_key, key_text
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import ContactRef, ContactSource, Host

MAX_SEARCH = 200
LOOKED_AT = 1_000
"""A search that few fit would else go through all contacts in the order of their names, row by row."""


@dataclass(frozen=True)
class ContactSummary:
    """A contact for lists and pickers: `name` is never empty, `addresses` maps the role to what is there."""

    ref: ContactRef
    name: str
    addresses: Mapping[str, str] = field(default_factory=dict)


def find(host: Host, source: ContactSource, text: str, limit: int = 20) -> list[ContactSummary]:
    """Contacts whose name or address holds the text, or whose key it is; blank text gives the first ones. By name.

    Of very many, the first by name of the LOOKED_AT that the database comes across.
    """
    wanted = "".join(text.split("\x00")).strip()[:MAX_SEARCH]
    statement = _summary(host, source)
    if wanted:
        addresses = [one.column for one in register(source).addresses]
        columns = [column for column in (source.name, *addresses) if column is not None]
        matching = [column.icontains(wanted, autoescape=True) for column in columns]
        holding = or_(*matching, has_key(source, [wanted])), visible(host, source)
        key = register(source).key_column
        some = select(key).select_from(source.model).where(*holding).limit(LOOKED_AT)
        statement = statement.where(key.in_(some))
    return _summaries(host, source, statement.limit(limit))


def summaries(host: Host, refs: Iterable[ContactRef]) -> dict[ContactRef, ContactSummary]:
    """Summaries of up to some hundred contacts; those that are gone, or whose source is, are not in the answer."""
    by_source: dict[str, list[str]] = {}
    for ref in refs:
        by_source.setdefault(ref.source, []).append(ref.key)
    return {
        summary.ref: summary
        for name, keys in by_source.items()
        if name in host.sources
        for summary in _summaries(
            host, host.sources[name], _summary(host, host.sources[name]).where(has_key(host.sources[name], keys))
        )
    }


def sample(host: Host, source: ContactSource, where: Any = None, limit: int = 10) -> list[ContactSummary]:
    """The first contacts for which a clause is true, by name."""
    return _summaries(host, source, _summary(host, source).where(true() if where is None else where).limit(limit))


def current_addresses(host: Host, source: ContactSource, keys: Sequence[str]) -> dict[tuple[str, str], str]:
    """(key, role) -> address as the host has it now, trimmed; empty ones are left out. One SELECT."""
    columns = [one.column.label(f"a{number}") for number, one in enumerate(register(source).addresses)]
    found = host.session.execute(select(key_text(source).label("key"), *columns).where(has_key(source, keys)))
    return {
        (row[0], one.role): str(value).strip()
        for row in found
        for one, value in zip(source.addresses, row[1:], strict=True)
        if value is not None and str(value).strip()
    }


def inactive(host: Host, source: ContactSource, keys: Sequence[str]) -> set[str]:
    """Those of the keys whose contact the host has made inactive; nobody where the source names no such column."""
    if source.active is None or not keys:
        return set()
    here = has_key(source, keys), ~func.coalesce(source.active, False)
    return set(host.session.scalars(select(key_text(source)).where(*here)))


def exists(host: Host, ref: ContactRef) -> bool:
    """Whether the host has this contact, and the viewer may see it."""
    return ref.source in host.sources and bool(summaries(host, [ref]))


def _summary(host: Host, source: ContactSource) -> Select[Any]:
    known = register(source)
    key = known.key_column
    columns = [one.column.label(f"a{number}") for number, one in enumerate(known.addresses)]
    name = [] if source.name is None else [source.name.label("name")]
    order = [key] if source.name is None else [source.name, key]
    wanted: list[Any] = [key_text(source).label("key"), *columns, *name]
    return select(*wanted).select_from(source.model).where(visible(host, source)).order_by(*order)


def _summaries(host: Host, source: ContactSource, statement: Select[Any]) -> list[ContactSummary]:
    return [_one_summary(source, row) for row in host.session.execute(statement).mappings()]


def _one_summary(source: ContactSource, row: RowMapping) -> ContactSummary:
    given = {one.role: row[f"a{number}"] for number, one in enumerate(source.addresses)}
    addresses = {role: str(address).strip() for role, address in given.items() if address and str(address).strip()}
    name = str(row.get("name") or "").strip()
    return ContactSummary(
        ContactRef(source.source_name, row["key"]), name or next(iter(addresses.values()), "") or row["key"], addresses
    )
