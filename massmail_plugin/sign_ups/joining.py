"""A sign-up that is meant becomes a subscription: of the contact with that address, or of one the host makes.

Confirming and keeping up enter; flushes only.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy import exists, literal, or_, select

from massmail_plugin import audience, consent
from massmail_plugin.audience.contacts.at_address import contacts_at
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.wishes.coming_back import ending
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import ContactRef, Host, NewContact
from massmail_plugin.errors import SetupError
from massmail_plugin.models import List, SignUp, Subscription, Suppression
from massmail_plugin.sign_ups.form import source_of_visitors
from massmail_plugin.vocabulary import ConsentWay, SubscriptionState

log = logging.getLogger(__name__)

AGAIN = timedelta(hours=1)
"""So often it is looked for the contact of a confirmed sign-up."""
LOOKING = timedelta(days=30)
"""So long after the confirmation."""


def join(host: Host, sign_up: SignUp) -> bool:
    """Put the contact of a confirmed sign-up on its list; False where there is none yet: it is looked for again.

    A host function that fails undoes its own work alone.
    """
    try:
        with host.session.begin_nested():
            contact = _contact(host, sign_up)
            if contact is not None:
                _join(host, sign_up, contact)
    except Exception:
        log.exception("The contact of sign-up %s could not be found or made; it is tried again", sign_up.id)
        contact = None
    now = host.clock()
    still = sign_up.confirmed_at is None or now < sign_up.confirmed_at + LOOKING
    sign_up.due_at = None if contact is not None or not still else now + AGAIN
    host.session.flush()
    return contact is not None


def said_no(host: Host, sign_up: SignUp, contact: ContactRef | None, *, since: datetime | None = None) -> bool:
    """Whether whoever reads the address of a sign-up said (`since` then) that they want no mail, or not its list."""
    said = [ending(host, contact, [sign_up.list_id], address=sign_up.address)]
    left = [
        Subscription.list_id == sign_up.list_id,
        Subscription.contact_source == literal(contact.source if contact else None),
        Subscription.contact_key == literal(contact.key if contact else None),
        Subscription.state == SubscriptionState.UNSUBSCRIBED.value,
    ]
    if since is not None:
        said.append(Suppression.created_at > since)
        left.append(Subscription.since > since)
    return bool(host.session.scalar(select(or_(exists().where(*said), exists().where(*left)))))


def _welcome(host: Host, sign_up: SignUp, contact: ContactRef) -> None:
    by_mail = sign_up.times_asked > 0
    how = "Signed up by the form, confirmed by mail" if by_mail else "Signed up by the form, no mail was asked for"
    proof = Proof(
        ConsentWay.FORM,
        evidence=f"{how} (sign-up {sign_up.id})",
        origin=sign_up.confirmed_from or sign_up.origin,
        consent_text_id=sign_up.consent_text_id,
    )
    consent.come_back(host, contact, [sign_up.list_id], address=sign_up.address, proof=proof)


def _join(host: Host, sign_up: SignUp, contact: ContactRef) -> None:
    """Who was found only later may have said since that they want no mail: then that is their last word."""
    if not said_no(host, sign_up, contact, since=sign_up.confirmed_at):
        _welcome(host, sign_up, contact)
    sign_up.contact_source, sign_up.contact_key = contact.source, contact.key


def _contact(host: Host, sign_up: SignUp) -> ContactRef | None:
    there = contacts_at(host, sign_up.address)
    return there[0] if there else _made(host, sign_up)


def _made(host: Host, sign_up: SignUp) -> ContactRef | None:
    """A new contact of the host's making; None where it makes none."""
    make = host.hooks.create_contact
    if make is None:
        return None
    source = source_of_visitors(host)
    list_ = host.session.get_one(List, sign_up.list_id)
    wanted = NewContact(
        source=source.source_name,
        address=sign_up.address,
        role=register(source).roles()[0].role,
        values={name: answer for name, answer in sign_up.values.items() if answer},
        locale=sign_up.locale,
        origin=f"Sign-up form of the list “{list_.name}”",
    )
    keys = list(make([wanted]))
    host.session.flush()
    if not keys or keys[0] is None:
        return None
    made = ContactRef(source.source_name, str(keys[0]))
    if not audience.exists(host, made):
        raise SetupError(
            f"create_contact gave the key “{made.key}”, but the source “{made.source}” has no such contact."
        )
    return made
