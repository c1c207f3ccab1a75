"""Somebody sets the clock: sending does not stand still for more than a minute, and at most twice as much leaves."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from massmail_plugin.models import Pace
from massmail_plugin.sending.limits import Gate

from .conftest import add_sender, standing
from .crowd import Crowd, most_in_any

JUMPS = [{"hours": 1}, {"hours": -1}, {"days": 1}, {"days": -1}, {"minutes": -5}, {"seconds": -40}]


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_paced_sender_goes_on(host, worker, clock, jump):
    sender = add_sender(host, per_window=20, window_seconds=10)
    crowd = Crowd(worker, sender, clock, lanes=3, seed=1)
    crowd.work(20)
    clock.jump(**jump)
    crowd.work(90)
    pauses = [later - sooner for sooner, later in zip(crowd.log, crowd.log[1:], strict=False)]
    assert max(pauses) <= 61
    assert most_in_any(10, crowd.log) <= 40
    assert crowd.log[-1] > clock.passed - 2


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_daily_quota_is_at_most_used_twice(host, worker, clock, jump):
    sender = add_sender(host, per_day=100)
    crowd = Crowd(worker, sender, clock, lanes=2, seed=1)
    crowd.work(3)
    clock.jump(**jump)
    crowd.work(3)
    clock.jump(**{unit: -number for unit, number in jump.items()})
    crowd.work(3)
    assert len(crowd.log) in (100, 200)


def test_a_slow_down_ends_though_the_clock_was_set_back(host, worker, clock):
    sender = add_sender(host, per_window=100, window_seconds=1)
    crowd = Crowd(worker, sender, clock, lanes=1, seed=1)
    crowd.work(1)
    host.session.execute(_slowed(clock.now))
    host.session.commit()
    clock.jump(hours=-2)
    crowd.work(400, turn=0.2)
    clock.tick(60)
    before = len(crowd.log)
    crowd.work(5, turn=0.01)
    assert len(crowd.log) - before >= 0.9 * 500


def _slowed(at):
    return update(Pace).values(slow_rate=1 / 2, slow_at=at)


def test_a_worker_whose_own_clock_is_wrong_keeps_the_pace_of_the_others(worker, engine, clock):
    """On PostgreSQL the database's clock rules, whatever the workers' machines think."""
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one machine, and so one clock")
    host = worker(lambda: datetime.now(UTC))
    sender = add_sender(host, per_window=1, window_seconds=60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("massmail_plugin.leases.datetime", _five_minutes_fast())
        off = worker(lambda: datetime.now(UTC) + timedelta(minutes=5))
        Gate(sender.id, ticks=clock.ticks).reserve(off, {"example.org": 1})
    there = host.session.scalar(select(func.clock_timestamp()))
    assert abs(standing(host, sender).next_at - there - timedelta(seconds=61.8)) < timedelta(seconds=10)


def _five_minutes_fast():
    class Fast(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(minutes=5)

    return Fast
