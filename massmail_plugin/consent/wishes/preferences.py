"""What a contact has agreed to, in short. Reads only."""

from sqlalchemy import select

from massmail_plugin.consent.wishes.opt_outs import Wide, opted_out_of
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import Subscription
from massmail_plugin.vocabulary import SubscriptionState


def list_ids_of(host: Host, contact: ContactRef) -> tuple[int, ...]:
    """The lists the contact is subscribed to now."""
    found = select(Subscription.list_id).where(
        Subscription.contact_source == contact.source,
        Subscription.contact_key == contact.key,
        Subscription.state == SubscriptionState.SUBSCRIBED,
    )
    return tuple(host.session.scalars(found.order_by(Subscription.list_id)))


def opted_out_of_everything(host: Host, contact: ContactRef) -> bool:
    """Whether the contact wants no mailing at all."""
    return opted_out_of(host, contact, Wide())
