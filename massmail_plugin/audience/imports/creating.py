"""People of a file whom the host does not know become its contacts, where the host has a function for that. Flushes."""

import json
from collections.abc import Sequence
from itertools import islice
from typing import Any

from massmail_plugin.audience.imports.staging import own_addresses
from massmail_plugin.consent.stops.known_by_hash import stopped_by_hash
from massmail_plugin.contracts import ContactRef, ContactSource, Host, NewContact
from massmail_plugin.errors import BadRequest

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
        erased = stopped_by_hash(host, [address for _, address, _ in batch])
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
