"""What answers mean beyond their rows: outcomes for the host, and the end of an address that is dead.

Lanes and recovery enter and commit: the rows and their reports are one transaction.
"""

from collections.abc import Mapping, Sequence

from massmail_plugin import outbox, outcomes
from massmail_plugin.contracts import Host
from massmail_plugin.models import Event, Mailing, OutboxMessage
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventKind, MailingKind, MessageState, Outcome


def settle(host: Host, results: Sequence[outbox.Result], *, retries: bool, is_test: bool) -> None:
    """Write what became of messages, and report it. Of a test the rows are settled and nobody is told."""
    became = outbox.settle(host, results, retries=retries)
    if not is_test:
        _report(host, results, became)


def recover(host: Host) -> int:
    """Set right what dead workers left; the number of chunks. Commits by itself.

    Raises SetupError where the state directory cannot be used.
    """

    def report(mailing_id: int, results: Sequence[outbox.Result], became: Mapping[int, MessageState]) -> None:
        mailing = host.session.get_one(Mailing, mailing_id)
        if mailing.kind != MailingKind.TEST:
            _report(host, results, became)

    return outbox.recover(host, report)


def report_failed(host: Host, message_ids: Sequence[int]) -> None:
    """Report messages that were refused without ever being handed over."""
    outcomes.record_many(host, message_ids, Outcome.FAILED, at=host.clock(), none_is_test=True)


def _report(host: Host, results: Sequence[outbox.Result], became: Mapping[int, MessageState]) -> None:
    outcomes.record_many(host, _those(became, MessageState.SENT), Outcome.SENT, at=host.clock(), none_is_test=True)
    report_failed(host, _those(became, MessageState.REFUSED))
    for result in results:
        if became.get(result.id) is MessageState.REFUSED:
            _look_at_refusal(host, result)


def _those(became: Mapping[int, MessageState], state: MessageState) -> list[int]:
    return [message_id for message_id, one in became.items() if one is state]


def _look_at_refusal(host: Host, result: outbox.Result) -> None:
    """A refusal that speaks of the address is a bounce; one that says it is dead ends it."""
    reply = result.answer.reply
    if reply is None or result.answer.state is not MessageState.REFUSED:
        return
    row, words = host.session.get_one(OutboxMessage, result.id), f"{reply.code} {reply.text}"
    if reply.meaning is Meaning.HARD:
        outcomes.lose_address(host, row, EventKind.BOUNCE, words=words)
    elif reply.meaning in (Meaning.FULL, Meaning.BLOCKED, Meaning.SOFT):
        kind, at = EventKind.BOUNCE.value, host.clock()
        host.session.add(Event(message_id=row.id, mailing_id=row.mailing_id, kind=kind, at=at, detail=words))
