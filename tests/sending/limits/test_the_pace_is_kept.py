"""N mails in any stretch of time: never more than one too many, whoever works and dies, and hardly fewer."""

from math import inf

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from massmail_plugin.sending.limits import Gate, open_gate

from .conftest import add_sender
from .crowd import Crowd, most_in_any

seeds = st.integers(0, 2**32)
few = settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize(
    ("count", "window", "seconds", "turn"),
    [(10, 1, 20, 0.02), (300, 1, 10, 0.01), (100, 60, 120, 0.05), (1, 2, 60, 0.05), (1000, 3600, 200, 0.2)],
    ids=["10 a second", "300 a second", "100 a minute", "1 in 2 seconds", "1,000 an hour"],
)
@few
@given(lanes=st.integers(1, 5), seed=seeds)
def test_lanes_share_a_window_and_use_it(host, worker, clock, count, window, seconds, turn, lanes, seed):
    sender = add_sender(host, per_window=count, window_seconds=window)
    crowd = Crowd(worker, sender, clock, lanes=lanes, seed=seed)
    crowd.work(seconds, turn=turn)
    assert most_in_any(window, crowd.log) <= count + 1
    assert len(crowd.log) >= 0.95 * seconds * count / window - 1


@few
@given(lanes=st.integers(2, 5), seed=seeds)
def test_workers_that_die_cost_their_permits_and_nothing_more(host, worker, clock, lanes, seed):
    sender = add_sender(host, per_window=100, window_seconds=10)
    crowd = Crowd(worker, sender, clock, lanes=lanes, seed=seed)
    crowd.work(60, deaths=0.1)
    a_second_and_a_half = 15
    assert most_in_any(10, crowd.log) <= 101
    assert len(crowd.log) >= 0.95 * 600 - crowd.deaths * a_second_and_a_half


@few
@given(seed=seeds)
def test_a_restart_of_everything_begins_no_new_window(host, worker, clock, seed):
    sender = add_sender(host, per_window=20, window_seconds=10)
    log: list[float] = []
    for _ in range(5):
        crowd = Crowd(worker, sender, clock, lanes=3, seed=seed)
        crowd.work(7)
        log += crowd.log
    assert most_in_any(10, log) <= 21


@few
@given(seed=seeds)
def test_seconds_between_two_mails(host, worker, clock, seed):
    sender = add_sender(host, seconds_between=3.0)
    crowd = Crowd(worker, sender, clock, lanes=3, seed=seed)
    crowd.work(60)
    assert most_in_any(3.0, crowd.log) <= 2
    assert len(crowd.log) >= 0.95 * 60 / 3 - 1


def test_one_lane_that_is_busy_for_a_while_makes_up_for_nothing(host, clock):
    sender = add_sender(host, per_window=10, window_seconds=1)
    gate = Gate(sender.id, ticks=clock.ticks)
    gate.reserve(host, {"example.org": 100})
    clock.tick(0.85)
    assert sum(gate.admit("example.org") == 0.0 for _ in range(10)) == 1


def test_what_is_given_back_can_be_used_by_others(host, worker, clock):
    sender = add_sender(host, per_window=1, window_seconds=60)
    one, other = Gate(sender.id, ticks=clock.ticks), Gate(sender.id, ticks=clock.ticks)
    one.reserve(host, {"example.org": 1})
    other.reserve(worker(), {"example.org": 1})
    assert other.rest is not None
    one.give_back(host)
    clock.tick(1)
    other.reserve(worker(), {"example.org": 1})
    assert other.admit("example.org") == 0.0
    assert one.admit("example.org") > 0


def test_a_lane_rests_rather_than_waits_long(host, clock):
    sender = add_sender(host, per_window=60, window_seconds=3600)
    gate = Gate(sender.id, ticks=clock.ticks)
    gate.reserve(host, {"example.org": 5})
    assert gate.rest is None
    assert gate.admit("example.org") == 0.0
    gate.reserve(host, {"example.org": 4})
    assert not gate.used_up
    assert (gate.next_at - clock.now).total_seconds() == pytest.approx(61.8, abs=0.1)
    assert gate.reason == "60 an hour at the most; the next may leave at 09:01:01 UTC."
    clock.tick(57)
    gate.reserve(host, {"example.org": 4})
    assert gate.rest is None
    assert gate.admit("example.org") == inf
    clock.tick(3)
    gate.reserve(host, {"example.org": 4})
    assert gate.admit("example.org") == pytest.approx(1.8, abs=0.1)
    clock.tick(2)
    assert gate.admit("example.org") == 0.0


def test_a_sender_without_limits_has_no_gate(host):
    sender = add_sender(host)
    assert open_gate(host, sender) is None
    sender.per_window = 5
    host.session.commit()
    gate = open_gate(host, sender)
    gate.reserve(host, {"example.org": 1})
    assert gate.admit("example.org") == 0.0


def test_nothing_goes_before_the_first_reservation(clock):
    assert Gate(1, ticks=clock.ticks).admit("example.org") == inf


def test_a_mail_that_took_much_longer_than_others_needs_another_permit(host, clock):
    sender = add_sender(host, per_window=10, window_seconds=1)
    gate = Gate(sender.id, ticks=clock.ticks)
    gate.reserve(host, {"example.org": 5})
    assert not any(gate.late(0.3, "example.org") for _ in range(20))
    assert not gate.late(0.35, "example.org")
    assert gate.late(0.5, "example.org")
    assert not gate.late(0.31, "example.org")


def test_a_limit_that_is_lifted_holds_nobody_up(host, clock):
    sender = add_sender(host, per_window=1, window_seconds=3600)
    gate = Gate(sender.id, ticks=clock.ticks)
    gate.reserve(host, {"example.org": 9})
    assert gate.admit("example.org") == 0.0
    gate.reserve(host, {"example.org": 8})
    assert gate.rest is not None
    sender.per_window = 3600
    host.session.commit()
    clock.tick(2)
    gate.reserve(host, {"example.org": 8})
    assert gate.rest is None
    sender.per_window = None
    host.session.commit()
    clock.tick(2)
    gate.reserve(host, {"example.org": 8})
    assert [gate.admit("example.org") for _ in range(50)] == [0.0] * 50
