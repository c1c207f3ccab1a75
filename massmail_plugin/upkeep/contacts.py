"""A contact that the host merged into another or deleted: our rows follow. The host enters by `MassMail` and commits.

What is in a worker's hands at that moment is left to the worker, which looks at each contact once more.
"""

from collections import defaultdict
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, delete, exists, func, select, update
from sqlalchemy.orm import aliased

from massmail_plugin import outbox
from massmail_plugin.consent.changes import Change
from massmail_plugin.consent.suppression import suppress
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import (
    Chunk,
    Enrolment,
    OutboxMessage,
    OutcomeReport,
    ProviderListEntry,
    Standing,
    Subscription,
    SubscriptionEvent,
    Suppression,
)
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import (
    WAITING,
    EnrolmentState,
    ReportState,
    SkipReason,
    SubscriptionState,
    SuppressionReason,
    SuppressionScope,
)

MERGED, GONE = "merged", SkipReason.CONTACT_GONE.value
LONGEST_KEY = 64
_LASTING = (SuppressionReason.OPT_OUT, SuppressionReason.COMPLAINT, SuppressionReason.BY_PERSON)


def merge_contact(host: Host, old: ContactRef, new: ContactRef) -> None:
    """`new` takes over what `old` got, did and wished. Whoever opted out under either of them stays out.

    A mail that waits for `old` is dropped where the same mailing writes to `new` too. Raises BadRequest for contacts of
    different sources, or one and the same.
    """
    if old.source != new.source or old == new:
        raise BadRequest("A contact can be merged into another one of the same source only.")
    host.session.flush()
    _skip_waiting(host, old, SkipReason.DUPLICATE, _other_row(new))
    _keep_off(host, old, new)
    _drop_twins(host, old, new)
    _move(host, old, new.key)
    host.session.expire_all()


def retire_contact(host: Host, contact: ContactRef) -> None:
    """`contact` is gone: nothing more is sent, and what it wished goes on to hold for its addresses.

    Its rows stay for the statistics, under a key that no contact can have, so that nobody who gets the key later
    inherits them.
    """
    host.session.flush()
    _skip_waiting(host, contact, SkipReason.CONTACT_GONE)
    _suppress_addresses(host, contact)
    of_addresses = {"contact_source": None, "contact_key": None}
    changed(host, update(ProviderListEntry).where(_of(ProviderListEntry, contact)).values(**of_addresses))
    for model in (Subscription, Standing):
        changed(host, delete(model).where(_of(model, contact)))
    active = _of(Enrolment, contact), Enrolment.state == EnrolmentState.ACTIVE.value
    changed(host, update(Enrolment).where(*active).values(state=EnrolmentState.LEFT.value, left_reason=GONE))
    undelivered = OutcomeReport.state.in_([ReportState.WAITING.value, ReportState.UNTOLD.value])
    delivered = {"state": ReportState.DELIVERED.value, "delivered_at": host.clock()}
    changed(host, update(OutcomeReport).where(_reports_of(contact), undelivered).values(**delivered))
    _move(host, contact, f"gone:{uuid4().hex[:12]}:{contact.key}"[:LONGEST_KEY])
    host.session.expire_all()


# --- Mail that waits ------------------------------------------------------------------------------------------


def _skip_waiting(host: Host, contact: ContactRef, reason: SkipReason, *where: ColumnElement[bool]) -> None:
    waiting = OutboxMessage.state.in_([state.value for state in WAITING])
    leased = Chunk.mailing_id == OutboxMessage.mailing_id, Chunk.number == OutboxMessage.chunk
    in_hand = exists().where(*leased, Chunk.leased_by.is_not(None))
    query = select(OutboxMessage.mailing_id, OutboxMessage.id).where(
        _of(OutboxMessage, contact), waiting, ~in_hand, *where
    )
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
    evidence = f"Merged with contact {old.key}, who had left"
    change = Change(host=host, source=new.source, evidence=evidence, message_id=None, at=host.clock())
    change.move(and_(Subscription.contact_key == new.key, was_left), SubscriptionState.UNSUBSCRIBED)


def _suppress_addresses(host: Host, contact: ContactRef) -> None:
    addresses = host.session.scalars(
        select(OutboxMessage.address).where(_of(OutboxMessage, contact), OutboxMessage.address != "").distinct()
    ).all()
    wishes = select(Suppression.scope, Suppression.list_id, Suppression.reason).where(
        _of(Suppression, contact), Suppression.reason.in_([reason.value for reason in _LASTING])
    )
    stops = [(scope, list_id, reason) for scope, list_id, reason in host.session.execute(wishes)]
    stops += [(SuppressionScope.LIST, list_id, SuppressionReason.OPT_OUT) for list_id in _lists_left(host, contact)]
    for address in addresses:
        for scope, list_id, reason in stops:
            suppress(
                host,
                address=address,
                scope=SuppressionScope(scope),
                list_id=list_id,
                reason=SuppressionReason(reason),
                note="The wish of a contact who was deleted.",
            )


def _lists_left(host: Host, contact: ContactRef) -> list[int]:
    """Lists they left themselves, through a mail."""
    event = SubscriptionEvent
    themselves = exists().where(
        event.list_id == Subscription.list_id,
        _of(event, contact),
        event.state == SubscriptionState.UNSUBSCRIBED.value,
        event.message_id.is_not(None),
    )
    left = _of(Subscription, contact), Subscription.state == SubscriptionState.UNSUBSCRIBED.value
    return list(host.session.scalars(select(Subscription.list_id).where(*left, themselves)))


# --- Rows under another key -----------------------------------------------------------------------------------


def _drop_twins(host: Host, old: ContactRef, new: ContactRef) -> None:
    """Rows of `old` for which `new` has its own: one subscription to a list, one standing, one way into a series."""
    same: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (Subscription, ("list_id",)),
        (Standing, ("place",)),
        (Suppression, ("scope", "list_id", "reason")),
    )
    for model, names in same:
        changed(host, delete(model).where(_of(model, old), _twin(model, new, names)))
    twice = _of(Enrolment, old), Enrolment.state == EnrolmentState.ACTIVE.value
    left = {"state": EnrolmentState.LEFT.value, "left_reason": MERGED}
    changed(host, update(Enrolment).where(*twice, _twin(Enrolment, new, ("campaign_id",))).values(**left))


def _twin(model: Any, new: ContactRef, names: tuple[str, ...]) -> ColumnElement[bool]:
    twin = aliased(model)
    same = [getattr(twin, name).is_not_distinct_from(getattr(model, name)) for name in names]
    return exists().where(twin.contact_source == new.source, twin.contact_key == new.key, *same)


def _move(host: Host, old: ContactRef, key: str) -> None:
    """Reports first: they are found by their messages. What is numbered is numbered on."""
    changed(host, update(OutcomeReport).where(_reports_of(old)).values(contact_key=key))
    taken: Any = aliased(OutboxMessage)
    same_mail = taken.mailing_id == OutboxMessage.mailing_id, taken.address_role == OutboxMessage.address_role
    numbers = {"occurrence": OutboxMessage.occurrence + _next(taken, taken.occurrence, old.source, key, *same_mail)}
    changed(host, update(OutboxMessage).where(_of(OutboxMessage, old)).values(contact_key=key, **numbers))
    entry: Any = aliased(Enrolment)
    same_series = entry.campaign_id == Enrolment.campaign_id
    entries = {"entry_number": Enrolment.entry_number + _next(entry, entry.entry_number, old.source, key, same_series)}
    changed(host, update(Enrolment).where(_of(Enrolment, old)).values(contact_key=key, **entries))
    for model in (Subscription, SubscriptionEvent, Suppression, Standing, ProviderListEntry):
        changed(host, update(model).where(_of(model, old)).values(contact_key=key))


def _next(taken: Any, number: Any, source: str, key: str, *same: ColumnElement[bool]) -> Any:
    """One more than the highest number that `key` has, or 0."""
    highest = select(func.max(number) + 1).where(*same, taken.contact_source == source, taken.contact_key == key)
    return func.coalesce(highest.scalar_subquery(), 0)


def _of(model: Any, contact: ContactRef) -> ColumnElement[bool]:
    return and_(model.contact_source == contact.source, model.contact_key == contact.key)


def _reports_of(contact: ContactRef) -> ColumnElement[bool]:
    return OutcomeReport.message_id.in_(select(OutboxMessage.id).where(_of(OutboxMessage, contact)))
