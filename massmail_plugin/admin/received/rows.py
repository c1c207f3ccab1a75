"""What the screen of received mails and events reads: rows that fit a search, how many there are, where they came from.

Views enter; only reads.
"""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, true

from massmail_plugin import audience
from massmail_plugin.consent.addresses import normalised
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import EventFeed, Mailbox, Mailing, OutboxMessage, Received
from massmail_plugin.vocabulary import ReceivedState


class Asked(NamedTuple):
    """What a visitor wants to see."""

    state: str = ""
    origin: str = ""
    message: int | None = None
    text: str = ""


def rows(host: Host, asked: Asked) -> Select[Any]:
    """Received, the newest first, without their bytes; nothing about contacts the viewer may not see."""
    query = select(Received).where(seen(host)).order_by(Received.id.desc())
    if asked.state in set(ReceivedState):
        query = query.where(Received.state == asked.state)
    if asked.origin:
        query = query.where(Received.origin == asked.origin)
    if asked.message is not None:
        query = query.where(Received.message_id == asked.message)
    if asked.text:
        query = query.where(func.lower(Received.address).contains(normalised(asked.text), autoescape=True))
    return query


def seen(host: Host) -> ColumnElement[bool]:
    """Whether something received may be shown: it belongs to no mail of ours, or to a contact within the limits."""
    if not audience.limited(host):
        return true()
    allowed = audience.visible_rows(host, OutboxMessage.contact_source, OutboxMessage.contact_key)
    return or_(Received.message_id.is_(None), exists().where(OutboxMessage.id == Received.message_id, allowed))


def counts(host: Host) -> dict[str, int]:
    """Rows of each state, in the order of the vocabulary."""
    query = select(Received.state, func.count()).group_by(Received.state)
    counted = dict(host.session.execute(query).all())
    return {state.value: counted.get(state, 0) for state in ReceivedState}


def origins(host: Host) -> dict[str, str]:
    """Where things come from, in words; what was deleted since is missing."""
    mailboxes = {f"mailbox:{row.id}": row.name for row in host.session.execute(select(Mailbox.id, Mailbox.name))}
    feeds = {f"feed:{row.id}": row.name for row in host.session.execute(select(EventFeed.id, EventFeed.name))}
    return mailboxes | feeds | {"file": "a file"}


class Ours(NamedTuple):
    """The mail of ours that something speaks of."""

    message: OutboxMessage
    mailing: Mailing
    contact: ContactRef


def ours(host: Host, received: Received) -> Ours | None:
    """None where it speaks of none, or of one that is not kept any more."""
    message = host.session.get(OutboxMessage, received.message_id) if received.message_id else None
    mailing = host.session.get(Mailing, message.mailing_id) if message else None
    if message is None or mailing is None:
        return None
    return Ours(message, mailing, ContactRef(message.contact_source, message.contact_key))
