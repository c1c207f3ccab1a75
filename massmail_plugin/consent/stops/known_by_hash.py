"""Addresses that we know by their hashes alone, since whoever had them was erased. Whoever would take addresses in from
outside asks first, so that nobody comes back who was to be forgotten. Reads only.
"""

from collections.abc import Iterable

from sqlalchemy import select

from massmail_plugin.consent.stops.address_hashes import address_hashes
from massmail_plugin.contracts import Host
from massmail_plugin.models import Suppression
from massmail_plugin.portable_sql import one_of
from massmail_plugin.vocabulary import SuppressionReason


def stopped_by_hash(host: Host, addresses: Iterable[str]) -> set[str]:
    """Those of up to some hundred addresses that an erasure knows by the hash; where there is none, no work."""
    marks = Suppression.address_hash.is_not(None)
    if host.session.scalar(select(Suppression.id).where(marks).limit(1)) is None:
        return set()
    address_of = {mark: address for address in addresses for mark in address_hashes(host.config, address)}
    erased = one_of(Suppression.address_hash, list(address_of)), Suppression.reason == SuppressionReason.ERASED.value
    found = select(Suppression.address_hash).where(*erased)
    return {address_of[mark] for mark in host.session.scalars(found) if mark is not None}
