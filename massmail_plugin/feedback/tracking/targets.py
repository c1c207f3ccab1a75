"""Where the links of a mailing lead. They never change once it was launched, so each process reads them once.

Public enters, and the drain; nothing is committed here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import select, tuple_

from massmail_plugin.audience.contacts.values import values
from massmail_plugin.composing.rendering import render_target
from massmail_plugin.composing.values import values_for
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadLink, ForgottenMail, MassMailError, NoWebPage
from massmail_plugin.models import Link, Mailing, OutboxMessage, PastMessage, PreparedMessage
from massmail_plugin.signed_links import Linked

REMEMBERED = 20_000
"""Links that a process keeps in mind."""
LARGEST_NUMBER = 2**31 - 1

Key = tuple[int, int]
"""Mailing, and number of the link in it."""


@dataclass(frozen=True, slots=True)
class StoredLink:
    """A link of a mailing. `url` is where it leads for everybody; None where that is each recipient's own."""

    id: int
    target: str
    url: str | None


_remembered: WeakKeyDictionary[Host, dict[Key, StoredLink]] = WeakKeyDictionary()


def stored_links(host: Host, keys: Collection[Key]) -> dict[Key, StoredLink]:
    """The links that are there of those asked for; the database is asked for new ones only."""
    known = _remembered.setdefault(host, {})
    unknown = [key for key in keys if key not in known]
    if unknown:
        if len(known) > REMEMBERED:
            known.clear()
        query = select(Link.mailing_id, Link.number, Link.id, Link.target)
        for mailing_id, number, link_id, target in host.session.execute(
            query.where(tuple_(Link.mailing_id, Link.number).in_(unknown))
        ):
            known[mailing_id, number] = StoredLink(link_id, target, _same_for_all(target))
    return {key: known[key] for key in keys if key in known}


def destination(host: Host, mail: Linked, number: int) -> str:
    """The web address link `number` of a mail leads to, by what is stored alone. Reads only.

    Raises BadLink where there is no such link, or where it leads to anything but a web page.
    """
    mailing_id = mail.mailing_id or _mailing_of(host, mail.message_id)
    link = _remembered.get(host, {}).get((mailing_id, number)) or _stored(host, mailing_id, number)
    return link.url or _target(link.target, _values(host, mail.message_id))


def known_destination(host: Host, mail: Linked, number: int) -> str | None:
    """Where a link leads, if that is the same for everybody and known in this process. Asks nothing and nobody."""
    link = _remembered.get(host, {}).get((mail.mailing_id or 0, number))
    return link.url if link else None


def _stored(host: Host, mailing_id: int, number: int) -> StoredLink:
    found = stored_links(host, [(mailing_id, number)]) if number <= LARGEST_NUMBER else {}
    if not found:
        raise NoWebPage("There is no such link in the mail.")
    return found[mailing_id, number]


def _mailing_of(host: Host, message_id: int) -> int:
    """For tokens that do not say so themselves."""
    return _message(host, message_id).mailing_id


def _message(host: Host, message_id: int) -> OutboxMessage | PastMessage:
    """The row, or what stays of it when its age deletes it."""
    message = host.session.get(OutboxMessage, message_id) or host.session.get(PastMessage, message_id)
    if message is None:
        raise ForgottenMail("The mail this link was in is not known here any more.")
    return message


def _same_for_all(target: str) -> str | None:
    try:
        return None if "{" in target else _target(target, {})
    except BadLink:
        return None


def _target(target: str, contact: Mapping[str, Any]) -> str:
    try:
        return render_target(target, contact)
    except (MassMailError, ValueError):
        raise NoWebPage("This link does not lead to a web page.") from None


def _values(host: Host, message_id: int) -> Mapping[str, Any]:
    """The recipient's values of today, for links into which the author put fields. Raises BadLink."""
    message = _message(host, message_id)
    mailing = host.session.get_one(Mailing, message.mailing_id)
    prepared = host.session.get(PreparedMessage, mailing.id)
    found = values(host, host.source(message.contact_source), [message.contact_key])
    return values_for(
        host,
        contact=found.get(message.contact_key, {}),
        sender_name=prepared.from_name if prepared else "",
        sender_address=prepared.from_address if prepared else "",
        mailing_name=mailing.name,
        topic=mailing.template.topic_title if mailing.template else "",
    )
