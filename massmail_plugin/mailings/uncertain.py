"""Uncertain mails: whose they are, what is known of them, what is decided. Admin and CLI enter and commit."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from massmail_plugin import audience
from massmail_plugin.consent import after_commit
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Mailing, OutboxMessage, Sender
from massmail_plugin.outbox import decide
from massmail_plugin.signed_links import message_id_field
from massmail_plugin.vocabulary import MailingState


@dataclass(frozen=True)
class UncertainMail:
    """One uncertain mail: its row (with what is known), whose it was, and the sender it left through.

    `message_id` is its Message-ID, by which the mail server's log tells whether it was taken.
    """

    message: OutboxMessage
    mailing: Mailing
    contact: ContactRef
    name: str
    sender_name: str
    message_id: str

    @property
    def decided(self) -> bool:
        """True where somebody left it as it is."""
        return self.message.reason == decide.Decision.LEFT.value

    @property
    def sent_again(self) -> bool:
        """True where it had been sent again before, and is uncertain once more."""
        return self.message.reason == decide.Decision.RESENT.value

    @property
    def can_go_again(self) -> bool:
        return self.mailing.state in decide.RESENDABLE


def uncertain_mails(
    host: Host, mailing: Mailing | None = None, *, decided: bool = False, after_id: int = 0, limit: int = 50
) -> list[UncertainMail]:
    """Up to `limit` uncertain mails of one mailing or of all, by row id; with `decided` also those left as they are."""
    which = decide.is_uncertain() if decided else decide.is_undecided()
    seen = audience.visible_rows(host, OutboxMessage.contact_source, OutboxMessage.contact_key)
    query = select(OutboxMessage.id).where(which, OutboxMessage.id > after_id, seen)
    if mailing is not None:
        query = query.where(OutboxMessage.mailing_id == mailing.id)
    ids = host.session.scalars(query.order_by(OutboxMessage.id).limit(limit)).all()
    return _with_names(host, ids)


def _with_names(host: Host, ids: Sequence[int]) -> list[UncertainMail]:
    rows = host.session.execute(
        select(OutboxMessage, Mailing, Sender.name)
        .join(Mailing, Mailing.id == OutboxMessage.mailing_id)
        .outerjoin(Sender, Sender.id == Mailing.sender_id)
        .where(OutboxMessage.id.in_(ids))
        .order_by(OutboxMessage.id)
    ).all()
    refs = [ContactRef(message.contact_source, message.contact_key) for message, *_ in rows]
    found = audience.summaries(host, set(refs))
    return [
        UncertainMail(
            message,
            mailing,
            ref,
            found[ref].name if ref in found else "",
            sender or "",
            message_id_field(host.config, message.id, mailing.message_domain),
        )
        for (message, mailing, sender), ref in zip(rows, refs, strict=True)
    ]


def open_questions(host: Host) -> list[tuple[Mailing, int]]:
    """Every mailing with uncertain mails that nobody has decided on, and their number; the newest first."""
    number = select(OutboxMessage.mailing_id, func.count()).where(decide.is_undecided())
    counted = {row[0]: int(row[1]) for row in host.session.execute(number.group_by(OutboxMessage.mailing_id))}
    mailings = host.session.scalars(select(Mailing).where(Mailing.id.in_(counted)).order_by(Mailing.id.desc()))
    return [(mailing, counted[mailing.id]) for mailing in mailings]


def undecided(host: Host, mailing: Mailing) -> int:
    """How many mails of a mailing wait for a decision."""
    return decide.undecided(host, mailing.id)


def resend_uncertain(host: Host, mailing: Mailing, *, by: str, ids: Sequence[int] | None = None) -> int:
    """Send uncertain mails again (all of the mailing, or those in `ids`), with the Message-ID they had; the number.

    Raises BadRequest for a cancelled mailing, and where none of them waits for a decision any more.
    """
    if mailing.state == MailingState.CANCELLED.value:
        raise BadRequest(
            f"“{mailing.name}” was cancelled, so nothing of it is sent again. Leave its mails as they are."
        )
    number = decide.resend(host, mailing.id, by=by, ids=ids)
    if not number:
        raise _decided_already(mailing)
    after_commit(host, lambda: host.wake("send"))
    return number


def leave_uncertain(host: Host, mailing: Mailing, *, by: str, ids: Sequence[int] | None = None) -> int:
    """Leave uncertain mails as they are, so that nobody is asked about them again; the number.

    Raises BadRequest where none of them waits for a decision any more.
    """
    number = decide.leave(host, mailing.id, by=by, ids=ids)
    if not number:
        raise _decided_already(mailing)
    return number


def _decided_already(mailing: Mailing) -> BadRequest:
    return BadRequest(f"No uncertain mail of “{mailing.name}” waits for this decision; somebody may have made it.")
