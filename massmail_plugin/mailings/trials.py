"""Test mails: a mailing of its own, marked, never counted, ahead of everything else. Admin and CLI enter and commit."""

from collections.abc import Sequence

from massmail_plugin import audience, consent, outbox
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.mailings.launch import open_at_once
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

    With `like`, under the From and Reply-To of that mailing.
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
        **_identity_of(like),
    )
    open_at_once(host, mailing, by=by, subject_prefix=host.config.test_subject_prefix)
    _plan(host, mailing, contact, wanted)
    consent.after_commit(host, lambda: host.wake("send"))
    return mailing


def _identity_of(like: Mailing | None) -> dict[str, str]:
    """What that mailing says of its own From and Reply-To."""
    return {} if like is None else {name: getattr(like, name) for name in ("from_name", "from_address", "reply_to")}


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
