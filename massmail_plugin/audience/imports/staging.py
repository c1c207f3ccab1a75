"""A slice of a file in the database for a moment: its rows, and the contacts they belong to. Flushes.

The tables are temporary: they are gone with the slice, and nobody else sees them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, Index, Integer, MetaData, Select, String, Table, Text, literal, select, union
from sqlalchemy.schema import DropTable

from massmail_plugin.audience.imports.rows import Slice
from massmail_plugin.consent.addresses import normalised_sql
from massmail_plugin.consent.contact_keys import key_from_text, key_text
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import Address, ContactSource, Host
from massmail_plugin.errors import ImportRefused
from massmail_plugin.portable_sql import changed, insert_many
from massmail_plugin.vocabulary import Channel

_METADATA = MetaData()
_TEMPORARY: Any = {"prefixes": ["TEMPORARY"]}

rows = Table(
    "massmail_import_row",
    _METADATA,
    Column("number", Integer),
    Column("form", String(300)),
    Column("values", Text),
    **_TEMPORARY,
)
"""What `Slice.rows` says."""
spellings = Table(
    "massmail_import_spelling", _METADATA, Column("number", Integer), Column("form", String(300)), **_TEMPORARY
)
"""What `Slice.spellings` says."""
found = Table(
    "massmail_import_found",
    _METADATA,
    Column("number", Integer),
    Column("contact_key", String(64)),
    Column("address", Text),
    **_TEMPORARY,
)
"""Rows with each contact they belong to, and the address it is known by, however long the host keeps it."""
verdicts = Table(
    "massmail_import_verdict",
    _METADATA,
    Column("number", Integer),
    Column("contact_key", String(64)),
    Column("verdict", Integer),
    **_TEMPORARY,
)
"""What is to be made of each row of `found`, and of each row that is not there."""
_ALL = (rows, spellings, found, verdicts)
for _table in (rows, spellings):
    # PostgreSQL reads the host's table once and needs no index for that; SQLite would read ours for each contact.
    Index(f"ix_{_table.name}", _table.c.form).ddl_if(dialect="sqlite")


@contextmanager
def staged(host: Host, slice_: Slice) -> Iterator[None]:
    """Bring a slice that is not empty into the database."""
    connection = host.session.connection()
    for table in _ALL:
        connection.execute(DropTable(table, if_exists=True))
        table.create(connection)
    insert_many(host, rows, rows.columns.keys(), slice_.rows)
    if slice_.spellings:
        insert_many(host, spellings, spellings.columns.keys(), slice_.spellings)
    yield
    for table in _ALL:
        connection.execute(DropTable(table))


def match(host: Host, source: ContactSource, slice_: Slice, *, by: str) -> None:
    """Find the contacts of the slice's rows: of one address there may be several."""
    here = _by_key(source) if by == "key" else _by_address(source, slice_)
    changed(host, found.insert().from_select(["number", "contact_key", "address"], here))


def own_addresses(source: ContactSource) -> list[Address]:
    """Where a contact is reached by e-mail itself. Raises ImportRefused where there is no such address."""
    own = [one for one in register(source).roles(Channel.EMAIL) if one.via is None]
    if not own:
        raise ImportRefused(f"The contacts of “{source.source_name}” have no e-mail address to match with.")
    return own


def _by_address(source: ContactSource, slice_: Slice) -> Any:
    """One statement that reads the host's table once for each role. With one role nothing can be found twice."""
    each = [
        select(table.c.number, key_text(source), table.c.form)
        .select_from(source.model)
        .join(table, table.c.form == normalised_sql(role.column))
        for role in own_addresses(source)
        for table in ((rows, spellings) if slice_.spellings else (rows,))
    ]
    return each[0] if len(each) == 1 else union(*each)


def _by_key(source: ContactSource) -> Select[Any]:
    """A contact's address is looked at only to see whether it is stopped."""
    emails = [one.column for one in register(source).roles(Channel.EMAIL) if one.via is None]
    address = normalised_sql(emails[0]) if emails else literal(None, String)
    same = register(source).key_column == key_from_text(source, rows.c.form)
    return select(rows.c.number, key_text(source), address).select_from(source.model).join(rows, same)
