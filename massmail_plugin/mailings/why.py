"""Why a contact is among the recipients of a mailing or not: what its outbox says, and how it stands now.

Screens and the command line enter; reads only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import literal, select

from massmail_plugin import audience, consent
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.mailings.recipients import explain, request
from massmail_plugin.models import Mailing, OutboxMessage
from massmail_plugin.vocabulary import MailingKind, MailingState, SkipReason

BEFORE_FILLING = (MailingState.DRAFT.value, MailingState.SCHEDULED.value, MailingState.FILLING.value)


@dataclass(frozen=True)
class Why:
    """`messages` are its rows in the outbox, one for each address: none before it is filled, nor where it is not meant.

    `now` are the steps as they would be taken at this moment (None for a campaign's mail or a test, which goes to whom
    it is told). `held_back` says why a mail that would be planned now could not leave all the same.
    """

    filled: bool
    messages: Sequence[OutboxMessage]
    now: audience.Explanation | None
    held_back: SkipReason | None = None


def why(host: Host, mailing: Mailing, contact: ContactRef) -> Why:
    """The answer for one contact. Raises what the funnel does where the mailing's criterion or addresses do not fit."""
    filled = mailing.state not in BEFORE_FILLING
    messages = _messages(host, mailing, contact) if filled else []
    now = explain(host, mailing, contact) if mailing.kind == MailingKind.ONE_OFF else None
    held_back = _held_back(host, mailing, contact) if now is not None and now.gets_it and not messages else None
    return Why(filled, messages, now, held_back)


def _messages(host: Host, mailing: Mailing, contact: ContactRef) -> Sequence[OutboxMessage]:
    row = OutboxMessage
    found = select(row).where(
        row.mailing_id == mailing.id, row.contact_source == contact.source, row.contact_key == contact.key
    )
    return host.session.scalars(found.order_by(row.id)).all()


def _held_back(host: Host, mailing: Mailing, contact: ContactRef) -> SkipReason | None:
    """What is asked once more when mail is handed over: stops known by the hash of an address, and the strict check."""
    asked = replace(request(host, mailing), only=select(literal(contact.key)))
    found = host.session.execute(audience.select_recipients(host, asked))
    rows = [
        consent.Asked(number, contact.key, row.address, row.list_id)
        for number, row in enumerate(found)
        if row.skip_reason is None
    ]
    purpose = consent.Purpose(mailing.id, tuple(asked.list_ids), next(iter(asked.topic_ids), None))
    stopped = consent.stopped(host, asked.source_name, rows, purpose)
    return None if len(stopped) < len(rows) else next(iter(stopped.values()), None)
