"""Unsubscriptions that a provider took: opt-outs as if they had come to us. Taking in enters; flushes only."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import exists, select

from massmail_plugin import outcomes
from massmail_plugin.consent.notices import after_commit
from massmail_plugin.consent.withdrawal import withdraw
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import Event, Mailing, OutboxMessage
from massmail_plugin.outcomes import NewEvent
from massmail_plugin.vocabulary import EventKind, Outcome


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
        if not _came_back_since(host, wish):
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
        evidence=f"Unsubscribed at {provider}, mail {message.id}",
        message_id=message.id,
    )
    outcomes.record(host, message.id, Outcome.REMOVED, at=wish.event.at)


def _came_back_since(host: Host, wish: Wish) -> bool:
    contact = (
        OutboxMessage.contact_source == wish.message.contact_source,
        OutboxMessage.contact_key == wish.message.contact_key,
    )
    back = exists().where(
        *contact,
        Event.message_id == OutboxMessage.id,
        Event.kind == EventKind.OPT_BACK_IN.value,
        Event.at > wish.event.at,
    )
    return bool(host.session.scalar(select(back)))
