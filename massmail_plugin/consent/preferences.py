"""What a contact has agreed to, for the preference page and for the act of opting out. Reads only."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import List, Subscription, Suppression
from massmail_plugin.vocabulary import SubscriptionState, SuppressionReason, SuppressionScope


@dataclass(frozen=True)
class ListStanding:
    """One line of the preference page."""

    list_id: int
    title: str
    description: str
    subscribed: bool


def standing(host: Host, contact: ContactRef) -> list[ListStanding]:
    """The active lists the contact is or was on, by title."""
    found = host.session.execute(
        select(List, Subscription.state)
        .join(Subscription, Subscription.list_id == List.id)
        .where(List.active, Subscription.contact_source == contact.source, Subscription.contact_key == contact.key)
    )
    lines = [
        ListStanding(list_.id, list_.title, list_.description, state == SubscriptionState.SUBSCRIBED)
        for list_, state in found
    ]
    return sorted(lines, key=lambda line: (line.title.lower(), line.list_id))


def list_ids_of(host: Host, contact: ContactRef) -> tuple[int, ...]:
    """The lists the contact is on now."""
    found = select(Subscription.list_id).where(
        Subscription.contact_source == contact.source,
        Subscription.contact_key == contact.key,
        Subscription.state == SubscriptionState.SUBSCRIBED,
    )
    return tuple(host.session.scalars(found.order_by(Subscription.list_id)))


def opt_outs_of_everything(contact: ContactRef) -> Select[Any]:
    """The suppressions by which this contact opted out of every mailing."""
    return select(Suppression).where(
        Suppression.contact_source == contact.source,
        Suppression.contact_key == contact.key,
        Suppression.scope == SuppressionScope.ALL_BUT_TRANSACTIONAL,
        Suppression.reason == SuppressionReason.OPT_OUT,
    )


def opted_out_of_everything(host: Host, contact: ContactRef) -> bool:
    """Whether the contact wants no mailing at all."""
    return host.session.scalars(opt_outs_of_everything(contact).limit(1)).first() is not None
