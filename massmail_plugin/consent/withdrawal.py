"""The one act of opting out, and taking it back. Flushes; the door commits; the host's hooks hear of it afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import and_, exists, literal, select

from massmail_plugin.consent.changes import Change
from massmail_plugin.consent.notices import after_commit
from massmail_plugin.consent.preferences import list_ids_of, opt_outs_of_everything, opted_out_of_everything
from massmail_plugin.consent.suppression import suppress
from massmail_plugin.contracts import ContactRef, Host, PreferenceFact
from massmail_plugin.models import List, Subscription, SubscriptionEvent
from massmail_plugin.vocabulary import SubscriptionState, SuppressionReason, SuppressionScope


@dataclass(frozen=True)
class Withdrawal:
    """An opt-out that was carried out: of `everything` or not, and the lists it closed.

    `changed` is False where it was so already.
    """

    contact: ContactRef
    everything: bool
    list_ids: tuple[int, ...]
    changed: bool
    at: datetime


def withdraw(
    host: Host,
    contact: ContactRef,
    *,
    list_ids: Sequence[int] | None,
    evidence: str,
    message_id: int | None = None,
) -> Withdrawal:
    """Carry out a contact's wish to get no more mail: of these lists, or with None of every list and mailing.

    Saying it twice changes nothing. Also a contact who was on none of the lists is kept off them from now on.
    """
    host.session.flush()
    if list_ids is None:
        return _withdraw_from_everything(host, contact, evidence, message_id)
    change = _change(host, contact, evidence, message_id)
    known = _lists(host, list_ids)
    closed = [list_ for list_ in known if _set(change, contact, list_, SubscriptionState.UNSUBSCRIBED)]
    _announce(change, contact, closed, subscribed=False)
    return Withdrawal(contact, False, tuple(list_.id for list_ in closed), bool(closed), change.at)


def take_back(
    host: Host,
    contact: ContactRef,
    *,
    withdrawal: Withdrawal | None = None,
    list_ids: Sequence[int] | None = None,
    evidence: str,
    message_id: int | None = None,
) -> bool:
    """The undo: the contact wants mail again; True where that changed something.

    With lists, they are on these lists again, also on one they never were on. Without (or with a Withdrawal from
    everything), mail to them is allowed again and the subscriptions which that withdrawal closed are open.
    """
    host.session.flush()
    change = _change(host, contact, evidence, message_id)
    if withdrawal is not None and not withdrawal.everything:
        list_ids = withdrawal.list_ids
    if list_ids is None:
        return _take_back_everything(change, contact)
    opened = [list_ for list_ in _lists(host, list_ids) if _set(change, contact, list_, SubscriptionState.SUBSCRIBED)]
    _announce(change, contact, opened, subscribed=True)
    return bool(opened)


def _change(host: Host, contact: ContactRef, evidence: str, message_id: int | None) -> Change:
    return Change(host=host, source=contact.source, evidence=evidence, message_id=message_id, at=host.clock())


def _withdraw_from_everything(host: Host, contact: ContactRef, evidence: str, message_id: int | None) -> Withdrawal:
    """The suppression is older than what it closes: that is how taking it back finds the subscriptions."""
    before = opted_out_of_everything(host, contact)
    suppress(
        host,
        contact=contact,
        scope=SuppressionScope.ALL_BUT_TRANSACTIONAL,
        reason=SuppressionReason.OPT_OUT,
        note=evidence,
        message_id=message_id,
    )
    change = _change(host, contact, evidence, message_id)
    closing = list_ids_of(host, contact)
    change.move(Subscription.contact_key == contact.key, SubscriptionState.UNSUBSCRIBED)
    changed = not before or bool(closing)
    if changed:
        _tell(host, _fact(change, contact, None, subscribed=False))
    return Withdrawal(contact, True, closing, changed, change.at)


def _take_back_everything(change: Change, contact: ContactRef) -> bool:
    host = change.host
    stops = list(host.session.scalars(opt_outs_of_everything(contact)))
    if not stops:
        return False
    was_on_it = exists().where(
        SubscriptionEvent.list_id == Subscription.list_id,
        SubscriptionEvent.contact_source == contact.source,
        SubscriptionEvent.contact_key == contact.key,
        SubscriptionEvent.state == SubscriptionState.SUBSCRIBED,
    )
    closed_with_it = Subscription.since >= min(stop.created_at for stop in stops)
    change.move(and_(Subscription.contact_key == contact.key, closed_with_it, was_on_it), SubscriptionState.SUBSCRIBED)
    for stop in stops:
        host.session.delete(stop)
    host.session.flush()
    _tell(host, _fact(change, contact, None, subscribed=True))
    return True


def _set(change: Change, contact: ContactRef, list_: List, state: SubscriptionState) -> bool:
    of_list = and_(Subscription.list_id == list_.id, Subscription.contact_key == contact.key)
    if change.move(of_list, state):
        return True
    there = exists().where(of_list, Subscription.contact_source == contact.source)
    return bool(change.add(list_.id, select(literal(contact.key)).where(~there), state))


def _lists(host: Host, list_ids: Sequence[int]) -> list[List]:
    return list(host.session.scalars(select(List).where(List.id.in_(list_ids)).order_by(List.id)))


def _announce(change: Change, contact: ContactRef, lists: Sequence[List], *, subscribed: bool) -> None:
    for list_ in lists:
        _tell(change.host, _fact(change, contact, list_, subscribed=subscribed))


def _fact(change: Change, contact: ContactRef, list_: List | None, *, subscribed: bool) -> PreferenceFact:
    return PreferenceFact(
        contact=contact,
        list_id=list_.id if list_ else None,
        list_name=list_.name if list_ else None,
        subscribed=subscribed,
        at=change.at,
        source=change.evidence,
    )


def _tell(host: Host, fact: PreferenceFact) -> None:
    for hook in host.hooks.on_preference_change:
        after_commit(host, partial(hook, fact))
