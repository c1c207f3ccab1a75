"""What a lane promises beside sending: no open transaction on the network, an end in good order, no endless rounds."""

from email import message_from_bytes, policy

import pytest
from sqlalchemy import event, select

from massmail_plugin import consent, outbox
from massmail_plugin.contracts import Answer
from massmail_plugin.errors import CannotConnect
from massmail_plugin.models import OutboxMessage
from massmail_plugin.providers.recording import RecordingCarriage
from massmail_plugin.sending import letters, run_lane
from massmail_plugin.smtp_status import reply
from massmail_plugin.vocabulary import MessageState, SuppressionReason, SuppressionScope
from tests.consent.small_host import add_person, clock

from .conftest import subscribe
from .test_lane import launched, rows

TAKEN = Answer(MessageState.SENT, reply(250, "2.0.0 taken"))
LATER = Answer(MessageState.DEFERRED, reply(451, "4.3.0 later"))


@pytest.fixture
def open_transactions(host):
    """How many transactions the database sees open at this moment."""
    seen = [0]
    events = {"begin": 1, "commit": -1, "rollback": -1}
    listeners = [(name, lambda connection, step=step: count(step)) for name, step in events.items()]

    def count(step):
        seen[0] += step

    for name, listener in listeners:
        event.listen(host.db.engine, name, listener)
    yield seen
    for name, listener in listeners:
        event.remove(host.db.engine, name, listener)


@pytest.mark.parametrize("answer", [TAKEN, LATER, Answer(MessageState.REFUSED, reply(550, "5.1.1 nobody"))])
def test_no_transaction_is_open_while_the_network_or_a_hook_of_the_host_is_used(
    host, provider, news, template, open_transactions, monkeypatch, answer
):
    at = {"message": [], "hook": [], "close": []}

    def on_the_way(message):
        at["message"].append(open_transactions[0])
        return answer

    provider.answer = on_the_way
    host.hooks.before_send.append(lambda fact: at["hook"].append(open_transactions[0]))
    monkeypatch.setattr(RecordingCarriage, "close", lambda carriage: at["close"].append(open_transactions[0]))
    subscribe(host, news, *[add_person(host, f"p{i}@example.org") for i in range(5)])
    launched(host, template, news, bcc="boss@example.org")
    assert open_transactions == [0]
    run_lane(host, seconds=10)
    assert set(at["message"]) == set(at["hook"]) == set(at["close"]) == {0}
    assert len(at["hook"]) == 5


def test_no_transaction_is_open_when_a_sender_at_fault_is_hung_up_on(
    host, provider, news, template, open_transactions, monkeypatch
):
    closed = []

    def fault(message):
        raise CannotConnect("connect", "The server does not answer.")

    provider.answer = fault
    monkeypatch.setattr(RecordingCarriage, "close", lambda carriage: closed.append(open_transactions[0]))
    subscribe(host, news, add_person(host, "a@example.org"))
    launched(host, template, news)
    run_lane(host, seconds=10)
    assert closed == [0]


def test_a_lane_that_is_told_to_stop_ends_with_the_message_in_hand(host, provider, news, template):
    subscribe(host, news, *[add_person(host, f"p{i}@example.org") for i in range(5)])
    mailing = launched(host, template, news)
    report = run_lane(host, seconds=10, stopping=lambda: len(provider.messages) == 2)
    assert (report.settled, report.more, len(provider.messages)) == (2, True, 2)
    assert outbox.counts(host, mailing.id) == outbox.Counts(sent=2, planned=3)
    run_lane(host, seconds=10)
    assert len({mail.rcpt_to for mail in provider.messages}) == len(provider.messages) == 5


def test_the_time_of_a_lane_runs_out_within_a_chunk(host, provider, news, template):
    def slow(message):
        clock(host).tick(seconds=20)
        return TAKEN

    provider.answer = slow
    subscribe(host, news, *[add_person(host, f"p{i}@example.org") for i in range(3)])
    mailing = launched(host, template, news)
    assert run_lane(host, seconds=30).settled == 2
    assert outbox.counts(host, mailing.id) == outbox.Counts(sent=2, planned=1)


def test_a_mail_put_off_keeps_its_message_id(host, provider, news, template):
    tried = []

    def twice(message):
        tried.append(message_from_bytes(message.content, policy=policy.default)["Message-ID"])
        return LATER if len(tried) == 1 else TAKEN

    provider.answer = twice
    subscribe(host, news, add_person(host, "a@example.org"))
    launched(host, template, news)
    run_lane(host, seconds=10)
    clock(host).tick(hours=1)
    run_lane(host, seconds=10)
    assert len(tried) == 2
    assert len(set(tried)) == 1


def test_a_mail_that_cannot_be_made_fails_alone_whatever_was_raised(host, provider, news, template, monkeypatch):
    build = letters.build

    def poisoned(parts):
        if parts.to_address == "poison@example.org":
            raise ZeroDivisionError
        return build(parts)

    monkeypatch.setattr(letters, "build", poisoned)
    subscribe(host, news, *[add_person(host, f"{name}@example.org") for name in ("a", "poison", "z")])
    mailing = launched(host, template, news)
    run_lane(host, seconds=10)
    assert [(row.state, row.reason) for row in rows(host, mailing)] == [
        ("sent", ""),
        ("refused", "not_built"),
        ("sent", ""),
    ]


def test_a_stop_that_only_the_last_look_sees_ends_in_a_skipped_row(host, provider, news, template, monkeypatch):
    """Otherwise the chunk would be leased, given back and leased again for ever."""
    subscribe(host, news, add_person(host, "a@example.org"), add_person(host, "b@example.org"))
    mailing = launched(host, template, news)
    scope = SuppressionScope.ALL_BUT_TRANSACTIONAL
    consent.suppress(host, address="a@example.org", scope=scope, reason=SuppressionReason.BY_PERSON)
    host.session.commit()
    monkeypatch.setattr(consent, "stopped", lambda host, rows: {})
    run_lane(host, seconds=10)
    assert [(row.state, row.reason) for row in rows(host, mailing)] == [("skipped", "suppressed"), ("sent", "")]


def test_a_hook_that_breaks_the_session_keeps_its_mail_back_and_no_other(host, provider, news, template):
    one, two = add_person(host, "a@example.org"), add_person(host, "b@example.org")
    subscribe(host, news, one, two)

    def breaks(fact):
        if fact.contact == one:
            host.session.execute(select(OutboxMessage.id).where(OutboxMessage.id == "x" * 3 + "\0"))
            raise RuntimeError("down")

    host.hooks.before_send.append(breaks)
    mailing = launched(host, template, news)
    run_lane(host, seconds=10)
    assert [row.state for row in rows(host, mailing)] == ["skipped", "sent"]


def test_an_address_beyond_ascii_that_opts_out_between_reading_and_handing_over_gets_nothing(
    host, provider, news, template
):
    one, two = add_person(host, "a@example.org"), add_person(host, "b@exämple.org")
    subscribe(host, news, one, two)
    launched(host, template, news)

    def suppress_the_second(message):
        scope = SuppressionScope.ALL_BUT_TRANSACTIONAL
        consent.suppress(host, address="b@exämple.org", scope=scope, reason=SuppressionReason.OPT_OUT)
        host.session.commit()
        return TAKEN

    provider.answer = suppress_the_second
    run_lane(host, seconds=10)
    assert [mail.rcpt_to for mail in provider.messages] == ["a@example.org"]
