"""Unsubscriptions that a provider took: opt-outs as if they had come to us. Taking in enters; flushes only."""

from collections.abc import Sequence
from typing import NamedTuple

from massmail_plugin import outcomes
from massmail_plugin.consent.notices import after_commit
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.wishes.withdrawal import withdraw
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import Mailing, OutboxMessage
from massmail_plugin.opt_out import came_back_since
from massmail_plugin.outcomes import NewEvent
from massmail_plugin.vocabulary import ConsentWay, Outcome


class Wish(NamedTuple):
    """An unsubscription that was news: the mail it came by, and what the provider said."""

    message: OutboxMessage
    event: NewEvent
    one_list: bool


def carry_out(host: Host, provider: str, wishes: Sequence[Wish]) -> None:
    """Stop everything for these contacts, or the mailing's lists where the provider says one list.

    A wish that is older than the contact's coming back changes nothing.
    """
    for wish in sorted(wishes, key=lambda one: one.message.id):
        contact = ContactRef(wish.message.contact_source, wish.message.contact_key)
        if not came_back_since(host, contact, wish.event.at):
            _leave(host, provider, wish)
    if wishes:
        after_commit(host, lambda: host.wake("outcomes"))


def _leave(host: Host, provider: str, wish: Wish) -> None:
    message = wish.message
    lists = [list_.id for list_ in host.session.get_one(Mailing, message.mailing_id).lists] if wish.one_list else []
    withdraw(
        host,
        ContactRef(message.contact_source, message.contact_key),
        list_ids=lists or None,
        proof=Proof(
            ConsentWay.PROVIDER, evidence=f"Unsubscribed at {provider}, mail {message.id}", message_id=message.id
        ),
    )
    outcomes.record(host, message.id, Outcome.REMOVED, at=wish.event.at)
