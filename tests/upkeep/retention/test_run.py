"""A run may be stopped anywhere, goes on from there, comes once a day, and is done by one process at a time."""

from datetime import timedelta

import pytest

from massmail_plugin import leases
from massmail_plugin.jobs import scheduler
from massmail_plugin.models import Lease, OutboxMessage, Received, RetentionPass
from massmail_plugin.upkeep import retention
from massmail_plugin.upkeep.retention import messages
from massmail_plugin.upkeep.retention import rows as room
from tests.mailings.statistics.conftest import CHUNKS, EACH, Run
from tests.upkeep.retention.conftest import ended, forget, later, number


@pytest.fixture
def old_mails(host, keep, monkeypatch):
    """One chunk at a time."""
    monkeypatch.setattr(messages, "AT_ONCE", 1)
    keep(messages=365)
    run = ended(Run(host))
    later(host, 800)
    return run


class Stop:
    """Says stop at the n-th question."""

    def __init__(self, after):
        self.left = after

    def __call__(self):
        self.left -= 1
        return self.left < 0


def test_a_run_that_is_stopped_goes_on_from_there(host, old_mails):
    done = retention.run(host, seconds=60, stopping=Stop(2))
    assert (done.forgotten, done.finished) == ({"messages": 2 * EACH}, False)
    assert old_mails.differences() == []
    assert retention.is_due(host)
    assert retention.run(host, seconds=60).forgotten == {"messages": 2 * EACH}
    mark = host.session.get_one(RetentionPass, "messages")
    assert (mark.forgotten, mark.place, mark.done_at) == (CHUNKS * EACH, 0, host.clock())
    assert not retention.is_due(host)
    assert old_mails.differences() == []


def test_a_run_that_dies_leaves_whole_chunks(host, old_mails, monkeypatch):
    real, calls = messages.put_by, []

    def dies(*given):
        calls.append(given)
        if len(calls) == 2:
            raise RuntimeError("killed")
        real(*given)

    monkeypatch.setattr(messages, "put_by", dies)
    with pytest.raises(RuntimeError):
        retention.run(host, seconds=60)
    assert number(host, OutboxMessage) == 3 * EACH
    assert old_mails.differences() == []
    monkeypatch.setattr(messages, "put_by", real)
    assert forget(host).rows == 3 * EACH
    assert old_mails.differences() == []


def test_a_pass_comes_once_a_day(host, keep):
    keep(received=30)
    assert retention.run(host, seconds=60).finished
    add_received(host)
    later(host, 0.9)
    assert retention.run(host, seconds=60).rows == 0
    later(host, 0.2)
    assert retention.run(host, seconds=60).rows == 1


def add_received(host):
    at = host.clock() - timedelta(days=99)
    host.session.add(Received(origin="file", origin_id=str(at), kind="bounce", at=at))
    host.session.commit()


def test_whoever_asks_for_it_has_it_now(host, keep):
    keep(received=30)
    retention.run(host, seconds=60)
    add_received(host)
    assert forget(host).rows == 1


def test_one_process_at_a_time(host, keep):
    keep(received=30)
    host.session.add(Lease(name="retention", holder="other", until=leases.database_now(host) + timedelta(minutes=1)))
    host.session.commit()
    assert retention.run(host, seconds=60) is None


def test_a_dry_run_says_what_a_run_does_and_changes_nothing(host, old_mails):
    add_received(host)
    expected = {one.name: one.rows for one in retention.due(host) if one.rows}
    assert number(host, OutboxMessage) == CHUNKS * EACH
    assert forget(host).forgotten == expected == {"messages": CHUNKS * EACH}


def test_the_scheduler_does_it_bit_by_bit(host, old_mails, monkeypatch):
    monkeypatch.setattr(scheduler, "RETENTION_SECONDS", 30.0)
    assert scheduler.tick(host)
    assert number(host, OutboxMessage) == 0
    assert old_mails.differences() == []
    assert not retention.is_due(host)


def test_large_tables_are_walked_in_windows(host, keep, monkeypatch):
    monkeypatch.setattr(room, "WINDOW", 10)
    keep(received=30)
    at = host.clock() - timedelta(days=99)
    rows = [Received(origin="file", origin_id=str(n), kind="bounce", at=at) for n in range(25)]
    host.session.add_all(rows)
    host.session.commit()
    assert retention.run(host, seconds=60, stopping=Stop(2)).rows == 20
    assert retention.run(host, seconds=60).rows == 5
