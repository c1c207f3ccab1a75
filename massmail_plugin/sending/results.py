"""What answers mean beyond their rows: outcomes for the host, and the end of an address that is dead.

Lanes and recovery enter and commit: the rows and their reports are one transaction.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from massmail_plugin import outbox, outcomes
from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing, OutboxMessage
from massmail_plugin.portable_sql import one_of
from massmail_plugin.smtp_status import Meaning, Reply
from massmail_plugin.vocabulary import EventKind, MailingKind, MessageState, Outcome


def settle(host: Host, results: Sequence[outbox.Result], *, retries: bool, kind: MailingKind) -> None:
    """Write what became of messages of such a mailing, and report it. Of a test the rows are settled alone."""
    _report(host, results, outbox.settle(host, results, retries=retries), kind)


def recover(host: Host) -> int:
    """Set right what dead workers left; the number of chunks. Commits by itself.

    Raises SetupError where the state directory cannot be used.
    """

    def report(mailing_id: int, results: Sequence[outbox.Result], became: Mapping[int, MessageState]) -> None:
        _report(host, results, became, MailingKind(host.session.get_one(Mailing, mailing_id).kind))

    return outbox.recover(host, report)


def report_failed(host: Host, message_ids: Sequence[int]) -> None:
    """Report messages that were refused without ever being handed over."""
    outcomes.record_many(host, message_ids, Outcome.FAILED, at=host.clock(), none_is_test=True)


def _report(
    host: Host, results: Sequence[outbox.Result], became: Mapping[int, MessageState], kind: MailingKind
) -> None:
    """A service mail says nothing of a mailing's success, but its refusal may say that the address is dead."""
    if kind.counted:
        outcomes.record_many(host, _those(became, MessageState.SENT), Outcome.SENT, at=host.clock(), none_is_test=True)
        report_failed(host, _those(became, MessageState.REFUSED))
    if kind is not MailingKind.TEST:
        _look_at_refusals(host, [result for result in results if became.get(result.id) is MessageState.REFUSED])


def _those(became: Mapping[int, MessageState], state: MessageState) -> list[int]:
    return [message_id for message_id, one in became.items() if one is state]


_OF_ADDRESS = (Meaning.HARD, Meaning.FULL, Meaning.BLOCKED, Meaning.SOFT)


def _look_at_refusals(host: Host, refused: Sequence[outbox.Result]) -> None:
    """A refusal that speaks of the address is a bounce; one that says it is dead ends it."""
    bounces = {result.id: _bounce(host, result.id, reply) for result in refused if (reply := _of_address(result))}
    if bounces:
        rows = host.session.scalars(select(OutboxMessage).where(one_of(OutboxMessage.id, list(bounces))))
        outcomes.take_in(host, [outcomes.CameBack(row, bounces[row.id]) for row in rows])


def _of_address(result: outbox.Result) -> Reply | None:
    """The reply of a server that spoke of the address."""
    reply = result.answer.reply if result.answer.state is MessageState.REFUSED else None
    return reply if reply and reply.meaning in _OF_ADDRESS else None


def _bounce(host: Host, message_id: int, reply: Reply) -> outcomes.NewEvent:
    words = f"{reply.code} {reply.text}"
    return outcomes.NewEvent(
        message_id=message_id, kind=EventKind.BOUNCE, at=host.clock(), meaning=reply.meaning.value, detail=words
    )
