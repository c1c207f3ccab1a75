"""The one act of opting out, and taking it back. Flushes; the door commits; the host's hooks hear of it afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, literal, or_, select

from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.released import let_go
from massmail_plugin.consent.subscriptions.changes import Change
from massmail_plugin.consent.wishes.opt_outs import Wide, of_contact, opted_out_of
from massmail_plugin.consent.wishes.telling import tell_of, tell_of_list
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import List, Subscription, Suppression
from massmail_plugin.vocabulary import SubscriptionState, SuppressionReason, SuppressionScope


@dataclass(frozen=True)
class Withdrawal:
    """An opt-out that was carried out: of `everything`, of a topic (`topic_id`) or of lists; and the lists it closed.

    `changed` is False where it was so already.
    """

    contact: ContactRef
    everything: bool
    list_ids: tuple[int, ...]
    changed: bool
    at: datetime
    topic_id: int | None = None


def withdraw(
    host: Host, contact: ContactRef, *, list_ids: Sequence[int] | None, topic_id: int | None = None, proof: Proof
) -> Withdrawal:
    """Carry out a contact's wish to get no more mail: of these lists; with None of the topic, else of every mailing.

    Saying it twice changes nothing. Also a contact who was on none of the lists is kept off them from now on.
    """
    host.session.flush()
    change = _change(host, contact, proof)
    if list_ids is None:
        return _withdraw_from(change, contact, Wide(topic_id))
    change.hold(and_(Subscription.contact_key == contact.key, Subscription.list_id.in_(list_ids)))
    closed = [list_ for list_ in _lists(host, list_ids) if _set(change, contact, list_, SubscriptionState.UNSUBSCRIBED)]
    note_leaving(change, list_ids, Subscription.contact_key == contact.key)
    for list_ in closed:
        tell_of_list(change, contact, list_, subscribed=False)
    return Withdrawal(contact, False, tuple(list_.id for list_ in closed), bool(closed), change.at)


def take_back(
    host: Host,
    contact: ContactRef,
    *,
    withdrawal: Withdrawal | None = None,
    list_ids: Sequence[int] | None = None,
    topic_id: int | None = None,
    proof: Proof,
) -> bool:
    """The undo: the contact wants mail again; True where that changed something.

    With lists, they are on these lists again, also on one they never were on; an opt-out from everything or from a
    topic stays. Without (or with a Withdrawal from a topic or everything), mail of the topic, or all mail, is allowed
    again and the subscriptions which that withdrawal closed are open.
    """
    host.session.flush()
    change = _change(host, contact, proof)
    if withdrawal is not None:
        wide = withdrawal.everything or withdrawal.topic_id is not None
        list_ids, topic_id = None if wide else withdrawal.list_ids, withdrawal.topic_id
    if list_ids is None:
        return _take_back(change, contact, Wide(topic_id))
    opened = open_lists(change, contact, list_ids)
    return bool(opened)


def open_lists(change: Change, contact: ContactRef, list_ids: Sequence[int]) -> list[List]:
    """Put the contact on these lists and tell the host of it; gives those that were news."""
    host = change.host
    lists = _lists(host, list_ids)
    of_one_list = and_(Suppression.reason == SuppressionReason.OPT_OUT.value, *of_contact(contact))
    of_these = and_(Suppression.scope == SuppressionScope.LIST.value, Suppression.list_id.in_(list_ids))
    freed = let_go(host, and_(of_one_list, of_these), by=change.proof.by, note=change.proof.evidence)
    opened = [list_ for list_ in lists if _set(change, contact, list_, SubscriptionState.SUBSCRIBED)]
    for list_ in lists if freed else opened:
        tell_of_list(change, contact, list_, subscribed=True)
    return lists if freed else opened


def note_leaving(change: Change, list_ids: Sequence[int], whose: ColumnElement[bool]) -> None:
    """Lists that a wider opt-out closed are left now for their own sake: taking that one back does not open them."""
    topics = change.host.session.scalars(select(List.topic_id).where(List.id.in_(list_ids)).distinct())
    by_wider = [Wide(topic_id).closed_by_it(now=change.at) for topic_id in {None, *topics}]
    off = Subscription.state == SubscriptionState.UNSUBSCRIBED.value
    left = and_(Subscription.list_id.in_(list_ids), off, whose, or_(*by_wider))
    change.say_again(left, SubscriptionState.UNSUBSCRIBED)


def _change(host: Host, contact: ContactRef, proof: Proof) -> Change:
    return Change(host=host, source=contact.source, proof=proof, at=host.clock())


def _withdraw_from(change: Change, contact: ContactRef, wide: Wide) -> Withdrawal:
    """The stop and what it closes carry the same time: that is how taking it back finds the subscriptions."""
    within = and_(wide.subscriptions(), Subscription.contact_key == contact.key)
    change.hold(within)
    closing = _subscribed(change, within)
    changed = bool(closing) or not _stands(change.host, contact, wide)
    if changed:
        _stop(change, contact, wide)
        change.move(within, SubscriptionState.UNSUBSCRIBED, list_ids=closing)
        tell_of(change, contact, wide, subscribed=False)
    return Withdrawal(contact, wide.topic_id is None, closing, changed, change.at, wide.topic_id)


def _stands(host: Host, contact: ContactRef, wide: Wide) -> bool:
    """Whether they opted out of just this already. What somebody takes back at this moment stands no more."""
    found = select(Suppression.id).where(wide.stops(), *of_contact(contact)).limit(1)
    return host.session.scalar(found.with_for_update(read=True, skip_locked=True)) is not None


def _stop(change: Change, contact: ContactRef, wide: Wide) -> None:
    """A row of its own each time: what came in between was closed by this one."""
    proof = change.proof
    change.host.session.add(
        Suppression(
            contact_source=contact.source,
            contact_key=contact.key,
            scope=wide.scope.value,
            topic_id=wide.topic_id,
            reason=SuppressionReason.OPT_OUT.value,
            way=str(proof.way),
            note=proof.evidence,
            created_at=change.at,
            created_by=proof.by[:200],
            message_id=proof.message_id,
        )
    )
    change.host.session.flush()


def _take_back(change: Change, contact: ContactRef, wide: Wide) -> bool:
    if not opted_out_of(change.host, contact, wide):
        return False
    change.move(
        and_(Subscription.contact_key == contact.key, wide.closed_by_it(now=change.at)), SubscriptionState.SUBSCRIBED
    )
    theirs = and_(wide.stops(), *of_contact(contact))
    let_go(change.host, theirs, by=change.proof.by, note=change.proof.evidence)
    tell_of(change, contact, wide, subscribed=True)
    return True


def _set(change: Change, contact: ContactRef, list_: List, state: SubscriptionState) -> bool:
    of_list = and_(Subscription.list_id == list_.id, Subscription.contact_key == contact.key)
    there = exists().where(of_list, Subscription.contact_source == contact.source)
    # Added first: where somebody else adds the contact at this moment, it is their row that is moved then.
    added = change.add(list_.id, select(literal(contact.key)).where(~there), state)
    return bool(change.move(of_list, state, list_ids=[list_.id]) or added)


def _subscribed(change: Change, within: ColumnElement[bool]) -> tuple[int, ...]:
    on = Subscription.contact_source == change.source, Subscription.state == SubscriptionState.SUBSCRIBED.value
    return tuple(
        change.host.session.scalars(select(Subscription.list_id).where(*on, within).order_by(Subscription.list_id))
    )


def _lists(host: Host, list_ids: Sequence[int]) -> list[List]:
    return list(host.session.scalars(select(List).where(List.id.in_(list_ids)).order_by(List.id)))
