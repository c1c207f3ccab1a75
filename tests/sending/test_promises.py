"""What a lane promises beside sending: nobody is written to after a stop, a good end, no open transactions."""

import threading
import time
from email import message_from_bytes, policy

import pytest
from flask import current_app
from sqlalchemy import event, select, text

from massmail_plugin import consent, outbox
from massmail_plugin.contracts import Answer
from massmail_plugin.models import Mailing, OutboxMessage
from massmail_plugin.sending import letters, run_lane
from massmail_plugin.sending.way import FRESH_SECONDS
from massmail_plugin.smtp_status import reply
from massmail_plugin.vocabulary import MailingState, MessageState, SuppressionReason, SuppressionScope
from tests.consent.small_host import Person, add_person, clock

from .conftest import subscribe
from .test_lane import launched, rows

TAKEN = Answer(MessageState.SENT, reply(250, "2.0.0 taken"))
LATER = Answer(MessageState.DEFERRED, reply(451, "4.3.0 later"))


def meanwhile(engine, act, seconds=2 * FRESH_SECONDS):
    """Somebody else does something, committed, in a session of their own; then time enough to notice it passes."""
    failed = []

    def other():
        try:
            with engine.begin() as connection:
                act(connection)
        except Exception as error:
            failed.append(error)

    somebody = threading.Thread(target=other)
    somebody.start()
    somebody.join(30)
    assert failed == []
    time.sleep(seconds)


def one_by_one(template):
    template.sender.connections = 1


def in_this_order(host, provider, news, template, addresses, at_first, *, seconds=2 * FRESH_SECONDS, **options):
    """Send to `addresses` over one connection; `at_first` happens while the first is on its way."""
    one_by_one(template)
    refs = [add_person(host, address) for address in addresses]
    subscribe(host, news, *refs)
    mailing = launched(host, template, news, **options)
    engine = host.db.engine

    def answer(message):
        if not provider.messages:
            meanwhile(engine, lambda connection: at_first(connection, refs), seconds)
        return TAKEN

    provider.answer = answer
    run_lane(host, seconds=20)
    return mailing


def test_who_is_suppressed_while_the_chunk_is_on_its_way_gets_nothing(host, provider, news, template):
    def stop_b(connection, refs):
        values = {"a": "b@example.org", "at": host.clock()}
        connection.execute(
            text(
                "INSERT INTO massmail_suppression (address, scope, reason, note, created_at, created_by)"
                " VALUES (:a, 'all_but_transactional', 'by_person', '', :at, '')"
            ),
            values,
        )

    mailing = in_this_order(host, provider, news, template, ["a@example.org", "b@example.org"], stop_b)
    assert [mail.rcpt_to for mail in provider.messages] == ["a@example.org"]
    assert [(row.state, row.reason) for row in rows(host, mailing)] == [("sent", ""), ("skipped", "suppressed")]


def test_nothing_more_leaves_after_a_pause(host, provider, news, template):
    def pause(connection, refs):
        connection.execute(Mailing.__table__.update().values(state=MailingState.PAUSED.value))

    addresses = [f"p{i}@example.org" for i in range(5)]
    mailing = in_this_order(host, provider, news, template, addresses, pause)
    assert len(provider.messages) == 1
    assert outbox.counts(host, mailing.id) == outbox.Counts(sent=1, planned=4)


def test_nothing_goes_to_the_old_address_after_it_was_changed(host, provider, news, template):
    def move_b(connection, refs):
        people = Person.__table__
        where = people.c.id == int(refs[1].key)
        connection.execute(people.update().where(where).values(email1="new@example.org"))

    in_this_order(host, provider, news, template, ["a@example.org", "b@example.org"], move_b, seconds=2.5)
    assert [mail.rcpt_to for mail in provider.messages] == ["a@example.org", "new@example.org"]


def test_a_contact_deleted_while_the_chunk_is_on_its_way_is_skipped(host, provider, news, template):
    def delete_b(connection, refs):
        people = Person.__table__
        connection.execute(people.delete().where(people.c.id == int(refs[1].key)))

    mailing = in_this_order(host, provider, news, template, ["a@example.org", "b@example.org"], delete_b, seconds=2.5)
    assert [(row.state, row.reason) for row in rows(host, mailing)] == [("sent", ""), ("skipped", "contact_gone")]


def test_a_worker_that_lost_its_lease_hands_nothing_more(host, provider, news, template):
    def take_away(connection, refs):
        connection.execute(text("UPDATE massmail_chunk SET leased_by = 'another'"))

    addresses = [f"p{i}@example.org" for i in range(3)]
    mailing = in_this_order(host, provider, news, template, addresses, take_away)
    assert len(provider.messages) == 1
    assert sorted(row.state for row in rows(host, mailing)) == ["planned", "planned", "sent"]


def test_no_transaction_waits_for_a_mail_server(host, provider, news, template):
    began, longest = {}, [0.0]

    def begin(connection):
        began[id(connection)] = time.monotonic()

    def end(connection):
        longest[0] = max(longest[0], time.monotonic() - began.pop(id(connection), time.monotonic()))

    listeners = [("begin", begin), ("commit", end), ("rollback", end)]

    def slow(message):
        time.sleep(1.5)
        return TAKEN

    provider.answer = slow
    one_by_one(template)
    subscribe(host, news, add_person(host, "a@example.org"), add_person(host, "b@example.org"))
    launched(host, template, news)
    for name, listener in listeners:
        event.listen(host.db.engine, name, listener)
    run_lane(host, seconds=20)
    for name, listener in listeners:
        event.remove(host.db.engine, name, listener)
    assert len(provider.messages) == 2
    assert longest[0] < 1.5


def test_a_lane_that_is_told_to_stop_ends_with_what_is_on_its_way(host, provider, news, template):
    one_by_one(template)
    subscribe(host, news, *[add_person(host, f"p{i}@example.org") for i in range(5)])
    mailing = launched(host, template, news)
    told = threading.Event()

    def answer(message):
        if len(provider.messages) == 1:
            told.set()
            time.sleep(0.3)
        return TAKEN

    provider.answer = answer
    report = run_lane(host, seconds=20, stopping=told.is_set)
    assert (report.settled, report.more, len(provider.messages)) == (2, True, 2)
    assert outbox.counts(host, mailing.id) == outbox.Counts(sent=2, planned=3)
    run_lane(host, seconds=20)
    assert len({mail.rcpt_to for mail in provider.messages}) == len(provider.messages) == 5


def test_the_time_of_a_lane_runs_out_within_a_chunk(host, provider, news, template):
    one_by_one(template)
    subscribe(host, news, *[add_person(host, f"p{i}@example.org") for i in range(3)])
    mailing = launched(host, template, news)

    def slow(message):
        time.sleep(0.4)
        return TAKEN

    provider.answer = slow
    report = run_lane(host, seconds=0.5)
    assert report.more
    assert 1 <= report.settled < 3
    assert outbox.counts(host, mailing.id) == outbox.Counts(sent=report.settled, planned=3 - report.settled)


def test_a_lane_leaves_no_journal_behind(host, provider, news, template):
    subscribe(host, news, add_person(host, "a@example.org"))
    launched(host, template, news)
    run_lane(host, seconds=20)
    assert list(host.state_dir.glob("journal/*")) == []


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
    write = letters.Letters.write

    def poisoned(self, message_id, address, name, contact, **options):
        if address == "poison@example.org":
            raise ZeroDivisionError
        return write(self, message_id, address, name, contact, **options)

    monkeypatch.setattr(letters.Letters, "write", poisoned)
    subscribe(host, news, *[add_person(host, f"{name}@example.org") for name in ("a", "poison", "z")])
    mailing = launched(host, template, news)
    run_lane(host, seconds=10)
    assert [(row.state, row.reason) for row in rows(host, mailing)] == [
        ("sent", ""),
        ("refused", "not_built"),
        ("sent", ""),
    ]


def test_a_provider_that_fails_unforeseen_rests_and_its_message_is_uncertain(host, provider, news, template):
    def breaks(message):
        raise ZeroDivisionError

    provider.answer = breaks
    one_by_one(template)
    subscribe(host, news, add_person(host, "a@example.org"), add_person(host, "b@example.org"))
    mailing = launched(host, template, news)
    run_lane(host, seconds=20)
    assert sorted(row.state for row in rows(host, mailing)) == ["planned", "uncertain"]
    assert "ZeroDivisionError" in template.sender.fault


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


def test_an_address_beyond_ascii_that_opts_out_in_the_meantime_gets_nothing(host, provider, news, template):
    subscribe(host, news, add_person(host, "a@example.org"), add_person(host, "b@exämple.org"))
    launched(host, template, news)
    scope = SuppressionScope.ALL_BUT_TRANSACTIONAL
    consent.suppress(host, address="b@exämple.org", scope=scope, reason=SuppressionReason.OPT_OUT)
    host.session.commit()
    run_lane(host, seconds=10)
    assert [mail.rcpt_to for mail in provider.messages] == ["a@example.org"]


@pytest.mark.parametrize("number", [1, 7])
def test_two_lanes_at_once_send_each_mail_once(host, provider, news, template, number):
    subscribe(host, news, *[add_person(host, f"p{i}@example.org") for i in range(10 * number)])
    launched(host, template, news)
    app = current_app._get_current_object()

    def other():
        with app.app_context():
            run_lane(host, seconds=20)

    second = threading.Thread(target=other)
    second.start()
    run_lane(host, seconds=20)
    second.join(60)
    assert len({mail.rcpt_to for mail in provider.messages}) == len(provider.messages) == 10 * number
