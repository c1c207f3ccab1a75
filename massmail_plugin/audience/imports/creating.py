"""People of a file whom the host does not know become its contacts, where the host has a function for that. Flushes."""

import json
from collections.abc import Sequence
from itertools import islice
from typing import Any

from sqlalchemy import select

from massmail_plugin.audience.imports.staging import own_addresses
from massmail_plugin.consent.stops.address_hashes import address_hashes
from massmail_plugin.contracts import ContactRef, ContactSource, Host, NewContact
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Suppression
from massmail_plugin.portable_sql import one_of

BATCH = 500


def create(host: Host, source: ContactSource, people: Sequence[Any], *, origin: str) -> dict[int, ContactRef]:
    """Number of the row -> contact, for those the host made one for; `people` are (number, address, JSON of values).

    Nobody is made who was erased on request. Raises BadRequest where the host's function answers out of turn.
    """
    make = host.hooks.create_contact
    if make is None:
        return {}
    role = own_addresses(source)[0].role
    made: dict[int, ContactRef] = {}
    waiting = iter(people)
    while batch := list(islice(waiting, BATCH)):
        erased = _erased(host, [address for _, address, _ in batch])
        new = [(number, address, values) for number, address, values in batch if address not in erased]
        asked = [
            NewContact(
                source=source.source_name,
                address=address,
                role=role,
                values=json.loads(values) if values else {},
                origin=origin,
            )
            for _, address, values in new
        ]
        keys = list(make(asked)) if asked else []
        if len(keys) != len(asked):
            raise BadRequest(
                f"The application’s create_contact answered with {len(keys)} keys for {len(asked)} people. It must "
                "give one for each, in the same order."
            )
        host.session.flush()
        made |= {
            number: ContactRef(source.source_name, str(key))
            for (number, _, _), key in zip(new, keys, strict=True)
            if key is not None
        }
    return made


def _erased(host: Host, addresses: Sequence[str]) -> set[str]:
    if host.session.scalar(select(Suppression.id).where(Suppression.address_hash.is_not(None)).limit(1)) is None:
        return set()
    marks = {mark: address for address in addresses for mark in address_hashes(host.config, address)}
    found = host.session.scalars(select(Suppression.address_hash).where(one_of(Suppression.address_hash, list(marks))))
    return {marks[mark] for mark in found if mark is not None}
