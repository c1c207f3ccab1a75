"""Whose wish it is: the mail behind a link, its lists or topic, its contact. Reads only.

It is found as long as anything is kept of the mail: the row, or what stays of it when its age deletes it.
"""

from dataclasses import dataclass

from sqlalchemy import select

from massmail_plugin.consent.contact_keys import has_key
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import ForgottenMail
from massmail_plugin.models import List, Mailing, OutboxMessage, PastMessage, Topic
from massmail_plugin.vocabulary import GONE, NOBODY


@dataclass(frozen=True)
class Recipient:
    """One mail's recipient, and what its mailing was about."""

    message_id: int
    mailing_id: int
    contact: ContactRef
    lists: tuple[List, ...]
    topic: Topic | None
    """What a mailing that went to no list was about; None where it went to lists."""
    is_test: bool
    address: str = ""
    """Empty where it is not kept any more."""
    address_hash: str = ""
    """Of a mail that was deleted for its age; empty where the person was erased."""

    @property
    def list_ids(self) -> tuple[int, ...]:
        return tuple(list_.id for list_ in self.lists)

    @property
    def is_gone(self) -> bool:
        """The contact was deleted or erased, or the mail was none's: nothing is sent, and there is nobody to choose."""
        return self.contact.key == NOBODY or self.contact.key.startswith(GONE)


def recipient(host: Host, message_id: int) -> Recipient:
    """Raises ForgottenMail where nothing is kept of the mail."""
    message: OutboxMessage | PastMessage | None = host.session.get(OutboxMessage, message_id)
    message = message or host.session.get(PastMessage, message_id)
    if message is None:
        raise ForgottenMail("The mail this link was in is not known here any more.")
    mailing = host.session.get(Mailing, message.mailing_id)
    lists = tuple(mailing.lists) if mailing else ()
    return Recipient(
        message.id,
        message.mailing_id,
        ContactRef(message.contact_source, message.contact_key),
        lists,
        None if lists or mailing is None else topic_of(mailing),
        mailing is not None and mailing.is_test,
        message.address if isinstance(message, OutboxMessage) else "",
        message.address_hash or "" if isinstance(message, PastMessage) else "",
    )


def is_known(host: Host, message_id: int) -> bool:
    """Whether anything is kept of the mail."""
    return any(host.session.get(kept, message_id) is not None for kept in (OutboxMessage, PastMessage))


def locale_of(host: Host, contact: ContactRef) -> str:
    """The language the host knows the contact to read, or nothing."""
    source = host.sources.get(contact.source)
    if source is None or source.locale is None:
        return ""
    found = select(source.locale).select_from(source.model).where(has_key(source, [contact.key]))
    return str(host.session.scalar(found) or "")


def topic_of(mailing: Mailing) -> Topic | None:
    """What its template is about."""
    return mailing.template.topic if mailing.template else None
