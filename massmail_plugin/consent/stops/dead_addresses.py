"""Addresses at which not even a mail that was asked for may arrive: dead ones, complaints, those people stopped.

Reads only.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, union_all

from massmail_plugin.consent.addresses import spellings
from massmail_plugin.consent.stops.address_hashes import address_hashes
from massmail_plugin.consent.stops.suppression import in_force
from massmail_plugin.contracts import Host
from massmail_plugin.models import Suppression
from massmail_plugin.portable_sql import one_of
from massmail_plugin.vocabulary import SuppressionReason, SuppressionScope

LASTING = [reason.value for reason in SuppressionReason if not reason.yields]


def undeliverable(host: Host, addresses: Sequence[str]) -> set[str]:
    """Those of up to some hundred addresses that get no service mail either: all mail to them is stopped for a reason
    that does not yield to the reader's own asking.
    """
    forms = {address: _forms(host, address) for address in addresses}
    asked = sorted({form for of_one in forms.values() for form in of_one if form.isprintable()})
    if not asked:
        return set()
    stops = (
        Suppression.scope == SuppressionScope.ALL_BUT_TRANSACTIONAL.value,
        Suppression.reason.in_(LASTING),
        in_force(host.clock()),
    )
    columns: list[Any] = [Suppression.address, Suppression.address_hash]
    found = union_all(*(select(column).where(one_of(column, asked), *stops) for column in columns))
    stopped = set(host.session.scalars(found))
    return {address for address, of_one in forms.items() if of_one & stopped}


def _forms(host: Host, address: str) -> set[str]:
    """Everything that a stop may name the address by."""
    return {*spellings(address), *address_hashes(host.config, address)}
