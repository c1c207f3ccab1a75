"""A contact that the host merged into another or deleted: our rows follow. The host enters by `MassMail` and commits.

What is in a worker's hands at that moment is left to the worker, which looks at each contact once more.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from massmail_plugin import outbox
from massmail_plugin.audience import current_addresses
from massmail_plugin.consent.addresses import normalised
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.address_hashes import address_hashes
from massmail_plugin.consent.stops.suppression import in_force, suppress
from massmail_plugin.consent.subscriptions.changes import Change, forget
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import (
    Chunk,
    Enrolment,
    Frequency,
    Mailing,
    OptOutReason,
    OutboxMessage,
    OutcomeReport,
    PastMessage,
    ProviderListEntry,
    ReleasedSuppression,
    SignUp,
    Standing,
    Subscription,
    SubscriptionEvent,
    Suppression,
)
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import (
    GONE,
    WAITING,
    Channel,
    ConsentWay,
    EnrolmentState,
    MailingKind,
    ReportState,
    SkipReason,
    SubscriptionState,
    SuppressionReason,
    SuppressionScope,
)

MERGED, DELETED = "merged", SkipReason.CONTACT_GONE.value
LONGEST_KEY = 64
_LASTING = (
    SuppressionReason.OPT_OUT,
    SuppressionReason.PAUSE,
    SuppressionReason.COMPLAINT,
    SuppressionReason.BY_PERSON,
)


_BARE: tuple[Any, ...] = (
    Subscription,
    SubscriptionEvent,
    Suppression,
    ReleasedSuppression,
    Frequency,
    OptOutReason,
    SignUp,
    PastMessage,
    Standing,
    ProviderListEntry,
)
"""Tables whose rows need nothing but the other key."""


def merge_contact(host: Host, old: ContactRef, new: ContactRef) -> None:
    """`new` takes over what `old` got, did and wished. Whoever opted out under either of them stays out.

    A mail that waits for `old` is dropped where the same mailing writes to `new` too. Raises BadRequest for contacts of
    different sources, or one and the same.
    """
    if old.source != new.source or old == new:
        raise BadRequest("A contact can be merged into another one of the same source only.")
    host.session.flush()
    skip_waiting(host, _of(OutboxMessage, old) & _other_row(new), SkipReason.DUPLICATE)
    _keep_off(host, old, new)
    _want_fewest(host, old, new)
    _drop_twins(host, old, new)
    move(host, old, new.key)
    host.session.expire_all()


def retire_contact(host: Host, contact: ContactRef) -> None:
    """`contact` is gone: nothing more is sent, and what it wished goes on to hold for its addresses.

    Its rows stay for the statistics, under a key that no contact can have, so that nobody who gets the key later
    inherits them.
    """
    key = f"{GONE}{uuid4().hex[:12]}:{contact.key}"[:LONGEST_KEY]
    known = addresses_of(host, contact)
    retire_as(host, contact, key, known, past_hashes_of(host, contact, but=known))


def retire_as(host: Host, contact: ContactRef, key: str, addresses: Iterable[str], hashes: Iterable[str]) -> None:
    """`retire_contact` under this key, the wishes going over to these addresses, and to those with these hashes."""
    host.session.flush()
    skip_waiting(host, _of(OutboxMessage, contact), SkipReason.CONTACT_GONE)
    _suppress_addresses(host, contact, addresses, hashes)
    of_addresses = {"contact_source": None, "contact_key": None}
    changed(host, update(ProviderListEntry).where(_of(ProviderListEntry, contact)).values(**of_addresses))
    forget(host, _of(Subscription, contact))
    for model in (Standing, Frequency):
        changed(host, delete(model).where(_of(model, contact)))
    active = _of(Enrolment, contact), Enrolment.state == EnrolmentState.ACTIVE.value
    changed(host, update(Enrolment).where(*active).values(state=EnrolmentState.LEFT.value, left_reason=DELETED))
    undelivered = OutcomeReport.state.in_([ReportState.WAITING.value, ReportState.UNTOLD.value])
    delivered = {"state": ReportState.DELIVERED.value, "delivered_at": host.clock()}
    changed(host, update(OutcomeReport).where(_reports_of(contact), undelivered).values(**delivered))
    move(host, contact, key)
    host.session.expire_all()


def addresses_of(host: Host, contact: ContactRef) -> set[str]:
    """The contact's own e-mail addresses: where it is reached now, and where it got mail; each normalised.

    Tests went to people of the house, and addresses of related people are theirs.
    """
    source, others = host.sources.get(contact.source), _roles_of_others(host, contact)
    mailed = (
        select(OutboxMessage.address)
        .join(Mailing, Mailing.id == OutboxMessage.mailing_id)
        .where(_of(OutboxMessage, contact), OutboxMessage.address != "", Mailing.kind != MailingKind.TEST.value)
        .where(OutboxMessage.channel == Channel.EMAIL.value, OutboxMessage.address_role.not_in(others))
    )
    found = set(host.session.scalars(mailed.distinct()))
    if source is not None:
        mail = {one.role for one in register(source).roles(Channel.EMAIL)} - others
        now = current_addresses(host, source, [contact.key])
        found |= {address for (_, role), address in now.items() if role in mail}
    return {normalised(address) for address in found}


def past_hashes_of(host: Host, contact: ContactRef, *, but: Iterable[str]) -> set[str]:
    """The keyed hashes of the contact's own addresses, `but` these, to which mails went that were deleted for their
    age.
    """
    past = (
        select(PastMessage.address_hash)
        .join(Mailing, Mailing.id == PastMessage.mailing_id)
        .where(_of(PastMessage, contact), PastMessage.address_hash > "", Mailing.kind != MailingKind.TEST.value)
        .where(PastMessage.address_role.not_in(_roles_of_others(host, contact)))
    )
    known = {mark for address in but for mark in address_hashes(host.config, address)}
    return {mark for mark in host.session.scalars(past.distinct()) if mark is not None} - known


def _roles_of_others(host: Host, contact: ContactRef) -> set[str]:
    source = host.sources.get(contact.source)
    return {one.role for one in source.addresses if one.via is not None} if source else set()


# --- Mail that waits ------------------------------------------------------------------------------------------


def skip_waiting(host: Host, which: ColumnElement[bool], reason: SkipReason) -> None:
    """Skip messages that wait, all but those in a worker's hands."""
    waiting = OutboxMessage.state.in_([state.value for state in WAITING])
    leased = Chunk.mailing_id == OutboxMessage.mailing_id, Chunk.number == OutboxMessage.chunk
    in_hand = exists().where(*leased, Chunk.leased_by.is_not(None))
    query = select(OutboxMessage.mailing_id, OutboxMessage.id).where(which, waiting, ~in_hand)
    found: dict[int, list[int]] = defaultdict(list)
    for mailing_id, message_id in host.session.execute(query):
        found[mailing_id].append(message_id)
    for mailing_id in sorted(found):
        outbox.lock_mailing(host, mailing_id)
        outbox.skip(host, dict.fromkeys(found[mailing_id], (reason, "")))
        outbox.recount(host, mailing_id)
        outbox.finish_if_done(host, mailing_id)


def _other_row(contact: ContactRef) -> ColumnElement[bool]:
    other = aliased(OutboxMessage)
    return exists().where(
        other.mailing_id == OutboxMessage.mailing_id,
        other.contact_source == contact.source,
        other.contact_key == contact.key,
        other.dedup_key.is_not(None),
    )


# --- Wishes ---------------------------------------------------------------------------------------------------


def _keep_off(host: Host, old: ContactRef, new: ContactRef) -> None:
    """Lists that `old` left, `new` leaves."""
    left = aliased(Subscription)
    was_left = exists().where(
        left.list_id == Subscription.list_id,
        left.contact_source == old.source,
        left.contact_key == old.key,
        left.state == SubscriptionState.UNSUBSCRIBED.value,
    )
    proof = Proof(ConsentWay.HOST, evidence=f"Merged with contact {old.key}, who had left")
    change = Change(host=host, source=new.source, proof=proof, at=host.clock())
    change.move(and_(Subscription.contact_key == new.key, was_left), SubscriptionState.UNSUBSCRIBED)


def _want_fewest(host: Host, old: ContactRef, new: ContactRef) -> None:
    """Of two who want fewer mails the wish for fewest holds."""
    days = select(Frequency.days).where(_of(Frequency, old)).scalar_subquery()
    changed(host, update(Frequency).where(_of(Frequency, new), Frequency.days < days).values(days=days))


def _suppress_addresses(host: Host, contact: ContactRef, addresses: Iterable[str], hashes: Iterable[str]) -> None:
    row = Suppression
    wishes = select(row.scope, row.list_id, row.topic_id, row.reason, row.until).where(
        _of(row, contact), row.reason.in_([reason.value for reason in _LASTING]), in_force(host.clock())
    )
    stops: list[Any] = [tuple(found) for found in host.session.execute(wishes)]
    left = _lists_left(host, contact)
    stops += [(SuppressionScope.LIST, list_id, None, SuppressionReason.OPT_OUT, None) for list_id in left]
    whom: list[dict[str, Any]] = [{"address": address} for address in addresses]
    whom += [{"address_hash": mark} for mark in hashes]
    for named in whom:
        for scope, list_id, topic_id, reason, until in stops:
            suppress(
                host,
                **named,
                scope=SuppressionScope(scope),
                list_id=list_id,
                topic_id=topic_id,
                reason=SuppressionReason(reason),
                until=until,
                way=ConsentWay.HOST,
                note="The wish of a contact who was deleted.",
            )


def _lists_left(host: Host, contact: ContactRef) -> list[int]:
    """Lists they left themselves."""
    event = SubscriptionEvent
    themselves = exists().where(
        event.list_id == Subscription.list_id,
        _of(event, contact),
        event.state == SubscriptionState.UNSUBSCRIBED.value,
        or_(event.message_id.is_not(None), event.way.in_([way.value for way in ConsentWay if way.by_contact])),
    )
    left = _of(Subscription, contact), Subscription.state == SubscriptionState.UNSUBSCRIBED.value
    return list(host.session.scalars(select(Subscription.list_id).where(*left, themselves)))


# --- Rows under another key -----------------------------------------------------------------------------------


def _drop_twins(host: Host, old: ContactRef, new: ContactRef) -> None:
    """Rows of `old` for which `new` has its own: one subscription to a list, one standing, one way into a series."""
    same: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (Standing, ("place",)),
        (Frequency, ()),
        (Suppression, ("scope", "list_id", "topic_id", "reason", "until")),
    )
    forget(host, and_(_of(Subscription, old), _twin(Subscription, new, ("list_id",))))
    for model, names in same:
        changed(host, delete(model).where(_of(model, old), _twin(model, new, names)))
    twice = _of(Enrolment, old), Enrolment.state == EnrolmentState.ACTIVE.value
    left = {"state": EnrolmentState.LEFT.value, "left_reason": MERGED}
    changed(host, update(Enrolment).where(*twice, _twin(Enrolment, new, ("campaign_id",))).values(**left))


def _twin(model: Any, new: ContactRef, names: tuple[str, ...]) -> ColumnElement[bool]:
    twin = aliased(model)
    same = [getattr(twin, name).is_not_distinct_from(getattr(model, name)) for name in names]
    return exists().where(twin.contact_source == new.source, twin.contact_key == new.key, *same)


def move(host: Host, old: ContactRef, key: str) -> None:
    """Let every row of a contact have another key. Reports first: they are found by their messages. What is numbered is
    numbered on.
    """
    changed(host, update(OutcomeReport).where(_reports_of(old)).values(contact_key=key))
    taken: Any = aliased(OutboxMessage)
    same_mail = taken.mailing_id == OutboxMessage.mailing_id, taken.address_role == OutboxMessage.address_role
    numbers = {"occurrence": OutboxMessage.occurrence + _next(taken, taken.occurrence, old.source, key, *same_mail)}
    changed(host, update(OutboxMessage).where(_of(OutboxMessage, old)).values(contact_key=key, **numbers))
    entry: Any = aliased(Enrolment)
    same_series = entry.campaign_id == Enrolment.campaign_id
    entries = {"entry_number": Enrolment.entry_number + _next(entry, entry.entry_number, old.source, key, same_series)}
    changed(host, update(Enrolment).where(_of(Enrolment, old)).values(contact_key=key, **entries))
    for model in _BARE:
        changed(host, update(model).where(_of(model, old)).values(contact_key=key))


def _next(taken: Any, number: Any, source: str, key: str, *same: ColumnElement[bool]) -> Any:
    """One more than the highest number that `key` has, or 0."""
    highest = select(func.max(number) + 1).where(*same, taken.contact_source == source, taken.contact_key == key)
    return func.coalesce(highest.scalar_subquery(), 0)


def _of(model: Any, contact: ContactRef) -> ColumnElement[bool]:
    return and_(model.contact_source == contact.source, model.contact_key == contact.key)


def _reports_of(contact: ContactRef) -> ColumnElement[bool]:
    return OutcomeReport.message_id.in_(select(OutboxMessage.id).where(_of(OutboxMessage, contact)))
