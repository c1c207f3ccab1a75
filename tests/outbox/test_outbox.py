"""A row before a message, a lease before a hand-over, an answer in every row, and nothing twice."""

from itertools import pairwise

import pytest
from sqlalchemy import select, update

from massmail_plugin import outbox
from massmail_plugin.models import Chunk, Mailing, OutboxMessage
from massmail_plugin.vocabulary import MailingState, SkipReason
from tests.consent.small_host import Person, add_person, clock

from .conftest import LATER, NEVER, SENT, everybody, filled, settle, states, take


def test_every_recipient_has_a_row_and_those_without_address_are_skipped(host, mailing):
    add_person(host)
    filled(host, mailing, 5)
    assert sorted(states(host, mailing)) == ["planned"] * 5 + ["skipped"]
    assert outbox.counts(host, mailing.id) == outbox.Counts(planned=5, skipped=1)
    assert host.session.query(Chunk).count() == 2


def test_filling_again_adds_nobody_twice(host, mailing):
    filled(host, mailing, 5)
    assert outbox.fill(host, mailing, everybody(), due_at=host.clock()) == 0
    add_person(host, "new@example.org")
    assert outbox.fill(host, mailing, everybody(), due_at=host.clock()) == 1
    assert outbox.counts(host, mailing.id).planned == 6


def test_one_address_has_one_waiting_row_whatever_the_select_says(host, mailing):
    add_person(host, "same@example.org")
    add_person(host, "Same@example.org")
    outbox.fill(host, mailing, everybody(), due_at=host.clock())
    assert outbox.counts(host, mailing.id).planned == 1


def test_two_workers_never_lease_the_same_chunk(host, mailing):
    filled(host, mailing, 8)
    one, first = take(host, "one")
    two, second = take(host, "two")
    assert take(host, "three")[0] is None
    assert one.id != two.id
    assert not {row.id for row in first} & {row.id for row in second}


def test_the_urgent_goes_first(host, mailing):
    filled(host, mailing, 12)
    last = host.session.scalars(select(Chunk).order_by(Chunk.id.desc())).first()
    last.priority = 0
    host.session.commit()
    assert take(host)[0].id == last.id


def test_a_worker_that_has_enough_of_a_sender_takes_from_others(host, mailing):
    filled(host, mailing, 4)
    assert outbox.lease_chunk(host, "one", "here", but=[mailing.sender_id]) is None
    assert outbox.lease_chunk(host, "one", "here", but=[mailing.sender_id + 1]) is not None


def test_a_lease_is_held_until_it_is_lost_or_the_mailing_stops(host, mailing):
    filled(host, mailing, 1)
    chunk, _ = take(host)
    assert outbox.held(host, [chunk]) == {chunk.id}
    outbox.cancel(host, mailing.id)
    assert outbox.held(host, [chunk]) == set()
    assert outbox.held(host, []) == set()


def test_answers_settle_rows_and_the_mailing_finishes_with_the_last(host, mailing):
    filled(host, mailing, 3)
    chunk, rows = take(host)
    settle(host, rows, SENT, NEVER, LATER)
    assert outbox.give_back(host, chunk)
    host.session.commit()
    assert states(host, mailing) == ["sent", "refused", "deferred"]
    assert outbox.counts(host, mailing.id) == outbox.Counts(sent=1, refused=1, deferred=1)
    assert host.session.get_one(Mailing, mailing.id).state == MailingState.SENDING

    assert take(host, "early")[0] is None
    clock(host).tick(seconds=host.config.retry_first_seconds * 1.3)
    chunk, late = take(host)
    assert [row.id for row in late] == [rows[2].id]
    settle(host, late, SENT)
    outbox.give_back(host, chunk)
    host.session.commit()
    assert host.session.get_one(Mailing, mailing.id).state == MailingState.FINISHED


def test_a_row_says_what_the_server_said_and_when(host, mailing):
    filled(host, mailing, 1)
    _, rows = take(host)
    settle(host, rows, SENT, at=1_700_000_000.5)
    row = host.session.get_one(OutboxMessage, rows[0].id, populate_existing=True)
    assert (row.reply_code, row.reply_enhanced, row.reply_text) == (250, "2.0.0", "2.0.0 taken")
    assert row.handed_at.timestamp() == pytest.approx(1_700_000_000.5)
    assert (row.attempts, row.first_tried_at, row.due_at) == (1, host.clock(), None)


def test_waits_grow_and_end_as_given_up(host, mailing):
    filled(host, mailing, 1)
    waits = []
    for _ in range(40):
        chunk, rows = take(host)
        settle(host, rows, LATER)
        outbox.give_back(host, chunk)
        host.session.commit()
        row = host.session.get_one(OutboxMessage, rows[0].id, populate_existing=True)
        if row.state == "refused":
            break
        waits.append((row.due_at - host.clock()).total_seconds())
        clock(host).now = row.due_at
    assert (row.state, row.reason) == ("refused", "gave_up")
    assert sum(waits) > (host.config.give_up_hours - 5) * 3600
    assert host.config.retry_first_seconds <= waits[0] <= host.config.retry_first_seconds * 1.25
    assert all(later > 1.5 * earlier for earlier, later in pairwise(waits[:7]))
    assert row.attempts == len(waits) + 1


def test_a_mailing_that_does_not_retry_refuses_at_once(host, mailing):
    filled(host, mailing, 1)
    _, rows = take(host)
    settle(host, rows, LATER, retries=False)
    row = host.session.get_one(OutboxMessage, rows[0].id, populate_existing=True)
    assert (row.state, row.reason, row.reply_code) == ("refused", "not_retried", 451)


def test_a_final_row_is_not_written_again(host, mailing):
    filled(host, mailing, 1)
    _, rows = take(host)
    settle(host, rows, NEVER)
    settle(host, rows, SENT)
    assert states(host, mailing) == ["refused"]


def test_a_cancelled_mailing_leaves_what_a_worker_has_in_hand_to_the_worker(host, mailing):
    filled(host, mailing, 6)
    chunk, rows = take(host)
    assert outbox.cancel(host, mailing.id)
    assert not outbox.cancel(host, mailing.id)
    host.session.commit()
    assert states(host, mailing) == ["planned"] * 4 + ["cancelled"] * 2
    settle(host, rows[:2], SENT, LATER)
    outbox.give_back(host, chunk)
    host.session.commit()
    assert states(host, mailing) == ["sent"] + ["cancelled"] * 5
    assert outbox.counts(host, mailing.id) == outbox.Counts(sent=1, cancelled=5)


def test_retry_takes_exactly_the_refused(host, mailing):
    filled(host, mailing, 3)
    chunk, rows = take(host)
    settle(host, rows, SENT, NEVER, SENT)
    outbox.give_back(host, chunk)
    assert outbox.retry_refused(host, mailing.id) == 1
    host.session.commit()
    assert states(host, mailing) == ["sent", "planned", "sent"]
    assert host.session.get_one(Mailing, mailing.id).state == MailingState.SENDING
    assert [row.id for row in take(host)[1]] == [rows[1].id]


def test_a_skipped_row_keeps_its_reason_and_is_not_taken_again(host, mailing):
    filled(host, mailing, 1)
    chunk, (row,) = take(host)
    outbox.skip(host, {row.id: (SkipReason.OPTED_OUT, "")})
    outbox.give_back(host, chunk)
    host.session.commit()
    assert host.session.get_one(OutboxMessage, row.id, populate_existing=True).reason == SkipReason.OPTED_OUT
    assert take(host)[0] is None


def test_a_mailing_whose_last_worker_died_is_finished_by_the_reconciler(host, mailing):
    filled(host, mailing, 1)
    _, rows = take(host)
    assert outbox.finish_done(host) == 0
    settle(host, rows, SENT)
    host.session.execute(update(Chunk).values(due_at=None, leased_by=None))
    host.session.commit()
    assert outbox.finish_done(host) == 1
    assert host.session.get_one(Mailing, mailing.id).state == MailingState.FINISHED


@pytest.mark.parametrize("held", ["sender", "mailing"])
def test_a_chunk_waits_while_its_sender_or_mailing_is_held(host, mailing, held):
    filled(host, mailing, 1)
    if held == "sender":
        mailing.sender.fault_until = clock(host).now.replace(year=2030)
    else:
        host.session.execute(update(Mailing).values(state=MailingState.PAUSED.value))
    host.session.commit()
    assert take(host)[0] is None


def test_rows_of_a_person_who_is_gone_stay_as_the_record(host, mailing):
    filled(host, mailing, 1)
    host.session.query(Person).delete()
    host.session.commit()
    assert states(host, mailing) == ["planned"]
