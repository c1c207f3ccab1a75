"""A contact says that they want certain lists: what they said against these before ends. Public enters and commits."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, exists, false, literal, or_, select

from massmail_plugin.consent.addresses import spellings
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.address_hashes import address_hashes
from massmail_plugin.consent.stops.released import let_go
from massmail_plugin.consent.stops.suppression import reaches
from massmail_plugin.consent.subscriptions.changes import Change
from massmail_plugin.consent.wishes.opt_outs import Wide, of_contact, opted_out_of
from massmail_plugin.consent.wishes.telling import tell_of
from massmail_plugin.consent.wishes.withdrawal import open_lists
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import List, Subscription, Suppression
from massmail_plugin.vocabulary import SubscriptionState, SuppressionReason

_YIELDING = [reason.value for reason in SuppressionReason if reason.yields]


def come_back(host: Host, contact: ContactRef, list_ids: Sequence[int], *, address: str = "", proof: Proof) -> bool:
    """The contact themselves want these lists, whatever they said before: True where that changed something.

    Opt-outs, pauses and the mark of an erased person end as far as they reach the lists; so do those that name
    `address`, where the contact has shown that it is theirs. Everything else that was stopped stays so: other lists
    remain closed, also those that a criterion would put the contact on. Dead addresses, complaints and stops by hand
    stay.
    """
    host.session.flush()
    change = Change(host=host, source=contact.source, proof=proof, at=host.clock())
    was_out = opted_out_of(host, contact, Wide())
    freed = let_go(host, ending(host, contact, list_ids, address=address), by=proof.by, note=proof.evidence)
    if was_out:
        _keep_off_the_others(change, contact, list_ids)
        tell_of(change, contact, Wide(), subscribed=True)
    return bool(open_lists(change, contact, list_ids) or freed)


def ending(
    host: Host, contact: ContactRef | None, list_ids: Sequence[int], *, address: str = ""
) -> ColumnElement[bool]:
    """True for the suppressions that end when this contact, reading this address, wants these lists."""
    theirs = [and_(*of_contact(contact))] if contact else []
    if address:
        theirs.append(Suppression.address.in_(sorted(spellings(address))))
        theirs.append(Suppression.address_hash.in_(address_hashes(host.config, address)))
    within = reaches(list_ids, at=host.clock())
    return and_(Suppression.reason.in_(_YIELDING), within, or_(false(), *theirs))


def _keep_off_the_others(change: Change, contact: ContactRef, wanted: Sequence[int]) -> None:
    """The opt-out from everything also kept them off lists that criteria fill: from now on a row of their own does."""
    filled = select(List.id).where(List.criterion_id.is_not(None), List.id.not_in(wanted))
    for list_id in change.host.session.scalars(filled).all():
        there = exists().where(
            Subscription.list_id == list_id,
            Subscription.contact_source == contact.source,
            Subscription.contact_key == contact.key,
        )
        change.add(list_id, select(literal(contact.key)).where(~there), SubscriptionState.UNSUBSCRIBED)
