"""Who is on a list, since when and how we know. Sets of any size by SQL alone; flushes, the door commits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from massmail_plugin.consent.changes import Change
from massmail_plugin.consent.contact_keys import has_key, key_text
from massmail_plugin.contracts import ContactRef, ContactSource, Host
from massmail_plugin.models import List, Subscription, Suppression
from massmail_plugin.vocabulary import SubscriptionState, SuppressionReason, SuppressionScope

BATCH = 1000


@dataclass(frozen=True)
class Counts:
    """What adding did: `new` on the list, `already` on it, `back` again, `kept_out` because they had opted out."""

    new: int = 0
    already: int = 0
    back: int = 0
    kept_out: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.new + other.new, self.already + other.already, self.back + other.back, self.kept_out + other.kept_out
        )


def subscribe(
    host: Host,
    list_: List,
    contacts: Iterable[ContactRef],
    *,
    evidence: str,
    again: bool = False,
    message_id: int | None = None,
) -> Counts:
    """Put contacts on a list; those the host does not know are passed over. See `subscribe_selected`."""
    counts = Counts()
    for source_name, keys in _batches(contacts):
        source = host.source(source_name)
        wanted = select(key_text(source)).select_from(source.model).where(has_key(source, keys))
        counts += subscribe_selected(host, list_, source, wanted, evidence=evidence, again=again, message_id=message_id)
    return counts


def subscribe_selected(
    host: Host,
    list_: List,
    source: ContactSource,
    keys: Select[Any],
    *,
    evidence: str,
    again: bool = False,
    message_id: int | None = None,
) -> Counts:
    """Put all contacts on a list whose key text `keys` selects, in a few statements however many they are.

    Who unsubscribed from it or opted out of everything stays out and is counted as `kept_out`, unless `again` says
    that they themselves asked to come back. Every change is written to the history.
    """
    host.session.flush()
    _one_at_a_time(host, list_)
    change = Change(host=host, source=source.source_name, evidence=evidence, message_id=message_id, at=host.clock())
    wanted = keys.subquery("wanted")
    key: ColumnElement[str] = next(iter(wanted.c))
    on_list = _standing(list_, source.source_name, key)
    on_this = and_(_of_list(list_), Subscription.contact_key.in_(select(key)))
    back = change.move(on_this, SubscriptionState.SUBSCRIBED) if again else 0
    already = _distinct(host, key, exists().where(on_list, Subscription.state == SubscriptionState.SUBSCRIBED)) - back
    unwilling = _opted_out_of_everything(source.source_name, key)
    left = exists().where(on_list, Subscription.state == SubscriptionState.UNSUBSCRIBED)
    fresh = ~exists().where(on_list)
    kept_out = 0 if again else _distinct(host, key, or_(left, and_(fresh, unwilling)))
    new = change.add(list_.id, select(key).where(fresh if again else and_(fresh, ~unwilling)).distinct())
    return Counts(new, already, back, kept_out)


def unsubscribe(
    host: Host, list_: List, contacts: Iterable[ContactRef], *, evidence: str, message_id: int | None = None
) -> int:
    """Take contacts off a list; gives the number of those who were on it. Adding them later keeps them out."""
    host.session.flush()
    return sum(
        Change(host=host, source=source_name, evidence=evidence, message_id=message_id, at=host.clock()).move(
            and_(_of_list(list_), Subscription.contact_key.in_(keys)), SubscriptionState.UNSUBSCRIBED
        )
        for source_name, keys in _batches(contacts)
    )


def unsubscribe_selected(host: Host, list_: List, source: ContactSource, keys: Select[Any], *, evidence: str) -> int:
    """`unsubscribe` for all contacts whose key text `keys` selects, in two statements."""
    host.session.flush()
    change = Change(host=host, source=source.source_name, evidence=evidence, message_id=None, at=host.clock())
    return change.move(and_(_of_list(list_), Subscription.contact_key.in_(keys)), SubscriptionState.UNSUBSCRIBED)


def subscriber_count(host: Host, list_: List) -> int:
    """How many contacts are on the list."""
    on_it = and_(_of_list(list_), Subscription.state == SubscriptionState.SUBSCRIBED)
    return host.session.scalar(select(func.count()).select_from(Subscription).where(on_it)) or 0


def _batches(contacts: Iterable[ContactRef]) -> Iterator[tuple[str, list[str]]]:
    waiting = iter(contacts)
    while batch := sorted(islice(waiting, BATCH)):
        for source_name, refs in groupby(batch, key=lambda ref: ref.source):
            yield source_name, [ref.key for ref in refs if ref.key.isprintable()]


def _one_at_a_time(host: Host, list_: List) -> None:
    """Two sets added to one list at once would count, and write into the history, the same contacts twice."""
    host.session.execute(select(List.id).where(List.id == list_.id).with_for_update(key_share=True))


def _of_list(list_: List) -> ColumnElement[bool]:
    return Subscription.list_id == list_.id


def _standing(list_: List, source_name: str, key: ColumnElement[str]) -> ColumnElement[bool]:
    return and_(_of_list(list_), Subscription.contact_source == source_name, Subscription.contact_key == key)


def _opted_out_of_everything(source_name: str, key: ColumnElement[str]) -> ColumnElement[bool]:
    return exists().where(
        Suppression.contact_source == source_name,
        Suppression.contact_key == key,
        Suppression.reason == SuppressionReason.OPT_OUT,
        Suppression.scope == SuppressionScope.ALL_BUT_TRANSACTIONAL,
    )


def _distinct(host: Host, key: ColumnElement[str], where: ColumnElement[bool]) -> int:
    return host.session.scalar(select(func.count(key.distinct())).where(where)) or 0
