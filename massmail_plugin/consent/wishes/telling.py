"""Tells the host of wishes that changed: after the commit, as long as they still hold, and never in a circle."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from sqlalchemy import select

from massmail_plugin.consent.notices import after_commit
from massmail_plugin.consent.subscriptions.changes import Change
from massmail_plugin.consent.wishes.opt_outs import Wide, opted_out_of
from massmail_plugin.contracts import ContactRef, Host, PreferenceFact
from massmail_plugin.models import List, Subscription, Topic
from massmail_plugin.vocabulary import SubscriptionState

log = logging.getLogger(__name__)

Hook = Callable[[PreferenceFact], None]
_Place = List | Topic | None
"""A list, a topic, or every mailing."""

_being_told: ContextVar[ContactRef | None] = ContextVar("contact whose wish the host is being told of", default=None)


def tell_of_list(change: Change, contact: ContactRef, list_: List, *, subscribed: bool) -> None:
    """The contact joined or left a list."""
    _tell(change.host, [_fact(change, contact, list_, subscribed=subscribed)])


def tell_of(change: Change, contact: ContactRef, wide: Wide, *, subscribed: bool) -> None:
    """The contact opted out of a topic or of everything, or took that back."""
    _tell(change.host, [_fact(change, contact, _topic(change.host, wide.topic_id), subscribed=subscribed)])


def tell_of_many(
    change: Change, keys: Sequence[str], list_ids: Sequence[int] | None, topic_id: int | None, *, subscribed: bool
) -> None:
    """All these contacts opted out of the lists (None: of the topic, else of everything), or took that back."""
    host = change.host
    places: Sequence[_Place] = [_topic(host, topic_id)]
    if list_ids is not None:
        places = host.session.scalars(select(List).where(List.id.in_(list_ids)).order_by(List.id)).all()
    contacts = (ContactRef(change.source, key) for key in keys)
    _tell(host, [_fact(change, one, place, subscribed=subscribed) for one in contacts for place in places])


def is_echo(contact: ContactRef) -> bool:
    """True while a function of the host is told of this contact's wish: what it then says of it is our own word.

    Whatever it writes meanwhile changes nothing here, so that two sides that tell each other come to rest.
    """
    return _being_told.get() == contact


def _topic(host: Host, topic_id: int | None) -> Topic | None:
    return host.session.get(Topic, topic_id) if topic_id is not None else None


def _fact(change: Change, contact: ContactRef, place: _Place, *, subscribed: bool) -> PreferenceFact:
    list_, topic = place if isinstance(place, List) else None, place if isinstance(place, Topic) else None
    return PreferenceFact(
        contact=contact,
        list_id=list_.id if list_ else None,
        list_name=list_.name if list_ else None,
        topic_id=topic.id if topic else None,
        topic_name=topic.name if topic else None,
        subscribed=subscribed,
        at=change.at,
        source=change.proof.evidence,
        way=change.proof.way,
    )


def _tell(host: Host, facts: Sequence[PreferenceFact]) -> None:
    for hook in host.hooks.on_preference_change:
        after_commit(host, partial(_told, host, hook, facts))


def _told(host: Host, hook: Hook, facts: Sequence[PreferenceFact]) -> None:
    """What is not so any more is not told: a later fact says what is. One that fails keeps no other from being told."""
    for fact in facts:
        try:
            if _holds(host, fact):
                _told_one(host, hook, fact)
        except Exception:
            host.session.rollback()
            log.exception("on_preference_change failed for contact %s of %s", fact.contact.key, fact.contact.source)


def _told_one(host: Host, hook: Hook, fact: PreferenceFact) -> None:
    """The host's rows are written within the call: what its own listeners then say to us is an echo too."""
    with _telling(fact.contact):
        hook(fact)
        host.session.commit()


@contextmanager
def _telling(contact: ContactRef) -> Iterator[None]:
    token = _being_told.set(contact)
    try:
        yield
    finally:
        _being_told.reset(token)


def _holds(host: Host, fact: PreferenceFact) -> bool:
    if fact.list_id is None:
        return opted_out_of(host, fact.contact, Wide(fact.topic_id)) != fact.subscribed
    state = SubscriptionState.SUBSCRIBED if fact.subscribed else SubscriptionState.UNSUBSCRIBED
    there = select(Subscription.id).where(
        Subscription.list_id == fact.list_id,
        Subscription.contact_source == fact.contact.source,
        Subscription.contact_key == fact.contact.key,
        Subscription.state == state.value,
    )
    return host.session.scalar(there) is not None
