"""What one contact got from us, did with it, and agreed to: for the record on the host's page. Nothing is committed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select

from massmail_plugin.consent.addresses import normalised
from massmail_plugin.consent.subscriptions.history import ConsentChange, changes_of
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import (
    Event,
    Link,
    List,
    Mailing,
    OutboxMessage,
    Subscription,
    Suppression,
)
from massmail_plugin.vocabulary import EventKind, MailingKind, SuppressionScope

CHANGES = 20


@dataclass(frozen=True)
class Click:
    """A link a contact followed, and when for the first time."""

    link: str
    at: datetime


@dataclass(frozen=True)
class Happening:
    """Something else that came back: its kind, when, what was said, and the received mail it was read from."""

    kind: str
    at: datetime
    detail: str
    received_id: int | None


@dataclass(frozen=True)
class Mail:
    """One mail to a contact, with what people (not programs) did with it."""

    message: OutboxMessage
    mailing_name: str
    read_at: datetime | None = None
    clicks: tuple[Click, ...] = ()
    other: tuple[Happening, ...] = ()
    """Answers, opt-outs, bounces, complaints and delays, in order of time."""


@dataclass(frozen=True)
class History:
    """A contact's mails (newest first), its lists, and what stops us from writing to it."""

    mails: tuple[Mail, ...]
    more: bool
    lists: Sequence[Subscription]
    changes: Sequence[ConsentChange]
    """To which lists it was added and which it left, the newest first, with what proves it."""
    stops: Sequence[Suppression]


@dataclass
class _Responses:
    read_at: datetime | None = None
    clicks: dict[str, Click] = field(default_factory=dict)
    other: list[Happening] = field(default_factory=list)


def history(host: Host, contact: ContactRef, *, limit: int = 20, before: int | None = None) -> History:
    """The newest `limit` mails of a contact (below the message `before`), tests left out; every list it is or was on;
    every stop that covers it.
    """
    own = OutboxMessage.contact_source == contact.source, OutboxMessage.contact_key == contact.key
    query = (
        select(OutboxMessage, Mailing.name)
        .join(Mailing, Mailing.id == OutboxMessage.mailing_id)
        .where(*own, Mailing.kind != MailingKind.TEST.value)
        .order_by(OutboxMessage.id.desc())
        .limit(limit + 1)
    )
    rows = host.session.execute(query if before is None else query.where(OutboxMessage.id < before)).all()
    shown = rows[:limit]
    responses = _responses(host, [message.id for message, _ in shown])
    mails = tuple(_mail(message, name, responses[message.id]) for message, name in shown)
    addresses = {message.address for message, _ in shown if message.address}
    stops = _stops(host, contact, addresses)
    changes = changes_of(host, contact, limit=CHANGES)
    return History(mails, len(rows) > limit, _lists(host, contact), changes, stops)


def _mail(message: OutboxMessage, name: str, found: _Responses) -> Mail:
    return Mail(message, name, found.read_at, tuple(found.clicks.values()), tuple(found.other))


def _responses(host: Host, message_ids: Sequence[int]) -> dict[int, _Responses]:
    query = (
        select(Event.message_id, Event.kind, Event.at, Event.detail, Event.received_id, Link.label, Link.target)
        .outerjoin(Link, Link.id == Event.link_id)
        .where(Event.message_id.in_(message_ids), Event.by_machine.is_(False))
        .order_by(Event.at, Event.id)
    )
    found: dict[int, _Responses] = defaultdict(_Responses)
    for message_id, kind, at, detail, received_id, label, target in host.session.execute(query):
        _note(found[message_id], Happening(kind, at, detail, received_id), label or target or "")
    return found


_READING = (EventKind.OPEN.value, EventKind.CLICK.value, EventKind.REPLY.value)


def _note(responses: _Responses, one: Happening, link: str) -> None:
    """Events come in order of time: the first of each is kept."""
    if one.kind in _READING:
        responses.read_at = responses.read_at or one.at
    if one.kind == EventKind.CLICK.value:
        responses.clicks.setdefault(link, Click(link, one.at))
    elif one.kind != EventKind.OPEN.value:
        responses.other.append(one)


def _lists(host: Host, contact: ContactRef) -> Sequence[Subscription]:
    query = (
        select(Subscription)
        .join(List, List.id == Subscription.list_id)
        .where(Subscription.contact_source == contact.source, Subscription.contact_key == contact.key)
        .order_by(List.name)
    )
    return host.session.scalars(query).all()


def _stops(host: Host, contact: ContactRef, addresses: set[str]) -> Sequence[Suppression]:
    """Suppressions of the contact, and of every mailing to an address it was written to at."""
    of_contact = (Suppression.contact_source == contact.source) & (Suppression.contact_key == contact.key)
    plain = [normalised(address) for address in addresses]
    of_address = Suppression.address.in_(plain) & (Suppression.scope == SuppressionScope.ALL_BUT_TRANSACTIONAL.value)
    return host.session.scalars(select(Suppression).where(or_(of_contact, of_address)).order_by(Suppression.id)).all()
