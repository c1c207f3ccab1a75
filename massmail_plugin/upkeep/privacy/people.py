"""Who a person is to us: a contact of the host with what is left of former ones at the same address, or an address.

Screens and the command line enter; reads only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, text

from massmail_plugin import audience
from massmail_plugin.audience.contacts.at_address import contacts_at
from massmail_plugin.audience.contacts.visibility import limited
from massmail_plugin.consent.addresses import fault, normalised, spellings
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Mailing, OutboxMessage
from massmail_plugin.models.outbox import NOBODYS
from massmail_plugin.portable_sql import one_of
from massmail_plugin.upkeep.contacts import addresses_of
from massmail_plugin.vocabulary import GONE, NOBODY, Channel, MailingKind

TEST_ROLE = "test"


@dataclass(frozen=True)
class Person:
    """Whose data it is: a contact's, or with None what belongs to an address and to no contact."""

    contact: ContactRef | None
    former: tuple[ContactRef, ...]
    """What is left of contacts who were deleted and got mail at one of the addresses."""
    addresses: tuple[str, ...]
    """Normalised; what is kept under them alone is this person's."""
    shared: tuple[str, ...] = ()
    """Addresses that other contacts have today too: what is kept under these alone is left out."""

    @property
    def refs(self) -> tuple[ContactRef, ...]:
        return (*([self.contact] if self.contact else []), *self.former)

    @property
    def forms(self) -> list[str]:
        """The addresses in every spelling that a column may hold."""
        return sorted({form for address in self.addresses for form in spellings(address)})


def person_of(host: Host, contact: ContactRef) -> Person:
    """A contact and its addresses, now and where it got mail. The host need not have it any more."""
    known = sorted(addresses_of(host, contact))
    shared = [one for one in known if any(ref != contact for ref in contacts_at(host, one))]
    own = [one for one in known if one not in shared]
    return Person(contact, _former(host, own), tuple(own), tuple(shared))


def person_at(host: Host, address: str) -> Person:
    """What belongs to an address and to no contact of the host. Raises BadRequest for what is no address."""
    if wrong := fault(address.strip()):
        raise BadRequest(f"{address}: {wrong}")
    plain = normalised(address)
    return Person(None, _former(host, [plain]), (plain,))


def people_of(host: Host, address: str) -> list[Person]:
    """Everybody who is or was reached at an address: contacts who have it or got mail there, and the address alone
    where it is none of theirs. It looks at every mail that is kept. Raises BadRequest for what is no address.
    """
    alone = person_at(host, address)
    refs = dict.fromkeys([*contacts_at(host, address), *_mailed(host, alone.addresses)])
    seen = audience.summaries(host, refs) if limited(host) else refs
    found = [person_of(host, ref) for ref in refs if ref in seen]
    claimed = any(set(alone.addresses) & {*one.addresses} for one in found)
    return found if claimed or limited(host) else [*found, alone]


def messages_of(host: Host, person: Person) -> list[int]:
    """The ids of the person's mails: the contact's, and those to their addresses that lead to no contact of the host.

    Tests that showed the contact's data went to somebody else; tests to one of the addresses are the person's.
    """
    message = OutboxMessage
    theirs = or_(false(), *(_of(message, ref) for ref in person.refs)) & (message.address_role != TEST_ROLE)
    ids = set(host.session.scalars(select(message.id).where(theirs)))
    nobodys = (message.contact_key == NOBODY) | (message.address_role == TEST_ROLE)
    ids |= set(host.session.scalars(select(message.id).where(*_at(person.addresses), nobodys)))
    return sorted(ids)


def _former(host: Host, addresses: Iterable[str]) -> tuple[ContactRef, ...]:
    """Found by an index that holds the few rows that no contact leads to."""
    message = OutboxMessage
    gone = message.contact_key.startswith(GONE, autoescape=True), message.address_role != TEST_ROLE
    query = select(message.contact_source, message.contact_key).where(*_at(addresses), *gone).distinct()
    return tuple(sorted(ContactRef(*row) for row in host.session.execute(query)))


def _at(addresses: Iterable[str]) -> tuple[ColumnElement[bool], ...]:
    forms = sorted({form for address in addresses for form in spellings(address)})
    in_index: Any = text(f"({NOBODYS})")
    return one_of(func.lower(OutboxMessage.address), forms), in_index


def _mailed(host: Host, addresses: Iterable[str]) -> list[ContactRef]:
    """Contacts of the host who got mail there, also where they have another address today."""
    message, forms = OutboxMessage, sorted({form for address in addresses for form in spellings(address)})
    there = func.lower(message.address).in_(forms), message.channel == Channel.EMAIL.value
    real = message.contact_key != NOBODY, ~message.contact_key.startswith(GONE, autoescape=True)
    no_test = select(message.contact_source, message.contact_key).join(Mailing, Mailing.id == message.mailing_id)
    query = no_test.where(*there, *real, Mailing.kind != MailingKind.TEST.value).distinct()
    return sorted(ContactRef(*row) for row in host.session.execute(query))


def _of(model: Any, ref: ContactRef) -> ColumnElement[bool]:
    return and_(model.contact_source == ref.source, model.contact_key == ref.key)
