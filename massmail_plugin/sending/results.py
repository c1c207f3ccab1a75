"""What an answer means: the row, the outcome for the host, and the suppression of an address that is dead.

A chunk run enters and commits: the result and its reports are one transaction.
"""

from datetime import timedelta

from massmail_plugin import outbox, outcomes
from massmail_plugin.contracts import Answer, Host
from massmail_plugin.models import OutboxMessage
from massmail_plugin.sending.recipients import Recipient
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventKind, MessageState, Outcome


def settle(host: Host, recipient: Recipient, answer: Answer, *, count: bool) -> None:
    """Write what became of a message. `count` is False for tests: their rows are settled, nobody is told."""
    if answer.state is MessageState.DEFERRED and _too_old(host, recipient):
        outbox.give_up(host, recipient.id, answer, attempts=recipient.attempts)
        report_failed(host, recipient.id, count=count)
        return
    outbox.settle(host, recipient.id, answer, attempts=recipient.attempts)
    if answer.state is MessageState.SENT and count:
        outcomes.record(host, recipient.id, Outcome.SENT, at=host.clock())
    elif answer.state is MessageState.REFUSED:
        report_failed(host, recipient.id, count=count)
        if count and answer.reply is not None and answer.reply.meaning is Meaning.HARD:
            row = host.session.get_one(OutboxMessage, recipient.id)
            outcomes.lose_address(host, row, EventKind.BOUNCE, words=f"{answer.reply.code} {answer.reply.text}")


def report_failed(host: Host, message_id: int, *, count: bool) -> None:
    """Report that a message failed."""
    if count:
        outcomes.record(host, message_id, Outcome.FAILED, at=host.clock())


def _too_old(host: Host, recipient: Recipient) -> bool:
    limit = timedelta(hours=host.config.give_up_hours)
    return recipient.first_tried_at is not None and host.clock() - recipient.first_tried_at > limit
