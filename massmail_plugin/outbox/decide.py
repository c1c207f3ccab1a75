"""What becomes of uncertain messages: sent again or left as they are, by a person or by their sender's setting.

Mailings enters and its doors commit; `apply_policy`, which the reconciler calls, commits by itself.
"""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, literal, select, tuple_, update

from massmail_plugin.contracts import Host
from massmail_plugin.leases import database_now
from massmail_plugin.models import Chunk, Mailing, OutboxMessage, Sender
from massmail_plugin.outbox.counters import recount
from massmail_plugin.outbox.finish import reopen
from massmail_plugin.outbox.lock import lock_mailing
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import MailingState, MessageState, UncertainPolicy

BY_SETTING = "the setting of the sender"
RESENDABLE = (MailingState.SENDING.value, MailingState.PAUSED.value, MailingState.FINISHED.value)


class Decision(StrEnum):
    """The `reason` of a message that was uncertain, once it was decided on."""

    LEFT = "left"
    RESENT = "resent"


def resend(host: Host, mailing_id: int, *, by: str, ids: Sequence[int] | None = None) -> int:
    """Plan uncertain messages of a mailing again, under the Message-ID they had; the number of them.

    `ids` narrows it to some of them; what is not uncertain, or was left on purpose, is not touched. A finished mailing
    is opened again; of a cancelled one nothing is sent.
    """
    lock_mailing(host, mailing_id)
    mailing = select(Mailing.id).where(Mailing.id == mailing_id, Mailing.state.in_(RESENDABLE))
    return _plan_again(host, mailing_id, by, OutboxMessage.mailing_id.in_(mailing), *_narrowed(ids))


def leave(host: Host, mailing_id: int, *, by: str, ids: Sequence[int] | None = None) -> int:
    """Let uncertain messages of a mailing be: they stay uncertain and are asked about no more; the number of them."""
    where = OutboxMessage.mailing_id == mailing_id, is_undecided(), *_narrowed(ids)
    lock_mailing(host, mailing_id)
    note = _noted(host, f"Left as it is by {by}")
    number = changed(host, update(OutboxMessage).where(*where).values(reason=Decision.LEFT.value, reply_text=note))
    host.session.expire_all()
    return number


def apply_policy(host: Host) -> int:
    """Send again what is uncertain at senders whose setting says so, each message once at the most; the number.

    One transaction for each mailing, committed here.
    """
    mailings = (
        select(Chunk.mailing_id)
        .join(Mailing, Mailing.id == Chunk.mailing_id)
        .join(Sender, Sender.id == Mailing.sender_id)
        .where(Chunk.uncertain > 0, Mailing.state.in_(RESENDABLE))
        .where(Sender.uncertain_policy == UncertainPolicy.RESEND.value)
        .distinct()
    )
    ids = list(host.session.scalars(mailings))
    host.session.commit()
    return sum(_by_setting(host, mailing_id) for mailing_id in ids)


def is_uncertain(*in_chunks: ColumnElement[bool]) -> ColumnElement[bool]:
    """Uncertain messages; only chunks that hold some (and are as `in_chunks` says) are read."""
    chunks = select(Chunk.mailing_id, Chunk.number).where(Chunk.uncertain > 0, *in_chunks)
    here = tuple_(OutboxMessage.mailing_id, OutboxMessage.chunk).in_(chunks)
    return and_(here, OutboxMessage.state == MessageState.UNCERTAIN.value)


def is_undecided() -> ColumnElement[bool]:
    """Uncertain messages that nobody has left on purpose."""
    return and_(is_uncertain(), OutboxMessage.reason != Decision.LEFT.value)


def undecided(host: Host, mailing_id: int) -> int:
    """How many messages of a mailing wait for a decision."""
    query = select(func.count()).where(OutboxMessage.mailing_id == mailing_id, is_undecided())
    return host.session.scalar(query) or 0


def _by_setting(host: Host, mailing_id: int) -> int:
    lock_mailing(host, mailing_id)
    first_time = OutboxMessage.mailing_id == mailing_id, OutboxMessage.reason != Decision.RESENT.value
    number = _plan_again(host, mailing_id, BY_SETTING, *first_time, is_uncertain(Chunk.leased_by.is_(None)))
    host.session.commit()
    return number


def _plan_again(host: Host, mailing_id: int, by: str, *where: ColumnElement[bool]) -> int:
    """The caller holds the mailing."""
    wanted = is_undecided(), *where
    numbers = list(host.session.scalars(select(OutboxMessage.chunk).where(*wanted).distinct()))
    values = {
        "state": MessageState.PLANNED.value,
        "reason": Decision.RESENT.value,
        "reply_text": _noted(host, f"Sent again by {by}"),
        "due_at": database_now(host),
        "handed_at": None,
        "first_tried_at": None,
        "settled_at": None,
    }
    planned = changed(host, update(OutboxMessage).where(*wanted).values(values))
    for number in numbers:
        recount(host, mailing_id, from_number=number, to_number=number)
    if planned:
        reopen(host, mailing_id)
        host.session.expire_all()
    return planned


def _noted(host: Host, what: str) -> ColumnElement[str]:
    """What is known of a message, and what was decided, by whom and when."""
    now = host.clock()
    return OutboxMessage.reply_text.concat(literal(f" {what} on {now.day} {now:%b %Y at %H:%M} UTC."))


def _narrowed(ids: Sequence[int] | None) -> list[ColumnElement[bool]]:
    return [] if ids is None else [OutboxMessage.id.in_(ids)]
