"""Test mails: a mailing of its own, marked, never counted, ahead of everything else. Admin and CLI enter and commit."""

from collections.abc import Sequence
from typing import Any

from massmail_plugin import audience, consent, outbox
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.mailings.launch import open_at_once
from massmail_plugin.mailings.ready_words import open_ready, put_words
from massmail_plugin.models import Chunk, Mailing, OutboxMessage, Sender, Template
from massmail_plugin.vocabulary import Channel, MailingKind, Priority

MOST = 20
ROLE = "test"


def send_test(
    host: Host,
    *,
    template_id: int,
    addresses: Sequence[str],
    contact: ContactRef | None,
    sender_id: int | None,
    by: str,
    like: Mailing | None = None,
) -> Mailing:
    """Send a template to `addresses` (at most 20) as `contact` would get it; without one, as the first there is.

    With `like`, under the From and Reply-To of that mailing, and tracked or not as that.
    Raises BadRequest for a bad address, a missing sender or an empty contact source.
    """
    template = host.session.get(Template, template_id)
    if template is None or not template.versions:
        raise BadRequest("That template is not there any more.")
    sender = _sender(host, template, sender_id)
    wanted = _checked(addresses)
    contact = contact or _first_contact(host)
    mailing = Mailing(
        name=f"Test of {template.name}"[:200],
        kind=MailingKind.TEST.value,
        contact_source=contact.source,
        address_roles=[],
        one_per_address=False,
        template=template,
        sender=sender,
        **_as(like),
    )
    open_at_once(host, mailing, by=by, subject_prefix=host.config.test_subject_prefix)
    _plan(host, mailing, contact, wanted)
    consent.after_commit(host, lambda: host.wake("send"))
    return mailing


def send_words(
    host: Host, *, like: Mailing, subject: str, html: str, text: str, addresses: Sequence[str], by: str
) -> Mailing:
    """Send finished words, in which nothing is filled in, to people of the house; under the sender of `like`.

    They leave as a test does. Raises BadRequest for a bad address, a missing sender or an empty contact source.
    """
    sender, wanted, contact = like.sender, _checked(addresses), _first_contact(host)
    if sender is None:
        raise BadRequest(f"“{like.name}” has no sender any more.")
    mailing = open_ready(host, kind=MailingKind.TEST, name=subject, sender=sender, contact_source=contact.source, by=by)
    put_words(host, mailing, subject=subject, html=html, text=text)
    _plan(host, mailing, contact, wanted)
    consent.after_commit(host, lambda: host.wake("send"))
    return mailing


def _as(like: Mailing | None) -> dict[str, Any]:
    """What that mailing says of its own From and Reply-To, and of tracking."""
    names = ("from_name", "from_address", "reply_to", "tracking")
    return {} if like is None else {name: getattr(like, name) for name in names}


def _sender(host: Host, template: Template, sender_id: int | None) -> Sender:
    sender = host.session.get(Sender, sender_id) if sender_id else template.sender
    if sender is None:
        raise BadRequest("Choose a sender for the test; the template has none of its own.")
    return sender


def _checked(addresses: Sequence[str]) -> list[str]:
    wanted = list(dict.fromkeys(address.strip() for address in addresses if address.strip()))
    if not wanted:
        raise BadRequest("Enter at least one address to send the test to.")
    if len(wanted) > MOST:
        raise BadRequest(f"A test goes to {MOST} addresses at most; these are {len(wanted)}.")
    for address in wanted:
        if fault := consent.fault(address):
            raise BadRequest(f"{address}: {fault}")
    return wanted


def _first_contact(host: Host) -> ContactRef:
    for source in host.sources.values():
        found = audience.find(host, source, "", limit=1)
        if found:
            return found[0].ref
    raise BadRequest("There is no contact yet to take the values from.")


def _plan(host: Host, mailing: Mailing, contact: ContactRef, addresses: Sequence[str]) -> None:
    now = host.clock()
    host.session.add_all(
        OutboxMessage(
            mailing_id=mailing.id,
            chunk=0,
            contact_source=contact.source,
            contact_key=contact.key,
            address_role=ROLE,
            occurrence=number,
            channel=Channel.EMAIL.value,
            address=address,
            due_at=now,
        )
        for number, address in enumerate(addresses)
    )
    host.session.add(Chunk(mailing_id=mailing.id, number=0, priority=Priority.TEST))
    host.session.flush()
    outbox.recount(host, mailing.id)
