"""Our stops beside what is known of a provider's list: what is missing there, what is there for nothing. No commits."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, exists, select

from massmail_plugin.audience import current_addresses
from massmail_plugin.consent.addresses import normalised, usable
from massmail_plugin.contracts import Host
from massmail_plugin.models import ProviderListEntry, Suppression
from massmail_plugin.portable_sql import changed, insert_new, one_of
from massmail_plugin.vocabulary import Channel, SuppressionReason, SuppressionScope

PAGE = 500
_EVERYTHING: ColumnElement[bool] = and_(
    Suppression.scope == SuppressionScope.ALL_BUT_TRANSACTIONAL.value, Suppression.until.is_(None)
)
"""A stop that ends by itself is ours alone."""
_OF_US: ColumnElement[bool] = Suppression.reason != SuppressionReason.BY_PROVIDER.value


class Unlisted(NamedTuple):
    """An address we do not write to, and the contact whose wish that is, if it is one's."""

    address: str
    contact_source: str | None = None
    contact_key: str | None = None


def unlisted(host: Host, feed_id: int) -> Iterator[list[Unlisted]]:
    """Stops of everything that are not on the provider's list yet, page by page; one of a contact for each address."""
    after = 0
    while rows := _stops(host, after):
        after = rows[-1].id
        found = [one for row in rows if row.address for one in _of_address(row.address)] + _of_contacts(host, rows)
        known = _listed(host, feed_id, [one.address for one in found])
        new = {one.address: one for one in found if one.address not in known}
        if new:
            yield list(new.values())


def _stops(host: Host, after: int) -> Sequence[Suppression]:
    query = select(Suppression).where(_EVERYTHING, _OF_US, Suppression.id > after).order_by(Suppression.id)
    return host.session.scalars(query.limit(PAGE)).all()


def _of_address(address: str) -> list[Unlisted]:
    return [Unlisted(address)] if usable(address) else []


def _of_contacts(host: Host, rows: Sequence[Suppression]) -> list[Unlisted]:
    found = []
    for name in sorted({row.contact_source for row in rows if row.contact_source} & set(host.sources)):
        source = host.sources[name]
        mail = {one.role for one in source.addresses if one.channel is Channel.EMAIL}
        keys = [row.contact_key for row in rows if row.contact_source == name and row.contact_key]
        for (key, role), address in current_addresses(host, source, keys).items():
            if role in mail and usable(address):
                found.append(Unlisted(normalised(address), name, key))
    return found


def _listed(host: Host, feed_id: int, addresses: Sequence[str]) -> set[str]:
    known = ProviderListEntry.feed_id == feed_id, one_of(ProviderListEntry.address, addresses)
    return set(host.session.scalars(select(ProviderListEntry.address).where(*known)))


def note_added(host: Host, feed_id: int, added: Sequence[Unlisted]) -> None:
    """Remember what was put on the list."""
    now = host.clock()
    rows = [{"feed_id": feed_id, "ours": True, "at": now, **one._asdict()} for one in added]
    host.session.execute(insert_new(host, ProviderListEntry).values(rows))


def stopped_no_more(host: Host, feed_id: int, *, limit: int) -> list[str]:
    """Addresses on the provider's list that nothing stops here any more."""
    entry = ProviderListEntry
    by_address = exists().where(Suppression.address == entry.address, _EVERYTHING)
    by_contact = exists().where(
        Suppression.contact_source == entry.contact_source, Suppression.contact_key == entry.contact_key, _EVERYTHING
    )
    query = select(entry.address).where(entry.feed_id == feed_id, ~by_address, ~by_contact).order_by(entry.address)
    return list(host.session.scalars(query.limit(limit)))


def forget(host: Host, feed_id: int, addresses: Sequence[str]) -> None:
    """These are on the list no more."""
    entries = ProviderListEntry.feed_id == feed_id, one_of(ProviderListEntry.address, addresses)
    changed(host, delete(ProviderListEntry).where(*entries))
