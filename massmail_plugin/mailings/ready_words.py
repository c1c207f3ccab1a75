"""Mailings of finished words, in which nothing is filled in: reports to the house, mails somebody asked for.

Trials and service mails enter; flushes only.
"""

from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing, PreparedMessage, Sender
from massmail_plugin.vocabulary import MailingKind, MailingState


def open_ready(
    host: Host, *, kind: MailingKind, name: str, sender: Sender, contact_source: str, by: str = ""
) -> Mailing:
    """A mailing that sends at once, without audience, template or tracking; its words and rows come from the caller."""
    now = host.clock()
    mailing = Mailing(
        name=name[:200],
        kind=kind.value,
        state=MailingState.SENDING.value,
        contact_source=contact_source,
        address_roles=[],
        one_per_address=False,
        tracking=False,
        sender=sender,
        message_domain=sender.from_address.rpartition("@")[2] or host.config.domain,
        created_at=now,
        created_by=by,
        launched_at=now,
        launched_by=by,
    )
    host.session.add(mailing)
    host.session.flush()
    return mailing


def put_words(host: Host, mailing: Mailing, *, subject: str, html: str, text: str) -> None:
    """What its mails say, exactly so, under its sender's identity. `html` may be empty; it holds no style sheet."""
    sender = mailing.sender
    assert sender is not None
    host.session.add(
        PreparedMessage(
            mailing_id=mailing.id,
            subject=_literal(subject),
            html=html.replace("{", "&#123;"),
            text=_literal(text),
            tracks_opens=False,
            from_name=sender.from_name,
            from_address=sender.from_address,
            reply_to=sender.reply_to,
            bcc="",
        )
    )


def _literal(text: str) -> str:
    """As Liquid that prints exactly this."""
    return text.replace("{", "{{ '{' }}")
