"""Which contacts of the host are reached at an address. Sign-ups and public pages enter; nothing is changed."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, func, select

from massmail_plugin.consent.addresses import normalised_sql, spellings
from massmail_plugin.consent.contact_keys import key_text
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import Address, ContactRef, ContactSource, Host
from massmail_plugin.vocabulary import Channel

MOST = 20


def contacts_at(host: Host, address: str) -> list[ContactRef]:
    """Contacts with this e-mail address of their own, active ones first, then in the order of sources and roles.

    At most MOST of each role. Addresses of related people are not looked at: they are somebody else's. One statement
    for each role, each over the whole table unless the host has an index on `lower(trim(column))`.
    """
    if not address.strip():
        return []
    found = [
        (not active, ContactRef(source.source_name, key))
        for source, role in _own_roles(host)
        for key, active in host.session.execute(_at(source, role, address))
    ]
    return list(dict.fromkeys(ref for _, ref in sorted(found, key=lambda one: one[0])))


def _own_roles(host: Host) -> Iterator[tuple[ContactSource, Address]]:
    for source in host.sources.values():
        for role in register(source).roles(Channel.EMAIL):
            if getattr(role, "via", None) is None:
                yield source, role


def _at(source: ContactSource, role: Address, address: str) -> Select[Any]:
    column = role.column
    active = func.coalesce(source.active, False) if source.active is not None else column.is_not(None)
    here = normalised_sql(column).in_(sorted(spellings(address)))
    query = select(key_text(source), active).select_from(source.model)
    return query.where(here).order_by(register(source).key_column).limit(MOST)
