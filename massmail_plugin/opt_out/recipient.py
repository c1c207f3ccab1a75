"""Whose wish it is: the mail behind a link, its lists, and where the contact stands. Reads only."""

from dataclasses import dataclass

from massmail_plugin.consent.preferences import ListStanding, list_ids_of, opted_out_of_everything, standing
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadLink
from massmail_plugin.models import List, Mailing, OutboxMessage


@dataclass(frozen=True)
class Recipient:
    """One mail's recipient and the lists its mailing went to."""

    message_id: int
    mailing_id: int
    contact: ContactRef
    lists: tuple[List, ...]
    is_test: bool

    @property
    def list_ids(self) -> tuple[int, ...]:
        return tuple(list_.id for list_ in self.lists)


@dataclass(frozen=True)
class PageState:
    """What the pages show. Never an address: whoever got the mail forwarded may read it."""

    titles: tuple[str, ...]
    """Public names of the mailing's lists the contact is on, or was on; empty means mail of every kind."""
    out: bool
    """No more mail of this kind goes to the contact."""
    out_of_everything: bool
    choices: tuple[ListStanding, ...]
    """Every list the contact is or was on."""
    is_test: bool


def recipient(host: Host, message_id: int) -> Recipient:
    """Raises BadLink where the mail is not kept any more."""
    message = host.session.get(OutboxMessage, message_id)
    if message is None:
        raise BadLink("The mail this link was in is not known here any more.")
    mailing = host.session.get_one(Mailing, message.mailing_id)
    contact = ContactRef(message.contact_source, message.contact_key)
    return Recipient(message.id, mailing.id, contact, tuple(mailing.lists), mailing.is_test)


def page_state(host: Host, message_id: int) -> PageState:
    """Where the recipient of a mail stands. Raises BadLink."""
    who = recipient(host, message_id)
    everything = opted_out_of_everything(host, who.contact)
    on = set(list_ids_of(host, who.contact))
    out = everything or bool(who.lists and not on & set(who.list_ids))
    choices = tuple(standing(host, who.contact))
    return PageState(_titles(who, on, choices), out, everything, choices, who.is_test)


def _titles(who: Recipient, on: set[int], choices: tuple[ListStanding, ...]) -> tuple[str, ...]:
    """The lists the contact is on; for one who left, those they know."""
    relevant = on or {choice.list_id for choice in choices}
    named = tuple(list_.title for list_ in who.lists if list_.id in relevant)
    return named or tuple(list_.title for list_ in who.lists)
