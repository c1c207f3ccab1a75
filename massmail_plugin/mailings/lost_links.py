"""Lost links: somebody asks for a new one, and it goes to the address if mails do. Public asks, the scheduler answers.

Asking looks nothing up, so that neither the answer nor the time it takes tells whether an address is known.
Flushes only.
"""

import logging
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, func, select

from massmail_plugin import consent
from massmail_plugin.audience.contacts.at_address import contacts_at
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.mailings.service_letter import ServiceLetter
from massmail_plugin.mailings.service_mail import TOKEN, any_sender, send_service
from massmail_plugin.models import LinkRequest, Mailing, OutboxMessage, Sender
from massmail_plugin.opt_out import locale_of
from massmail_plugin.signed_links import preferences_url
from massmail_plugin.translations import Words, words_in
from massmail_plugin.vocabulary import MailingKind

log = logging.getLogger(__name__)

PER_ADDRESS = (timedelta(minutes=15), 1), (timedelta(days=1), 5)
"""Answered requests for one address within such a time, at the most."""
PER_NETWORK = (timedelta(hours=1), 20)
KEPT = timedelta(days=1)
MOST_CONTACTS = 5
"""Contacts with the same address that get a link of their own."""
SLICE = 20


def ask_for_link(host: Host, address: str, *, language: str, network: str) -> None:
    """Note that somebody asks for the link of an address. More than enough requests are passed over, without a word.

    `network` is where the request came from. Raises BadRequest for what is no address.
    """
    if fault := consent.fault(address.strip()):
        raise BadRequest(fault)
    normal = consent.normalised(address)
    if not _is_enough(host, normal, network):
        request = LinkRequest(address=normal, locale=language, network=network, at=host.clock())
        host.session.add(request)
        host.session.flush()


def answer_lost_links(host: Host) -> int:
    """Send the links that were asked for, some at a time, and forget old requests; how many were answered."""
    host.session.execute(delete(LinkRequest).where(LinkRequest.at < host.clock() - KEPT))
    waiting = select(LinkRequest).where(~LinkRequest.answered).order_by(LinkRequest.id).limit(SLICE)
    requests = host.session.scalars(waiting.with_for_update(skip_locked=True)).all()
    for request in requests:
        request.answered = True
        for contact in contacts_at(host, request.address)[:MOST_CONTACTS]:
            _send(host, request, contact)
    host.session.flush()
    return len(requests)


def _is_enough(host: Host, address: str, network: str) -> bool:
    limits = [(LinkRequest.address == address, *limit) for limit in PER_ADDRESS]
    limits.append((LinkRequest.network == network, *PER_NETWORK))
    return any(_count(host, which, within) >= most for which, within, most in limits)


def _count(host: Host, which: ColumnElement[bool], within: timedelta) -> int:
    query = select(func.count()).select_from(LinkRequest).where(which, LinkRequest.at > host.clock() - within)
    return host.session.scalar(query) or 0


def _send(host: Host, request: LinkRequest, contact: ContactRef) -> None:
    sender = _last_sender(host, contact) or any_sender(host)
    if sender is None:
        log.warning("Somebody asked for a lost link, and there is no sender to send it with")
        return
    letter = _letter(host, words_in([request.locale, locale_of(host, contact)], host.config))
    send_service(
        host,
        sender=sender,
        subject=letter.subject,
        html=letter.html,
        text=letter.text,
        address=request.address,
        contact=contact,
    )


def _letter(host: Host, words: Words) -> ServiceLetter:
    _ = words
    organisation = host.config.organisation or host.config.domain
    return ServiceLetter(
        host.config,
        words,
        _("Your link to the mails from %(organisation)s", organisation=organisation),
        [
            _("Somebody, probably you, asked us for this link."),
            _("With it you can unsubscribe, choose lists, get fewer mails, or take a break:"),
        ],
        preferences_url(host.config, TOKEN),
        _("Choose my mails"),
        [_("Whoever has this link can choose for you, so please do not pass this mail on.")],
    )


def _last_sender(host: Host, contact: ContactRef) -> Sender | None:
    """Whose mails the contact knows."""
    latest = (
        select(Mailing.sender_id)
        .join(OutboxMessage, OutboxMessage.mailing_id == Mailing.id)
        .where(
            OutboxMessage.contact_source == contact.source,
            OutboxMessage.contact_key == contact.key,
            Mailing.kind != MailingKind.TEST.value,
            Mailing.sender_id.is_not(None),
        )
        .order_by(OutboxMessage.id.desc())
        .limit(1)
    )
    sender_id = host.session.scalar(latest)
    return host.session.get(Sender, sender_id) if sender_id else None
