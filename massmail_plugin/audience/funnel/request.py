"""What is asked of an audience, as a value. Commits nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select

from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import Address, ContactSource
from massmail_plugin.errors import BadRequest, nearest
from massmail_plugin.vocabulary import Channel


@dataclass(frozen=True)
class Lately:
    """Mail that counts for the resend window: of these mailings, since then (None: ever)."""

    mailing_ids: Sequence[int]
    since: datetime | None = None


@dataclass(frozen=True)
class AudienceRequest:
    """Who is asked for: contacts of a source on any of the lists, within a criterion's rule, at these address roles.

    `roles` empty means every e-mail role; their order is the order of preference. `one_per_address` False lets two
    contacts with one address get a message each. `only` narrows to the key texts a SELECT gives. Whoever is on one of
    `excluded_list_ids` is left out, and whoever has a status of the host that is not among `statuses` (empty: any).
    `topic_ids` are topics besides those of the lists, which a stop may name. `mailing_id` is the mailing that asks: its
    own mails do not count where somebody wants fewer.
    """

    source_name: str
    list_ids: Sequence[int]
    rule: Any = None
    roles: Sequence[str] = ()
    one_per_address: bool = True
    only: Select[Any] | None = None
    excluded_list_ids: Sequence[int] = ()
    statuses: Sequence[str] = ()
    lately: Lately | None = None
    topic_ids: Sequence[int] = ()
    mailing_id: int | None = None


def addresses_of(source: ContactSource, request: AudienceRequest) -> list[Address]:
    """The addresses a request asks for, in its order, as columns or expressions over the contact's class.

    Raises BadRequest for a role the source does not have.
    """
    known = {one.role: one for one in register(source).addresses}
    roles = request.roles or [one.role for one in register(source).roles(Channel.EMAIL)]
    strange = next((role for role in roles if role not in known), None)
    if strange is not None:
        raise BadRequest(f"The contacts have no address called “{strange}”. {nearest(strange, known)}")
    if not roles:
        raise BadRequest(f"The contacts of “{source.source_name}” have no e-mail address. Choose another source.")
    return [known[role] for role in dict.fromkeys(roles)]
