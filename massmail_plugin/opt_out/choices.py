"""What a recipient may choose, and how they have chosen: lists by topic, how often, a break. Reads only."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import ColumnElement, and_, exists, or_, select

from massmail_plugin.audience.lists_of import lists_of
from massmail_plugin.consent.stops import frequency
from massmail_plugin.consent.stops.suppression import WISHES, in_force
from massmail_plugin.consent.wishes import pauses
from massmail_plugin.consent.wishes.opt_outs import of_contact
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import List, Subscription, Suppression, Topic
from massmail_plugin.vocabulary import SuppressionScope


@dataclass(frozen=True)
class ListChoice:
    """A list on the page of choices."""

    list_id: int
    title: str
    description: str
    on: bool
    """Its mails go to the contact, unless they stopped everything or take a break."""


@dataclass(frozen=True)
class TopicChoice:
    """The lists of one topic; those of none come under the id None and without a title."""

    topic_id: int | None
    title: str
    description: str
    lists: tuple[ListChoice, ...]


@dataclass(frozen=True)
class Wanted:
    """What somebody chose, or how things stand."""

    list_ids: frozenset[int] = frozenset()
    stopped_topic_ids: frozenset[int] = frozenset()
    days: int | None = 0
    """At most one mail in so many days; 0 means every mail, None what holds already."""
    pause: str = ""
    """"keep" what there is, a number of months from now on, or nothing: no break."""


def offered(host: Host, contact: ContactRef, language: str, on: Collection[int]) -> tuple[TopicChoice, ...]:
    """Every active list that the contact is on (`on`), was on, or that anybody may sign up for; in their language."""
    theirs = exists().where(
        Subscription.list_id == List.id,
        Subscription.contact_source == contact.source,
        Subscription.contact_key == contact.key,
    )
    lists = host.session.scalars(select(List).where(List.active, or_(theirs, List.sign_up, List.id.in_(on)))).all()
    by_topic = sorted(lists, key=lambda one: (_place(one.topic, language), one.title_in(language).lower(), one.id))
    return tuple(
        _topic_choice(list(group), language, on) for _, group in groupby(by_topic, key=lambda one: one.topic_id)
    )


def _place(topic: Topic | None, language: str) -> tuple[bool, str, int]:
    """Lists without a topic come last."""
    return (topic is None, topic.title_in(language).lower() if topic else "", topic.id if topic else 0)


def _topic_choice(lists: list[List], language: str, on: Collection[int]) -> TopicChoice:
    topic = lists[0].topic
    return TopicChoice(
        topic.id if topic else None,
        topic.title_in(language) if topic else "",
        topic.description_in(language) if topic else "",
        tuple(ListChoice(one.id, one.title_in(language), one.description_in(language), one.id in on) for one in lists),
    )


def lists_on(host: Host, contact: ContactRef) -> set[int]:
    """The lists whose mails go to the contact as far as lists and topics are concerned."""
    on = lists_of(host, contact)
    stopped = select(List.id).where(
        List.id.in_(on),
        exists().where(_wishes(host, contact), or_(_of_list(), _of_topic())),
    )
    return on - set(host.session.scalars(stopped))


def stopped_topics(host: Host, contact: ContactRef) -> frozenset[int]:
    """Topics the contact wants nothing about."""
    found = select(Suppression.topic_id).where(
        _wishes(host, contact), Suppression.scope == SuppressionScope.TOPIC, Suppression.topic_id.is_not(None)
    )
    return frozenset(topic_id for topic_id in host.session.scalars(found) if topic_id is not None)


def is_held(host: Host, address: str) -> bool:
    """Whether nothing goes to an address (normalised) for a reason that the contact did not choose."""
    held = exists().where(
        Suppression.address == address,
        Suppression.scope == SuppressionScope.ALL_BUT_TRANSACTIONAL,
        Suppression.reason.not_in(WISHES),
        in_force(host.clock()),
    )
    return bool(address) and bool(host.session.scalar(select(held)))


def standing(host: Host, contact: ContactRef, on: Collection[int], *, everything: bool) -> Wanted:
    """How things stand, as a choice; `on` are the lists the contact is on, `everything` whether they stopped all."""
    return Wanted(
        frozenset() if everything else frozenset(on),
        stopped_topics(host, contact),
        frequency.wanted_days(host, contact) or 0,
        "keep" if pauses.paused_until(host, contact) else "",
    )


def _wishes(host: Host, contact: ContactRef) -> ColumnElement[bool]:
    return and_(*of_contact(contact), Suppression.reason.in_(WISHES), in_force(host.clock()))


def _of_list() -> ColumnElement[bool]:
    return and_(Suppression.scope == SuppressionScope.LIST, Suppression.list_id == List.id)


def _of_topic() -> ColumnElement[bool]:
    return and_(Suppression.scope == SuppressionScope.TOPIC, Suppression.topic_id == List.topic_id)
