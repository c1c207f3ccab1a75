"""Who is on a list, since when and how we know. Sets of any size by SQL alone; flushes, the door commits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select

from massmail_plugin.consent.contact_keys import has_key, key_text
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.subscriptions.changes import Change
from massmail_plugin.consent.subscriptions.tallies import list_counts
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
    proof: Proof,
    again: bool = False,
) -> Counts:
    """Put contacts on a list; those the host does not know are passed over. See `subscribe_selected`."""
    counts = Counts()
    for source_name, keys in _batches(contacts):
        source = host.source(source_name)
        wanted = select(key_text(source)).select_from(source.model).where(has_key(source, keys))
        counts += subscribe_selected(host, list_, source, wanted, proof=proof, again=again)
    return counts


def subscribe_selected(
    host: Host,
    list_: List,
    source: ContactSource,
    keys: Select[Any],
    *,
    proof: Proof,
    again: bool = False,
) -> Counts:
    """Put all contacts on a list whose key text `keys` selects, in a few statements however many they are.

    Who unsubscribed from it or opted out of everything stays out and is counted as `kept_out`, unless `again` says
    that they themselves asked to come back. Every change is written to the history.
    """
    host.session.flush()
    _one_at_a_time(host, list_)
    counts = would_subscribe(host, list_, source, keys, again=again)
    change = Change(host=host, source=source.source_name, proof=proof, at=host.clock())
    wanted = keys.subquery("wanted")
    key: ColumnElement[str] = next(iter(wanted.c))
    if again:
        on_this = Subscription.contact_key.in_(select(key))
        change.move(on_this, SubscriptionState.SUBSCRIBED, list_ids=[list_.id])
    fresh = ~exists().where(_standing(list_, source.source_name, key))
    willing = fresh if again else and_(fresh, ~_opted_out_of_everything(source.source_name, key))
    return replace(counts, new=change.add(list_.id, select(key).where(willing).distinct()))


def would_subscribe(
    host: Host, list_: List, source: ContactSource, keys: Select[Any], *, again: bool = False
) -> Counts:
    """What `subscribe_selected` would do, in one query; changes nothing."""
    already, left, willing, fresh = _standing_now(host, list_, source, keys)
    if again:
        return Counts(new=fresh, already=already, back=left)
    return Counts(new=willing, already=already, kept_out=left + fresh - willing)


def unsubscribe(host: Host, list_: List, contacts: Iterable[ContactRef], *, proof: Proof) -> int:
    """Take contacts off a list; gives the number of those who were on it. Adding them later keeps them out.

    From a list that a criterion keeps, contacts without a row of their own are taken off too: it finds them no more.
    """
    host.session.flush()
    number = 0
    for source_name, keys in _batches(contacts):
        change = Change(host=host, source=source_name, proof=proof, at=host.clock())
        if list_.criterion_id is not None:
            source = host.source(source_name)
            there = select(key_text(source)).select_from(source.model).where(has_key(source, keys))
            number += _keep_off(change, list_, there)
        on_this = Subscription.contact_key.in_(keys)
        number += change.move(on_this, SubscriptionState.UNSUBSCRIBED, list_ids=[list_.id])
    return number


def unsubscribe_selected(host: Host, list_: List, source: ContactSource, keys: Select[Any], *, proof: Proof) -> int:
    """`unsubscribe` for all contacts whose key text `keys` selects, in a few statements."""
    host.session.flush()
    change = Change(host=host, source=source.source_name, proof=proof, at=host.clock())
    kept_off = _keep_off(change, list_, keys) if list_.criterion_id is not None else 0
    gone = Subscription.contact_key.in_(keys)
    return kept_off + change.move(gone, SubscriptionState.UNSUBSCRIBED, list_ids=[list_.id])


def would_unsubscribe(host: Host, list_: List, source: ContactSource, keys: Select[Any]) -> Counts:
    """What `unsubscribe_selected` would do: `new` would be taken off, `already` are not on it. Changes nothing."""
    on_it, left, _, fresh = _standing_now(host, list_, source, keys)
    found_too = fresh if list_.criterion_id is not None else 0
    return Counts(new=on_it + found_too, already=left + fresh - found_too)


def _standing_now(host: Host, list_: List, source: ContactSource, keys: Select[Any]) -> tuple[int, int, int, int]:
    """How many are on the list, left it, may be added, and have no row at all, opted out or not. One query."""
    wanted = keys.distinct().subquery("wanted")
    key: ColumnElement[str] = next(iter(wanted.c))
    state, nothing = Subscription.state, Subscription.id.is_(None)
    kinds = (
        state == SubscriptionState.SUBSCRIBED,
        state == SubscriptionState.UNSUBSCRIBED,
        and_(nothing, ~_opted_out_of_everything(source.source_name, key)),
        nothing,
    )
    asked = select(*(func.count().filter(kind) for kind in kinds)).select_from(wanted)
    row = host.session.execute(asked.outerjoin(Subscription, _standing(list_, source.source_name, key))).one()
    on_it, left, willing, fresh = (int(number) for number in row)
    return on_it, left, willing, fresh


def _keep_off(change: Change, list_: List, keys: Select[Any]) -> int:
    """A row that says no, for those who have none yet."""
    key: ColumnElement[str] = next(iter(keys.subquery("unwanted").c))
    there = exists().where(_standing(list_, change.source, key))
    return change.add(list_.id, select(key).where(~there).distinct(), SubscriptionState.UNSUBSCRIBED)


def subscriber_count(host: Host, list_: List) -> int:
    """How many contacts subscribed to the list, or were put on it."""
    return list_counts(host, [list_.id])[list_.id][SubscriptionState.SUBSCRIBED]


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
