"""So many a day, to the last one: counted exactly, given back when unused, more each day of a warm-up."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from massmail_plugin.models import Sender
from massmail_plugin.sending.limits import Gate, Limits, able, spill

from .conftest import MORNING, add_sender, standing
from .crowd import LOTS, Crowd, Lane

TODAY = MORNING.date()


def sends_all(host, sender, clock, limit=1000):
    """What one lane sends until it must rest."""
    lane, sent = Lane(host, sender, clock), 0
    while lane.gate.rest is None and sent < limit:
        sent += len(lane.sends())
        clock.tick(0.05)
    return sent, lane.gate


def may_send(host):
    host.session.rollback()
    return set(host.session.scalars(select(Sender.id).where(able(host))))


def test_a_quota_is_used_to_the_last_and_not_further(host, clock):
    sender = add_sender(host, per_day=300)
    sent, gate = sends_all(host, sender, clock)
    assert sent == 300
    assert gate.used_up
    assert gate.reason == "300 of 300 for today are sent; goes on at 00:00 UTC."
    assert gate.next_at == MORNING.replace(hour=0) + timedelta(days=1)
    clock.tick((gate.next_at - clock.now).total_seconds())
    assert sends_all(host, sender, clock)[0] == 300


@pytest.mark.parametrize("lanes", [2, 5])
def test_lanes_share_a_quota(host, worker, clock, lanes):
    sender = add_sender(host, per_day=500)
    crowd = Crowd(worker, sender, clock, lanes=lanes, seed=7)
    crowd.work(10)
    assert len(crowd.log) == 500


def test_a_worker_that_dies_costs_a_fiftieth_at_most(host, worker, clock):
    sender = add_sender(host, per_day=500)
    crowd = Crowd(worker, sender, clock, lanes=3, seed=7)
    crowd.work(10, turn=0.5, deaths=1.0)
    assert crowd.deaths
    assert 500 - 10 * crowd.deaths <= len(crowd.log) <= 500


def test_unused_permits_return_to_the_quota(host, worker, clock):
    sender = add_sender(host, per_day=100, per_window=600, window_seconds=60)
    lane = Lane(host, sender, clock)
    for _ in range(5):
        lane.gate.reserve(host, LOTS)
        clock.tick(30)
    assert lane.gate.admit("example.org") > 0
    lane.gate.give_back(host)
    assert standing(host, sender).day_count == 0
    assert sends_all(worker(), sender, clock)[0] == 100


def test_a_mail_that_was_admitted_and_did_not_leave_does_not_count(host, clock):
    sender = add_sender(host, per_day=100)
    gate = Gate(sender.id, ticks=clock.ticks)
    gate.reserve(host, LOTS)
    assert gate.admit("example.org") == 0.0
    gate.put_back()
    gate.give_back(host)
    assert standing(host, sender).day_count == 0


def test_yesterdays_permits_do_not_count_for_today(host, clock):
    sender = add_sender(host, per_day=100)
    clock.tick(14.9 * 3600)
    lane = Lane(host, sender, clock)
    lane.gate.reserve(host, LOTS)
    clock.tick(3600)
    assert sends_all(host, sender, clock)[0] == 100
    assert lane.gate.admit("example.org") > 0
    lane.gate.reserve(host, LOTS)
    assert lane.gate.used_up
    assert standing(host, sender).day_count == 100


def test_nothing_begins_in_the_last_seconds_of_a_counted_day(host, clock):
    sender = add_sender(host, per_day=10)
    clock.tick(15 * 3600 - 1.0)
    gate = Gate(sender.id, ticks=clock.ticks)
    gate.reserve(host, LOTS)
    assert gate.admit("example.org") > 0
    assert gate.rest is None
    clock.tick(1.1)
    gate.reserve(host, LOTS)
    assert gate.admit("example.org") == 0.0


def test_a_quota_that_is_spread_is_used_evenly(host, clock):
    sender = add_sender(host, per_day=864, spreads_day=True)
    lane, sent = Lane(host, sender, clock), 0
    for _ in range(1000):
        sent += len(lane.sends())
        clock.tick(1)
    assert sent == 10


@given(first=st.integers(1, 1000), per_day=st.none() | st.integers(1, 100_000), age=st.integers(-10, 500))
def test_a_new_sender_sends_half_as_much_again_each_day(first, per_day, age):
    limits = Limits(id=1, per_day=per_day, ramp_from=TODAY, ramp_first=first)
    quota = limits.quota(TODAY + timedelta(days=age))
    warm = first * 1.5 ** max(age, 0) if age < 365 else None
    if warm is not None and (per_day is None or warm < per_day) and warm < 10**9:
        assert quota == int(warm)
    else:
        assert quota == per_day


def test_the_warm_up_is_kept_day_by_day(host, clock):
    sender = add_sender(host, per_day=200, ramp_from=TODAY, ramp_first=50)
    sent = []
    for _ in range(5):
        number, gate = sends_all(host, sender, clock)
        sent.append(number)
        clock.tick((gate.next_at - clock.now).total_seconds())
    assert sent == [50, 75, 112, 168, 200]


class TestSpillingOver:
    """When a quota is used up, another sender carries on, within its own limits."""

    @pytest.fixture
    def chain(self, host):
        third = add_sender(host)
        second = add_sender(host, per_day=20, spill_to_id=third.id)
        first = add_sender(host, per_day=10, spill_to_id=second.id)
        return first, second, third

    def test_the_chain_is_followed(self, host, clock, chain):
        first, second, third = chain
        assert spill(host, first) == first.id
        sends_all(host, first, clock)
        assert spill(host, first) == second.id
        sends_all(host, second, clock)
        assert spill(host, first) == third.id
        assert spill(host, second) == third.id

    def test_tomorrow_it_is_the_first_ones_turn_again(self, host, clock, chain):
        first, _, _ = chain
        sends_all(host, first, clock)
        clock.tick(86_400)
        assert spill(host, first) == first.id

    def test_a_sender_at_fault_is_not_spilled_over_to(self, host, clock, chain):
        first, second, _ = chain
        sends_all(host, first, clock)
        second.fault_until = clock.now + timedelta(minutes=1)
        host.session.commit()
        assert spill(host, first) == first.id
        assert first.id not in may_send(host)

    def test_a_circle_ends_where_it_began(self, host, clock):
        one, other = add_sender(host, per_day=5), add_sender(host, per_day=5)
        one.spill_to_id, other.spill_to_id = other.id, one.id
        host.session.commit()
        sends_all(host, one, clock)
        assert spill(host, one) == other.id
        sends_all(host, other, clock)
        assert spill(host, one) == one.id
        assert spill(host, other) == other.id
        assert may_send(host) == set()


def test_senders_that_rest_are_left_out_of_claims(host, clock):
    free, used_up = add_sender(host), add_sender(host, per_day=5)
    slow = add_sender(host, per_window=1, window_seconds=60)
    carried = add_sender(host, per_day=5, spill_to_id=free.id)
    assert may_send(host) == {free.id, used_up.id, slow.id, carried.id}
    for sender in (used_up, slow, carried):
        sends_all(host, sender, clock)
    assert may_send(host) == {free.id, carried.id}
    clock.tick(57)
    assert may_send(host) == {free.id, carried.id, slow.id}
