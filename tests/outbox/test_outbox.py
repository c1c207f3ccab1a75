"""A row before a message, a lease before a hand-over, a mark before the content, and nothing twice."""

import pytest
from sqlalchemy import select, update

from massmail_plugin import outbox
from massmail_plugin.contracts import Answer
from massmail_plugin.models import Chunk, Mailing, OutboxMessage
from massmail_plugin.smtp_status import reply
from massmail_plugin.vocabulary import HoldReason, MailingState, MessageState, SkipReason
from tests.consent.small_host import Person, add_person, clock

from .conftest import everybody, persons


def filled(host, mailing, number):
    persons(host, number)
    outbox.fill(host, mailing, everybody(), due_at=host.clock())
    host.session.commit()


def states(host, mailing):
    query = select(OutboxMessage.state).where(OutboxMessage.mailing_id == mailing.id).order_by(OutboxMessage.id)
    return [state.value if hasattr(state, "value") else state for state in host.session.scalars(query)]


def take(host, name="one"):
    chunk = outbox.lease_chunk(host, name)
    return chunk, [row.id for row in outbox.rows_to_send(host, chunk)] if chunk else []


def hand(host, chunk, message, *unless):
    return outbox.HandOver(host, chunk, *unless).mark(message)


SENT = Answer(MessageState.SENT, reply(250, "2.0.0 taken"))
LATER = Answer(MessageState.DEFERRED, reply(451, "4.3.0 later"))
NEVER = Answer(MessageState.REFUSED, reply(550, "5.1.1 nobody here"))


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
    assert outbox.lease_chunk(host, "three") is None
    assert one.id != two.id
    assert not set(first) & set(second)


def test_a_message_is_handed_once(host, mailing):
    filled(host, mailing, 1)
    chunk, (message,) = take(host)
    assert hand(host, chunk, message)
    assert not hand(host, chunk, message)


def test_nothing_is_handed_while_paused_cancelled_or_after_the_lease(host, mailing):
    filled(host, mailing, 2)
    chunk, (first, second) = take(host)
    outbox.hold(host, mailing.id, HoldReason.BY_PERSON)
    host.session.commit()
    assert not hand(host, chunk, first)
    outbox.resume(host, mailing.id, filled=True)
    clock(host).tick(seconds=host.config.lease_seconds + 1)
    assert not hand(host, chunk, second)


def test_a_clause_that_holds_stops_the_hand_over_in_the_same_statement(host, mailing):
    filled(host, mailing, 1)
    chunk, (message,) = take(host)
    assert not hand(host, chunk, message, OutboxMessage.address == "p0@example.org")
    assert hand(host, chunk, message, OutboxMessage.address == "other@example.org")


def test_answers_settle_rows_and_the_mailing_finishes_with_the_last(host, mailing):
    filled(host, mailing, 3)
    chunk, ids = take(host)
    for message, answer in zip(ids, (SENT, NEVER, LATER), strict=True):
        assert hand(host, chunk, message)
        outbox.settle(host, message, answer, attempts=0)
    outbox.give_back(host, chunk)
    assert not outbox.finish_if_done(host, mailing.id)
    assert states(host, mailing) == ["sent", "refused", "deferred"]
    assert outbox.counts(host, mailing.id) == outbox.Counts(sent=1, refused=1, deferred=1)

    assert outbox.lease_chunk(host, "early") is None
    clock(host).tick(seconds=host.config.retry_first_seconds * 1.3)
    chunk, (late,) = take(host)
    assert hand(host, chunk, late)
    outbox.settle(host, late, SENT, attempts=1)
    outbox.give_back(host, chunk)
    assert outbox.finish_if_done(host, mailing.id)
    host.session.commit()
    assert host.session.get_one(Mailing, mailing.id).state == MailingState.FINISHED


def test_a_worker_that_dies_leaves_only_what_it_had_handed_uncertain(host, mailing):
    filled(host, mailing, 4)
    chunk, ids = take(host)
    hand(host, chunk, ids[0])
    outbox.settle(host, ids[0], SENT, attempts=0)
    host.session.commit()
    hand(host, chunk, ids[1])
    clock(host).tick(seconds=host.config.lease_seconds + 1)
    assert outbox.recover(host) == 1
    assert states(host, mailing) == ["sent", "uncertain", "planned", "planned"]
    _, again = take(host, "two")
    assert again == ids[2:]


def test_a_late_answer_settles_an_uncertain_row(host, mailing):
    filled(host, mailing, 1)
    chunk, (message,) = take(host)
    hand(host, chunk, message)
    clock(host).tick(seconds=host.config.lease_seconds + 1)
    outbox.recover(host)
    outbox.settle(host, message, SENT, attempts=0)
    assert states(host, mailing) == ["sent"]


def test_cancelling_leaves_what_is_handed_to_its_answer(host, mailing):
    filled(host, mailing, 3)
    chunk, ids = take(host)
    hand(host, chunk, ids[0])
    assert outbox.cancel(host, mailing.id)
    assert not outbox.cancel(host, mailing.id)
    assert states(host, mailing) == ["planned", "cancelled", "cancelled"]
    outbox.settle(host, ids[0], SENT, attempts=0)
    assert outbox.counts(host, mailing.id).cancelled == 2


def test_retry_takes_exactly_the_refused(host, mailing):
    filled(host, mailing, 3)
    chunk, ids = take(host)
    for message, answer in zip(ids, (SENT, NEVER, SENT), strict=True):
        hand(host, chunk, message)
        outbox.settle(host, message, answer, attempts=0)
    outbox.give_back(host, chunk)
    outbox.finish_if_done(host, mailing.id)
    assert outbox.retry_refused(host, mailing.id) == 1
    host.session.commit()
    assert states(host, mailing) == ["sent", "planned", "sent"]
    assert host.session.get_one(Mailing, mailing.id).state == MailingState.SENDING
    assert take(host)[1] == [ids[1]]


def test_a_skipped_row_keeps_its_reason_and_is_never_handed(host, mailing):
    filled(host, mailing, 1)
    chunk, (message,) = take(host)
    outbox.skip(host, {message: (SkipReason.OPTED_OUT, "")})
    assert not hand(host, chunk, message)
    assert host.session.get_one(OutboxMessage, message).reason == SkipReason.OPTED_OUT


@pytest.mark.parametrize("held", ["sender", "mailing"])
def test_a_chunk_waits_while_its_sender_or_mailing_is_held(host, mailing, held):
    filled(host, mailing, 1)
    if held == "sender":
        mailing.sender.fault_until = clock(host).now.replace(year=2030)
    else:
        host.session.execute(update(Mailing).values(state=MailingState.PAUSED.value))
    host.session.commit()
    assert outbox.lease_chunk(host, "one") is None


def test_rows_of_a_person_who_is_gone_stay_as_the_record(host, mailing):
    filled(host, mailing, 1)
    host.session.query(Person).delete()
    host.session.commit()
    assert states(host, mailing) == ["planned"]
