"""A worker that lost its lease, or whose answer comes late, harms nobody else's work and its answer still counts."""

import pytest
from sqlalchemy import select

from massmail_plugin import outbox
from massmail_plugin.models import Chunk, Mailing, OutboxMessage
from massmail_plugin.vocabulary import MailingState, SkipReason
from tests.consent.small_host import clock

from .test_outbox import LATER, SENT, filled, hand, states, take


def expire(host):
    clock(host).tick(seconds=host.config.lease_seconds + 1)
    return outbox.recover(host)


def state(host, mailing):
    return host.session.get_one(Mailing, mailing.id, populate_existing=True).state


def finish(host, mailing, chunk):
    outbox.give_back(host, chunk)
    outbox.finish_if_done(host, mailing.id)
    host.session.commit()


def test_a_late_worker_leaves_what_another_has_in_hand_alone(host, mailing):
    filled(host, mailing, 2)
    late, _ = take(host, "late")
    expire(host)
    quick, ids = take(host, "quick")
    assert hand(host, quick, ids[0])
    finish(host, mailing, late)
    assert states(host, mailing) == ["planned", "planned"]
    holders = host.session.scalars(select(Chunk.leased_by)).all()
    assert holders == ["quick"]


@pytest.mark.parametrize("act", ["skip", "not_built"])
def test_what_is_handed_or_uncertain_is_neither_skipped_nor_refused_from_our_side(host, mailing, act):
    filled(host, mailing, 1)
    chunk, (message,) = take(host)
    hand(host, chunk, message)
    for expected in ("planned", "uncertain"):
        if act == "skip":
            outbox.skip(host, {message: (SkipReason.OPTED_OUT, "")})
        else:
            assert not outbox.not_built(host, message, "why")
        host.session.commit()
        assert states(host, mailing) == [expected]
        expire(host)


def test_a_late_yes_counts_after_the_row_was_given_up(host, mailing):
    filled(host, mailing, 1)
    chunk, (message,) = take(host)
    hand(host, chunk, message)
    expire(host)
    assert (states(host, mailing), state(host, mailing)) == (["uncertain"], MailingState.FINISHED)
    outbox.settle(host, message, SENT, attempts=0)
    host.session.commit()
    assert outbox.counts(host, mailing.id) == outbox.Counts(sent=1)
    assert state(host, mailing) == MailingState.FINISHED


def test_a_late_not_now_is_tried_again_although_the_mailing_had_finished(host, mailing):
    filled(host, mailing, 1)
    chunk, (message,) = take(host)
    hand(host, chunk, message)
    expire(host)
    outbox.settle(host, message, LATER, attempts=0)
    host.session.commit()
    assert (states(host, mailing), state(host, mailing)) == (["deferred"], MailingState.SENDING)
    assert outbox.counts(host, mailing.id) == outbox.Counts(deferred=1)
    clock(host).tick(hours=1)
    assert take(host)[1] == [message]


@pytest.mark.parametrize("dies", [False, True])
def test_what_is_put_off_after_its_mailing_was_cancelled_is_cancelled_too(host, mailing, dies):
    filled(host, mailing, 2)
    chunk, (message, _) = take(host)
    hand(host, chunk, message)
    outbox.cancel(host, mailing.id)
    outbox.settle(host, message, LATER, attempts=0)
    host.session.commit()
    if dies:
        expire(host)
    else:
        finish(host, mailing, chunk)
    assert states(host, mailing) == ["cancelled", "cancelled"]
    assert outbox.counts(host, mailing.id) == outbox.Counts(cancelled=2)


def test_two_clocks_apart_slow_things_down_and_send_nothing_twice(host, mailing):
    """The other machine's clock is ahead by more than a lease: it frees chunks that are in use."""
    filled(host, mailing, 1)
    behind, (message,) = take(host, "behind")
    clock(host).tick(hours=1)
    outbox.recover(host)
    ahead, again = take(host, "ahead")
    assert again == [message]
    clock(host).tick(hours=-1)
    assert not hand(host, behind, message), "the holder's name decides, not the clock"
    clock(host).tick(hours=1)
    assert hand(host, ahead, message)


def test_the_number_of_attempts_and_the_first_try_stay_with_the_row(host, mailing):
    filled(host, mailing, 1)
    first = host.clock()
    for attempts in range(3):
        chunk, (message,) = take(host)
        hand(host, chunk, message)
        outbox.settle(host, message, LATER, attempts=attempts)
        finish(host, mailing, chunk)
        clock(host).tick(hours=5)
    row = host.session.get_one(OutboxMessage, message, populate_existing=True)
    assert (row.attempts, row.first_tried_at, row.handed_at) == (3, first, None)
