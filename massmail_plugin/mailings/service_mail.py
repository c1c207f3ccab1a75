"""Mails that one person asked for just now: is this sign-up meant, here is your lost link. Doors and sign-ups enter.

They leave ahead of the mailings, through the same outbox. Flushes only; the door commits.
"""

from datetime import timedelta

from sqlalchemy import delete, select

from massmail_plugin import consent, outbox
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.mailings.ready_words import open_ready, put_words
from massmail_plugin.models import Chunk, Mailing, OutboxMessage, PreparedMessage, Sender
from massmail_plugin.portable_sql import changed
from massmail_plugin.signed_links import message_token
from massmail_plugin.vocabulary import NOBODY, Channel, MailingKind, Priority

TOKEN = "token-of-this-mail"
"""Stands in `html` and `text` where the mail's own token belongs: `preferences_url(host.config, TOKEN)`."""
ROLE = "service"
KEPT_DAYS = 14
"""So long the words stay after the mail has left."""
SLICE = 500


def send_service(
    host: Host,
    *,
    sender: Sender,
    subject: str,
    html: str,
    text: str,
    address: str,
    contact: ContactRef | None,
    by: str = "",
) -> OutboxMessage:
    """Put a mail to `address` into the outbox, ahead of all mailings; sent once the caller commits.

    The words are final: nothing is filled in but `TOKEN`. `contact` is whom the mail's own links act for, None for
    an address that is no contact's (its links then lead nowhere). It goes out whatever was opted out of, and neither
    header nor statistics treat it as a mailing. Nothing goes to an address that is dead or complained: the row is
    skipped by the worker. Raises BadRequest for an address that cannot be written to.
    """
    if fault := consent.fault(address):
        raise BadRequest(f"{address}: {fault}")
    source = contact.source if contact else next(iter(host.sources))
    mailing = open_ready(host, kind=MailingKind.SERVICE, name=subject, sender=sender, contact_source=source, by=by)
    message = OutboxMessage(
        mailing_id=mailing.id,
        chunk=0,
        contact_source=source,
        contact_key=contact.key if contact else NOBODY,
        address_role=ROLE,
        channel=Channel.EMAIL.value,
        address=address.strip(),
        due_at=host.clock(),
    )
    host.session.add_all([message, Chunk(mailing_id=mailing.id, number=0, priority=Priority.CONFIRMATION)])
    host.session.flush()
    token = message_token(host.config, message.id, mailing.id)
    put_words(host, mailing, subject=subject, html=html.replace(TOKEN, token), text=text.replace(TOKEN, token))
    host.session.flush()
    outbox.recount(host, mailing.id)
    consent.after_commit(host, lambda: host.wake("send"))
    return message


def any_sender(host: Host) -> Sender | None:
    """The sender for service mails where nobody chose one: the first that passed its test, else the first there is."""
    return host.session.scalar(select(Sender).order_by(Sender.tested_at.is_(None), Sender.id).limit(1))


def forget_words(host: Host) -> int:
    """Delete what service mails said, some days after they left; how many, at most a slice."""
    end = host.clock() - timedelta(days=KEPT_DAYS)
    old = (
        select(PreparedMessage.mailing_id)
        .join(Mailing, Mailing.id == PreparedMessage.mailing_id)
        .where(Mailing.kind == MailingKind.SERVICE.value, Mailing.finished_at < end)
        .limit(SLICE)
    )
    return changed(host, delete(PreparedMessage).where(PreparedMessage.mailing_id.in_(old)))
