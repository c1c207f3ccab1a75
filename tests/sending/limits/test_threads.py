"""Eight workers that reserve at the same instant, each over a connection of its own."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import chain
from threading import Barrier

import pytest

from massmail_plugin.sending.limits import Gate

from .conftest import add_sender, standing
from .crowd import most_in_any

WORKERS = 8
TWO = {"gmail.com": 50, "example.org": 50}


def real_time():
    return datetime.now(UTC)


def together(worker, sender, work):
    """Run `work(gate, host)` in eight threads that start at once; their results."""
    hosts, start = [worker(real_time) for _ in range(WORKERS)], Barrier(WORKERS)

    def run(host):
        gate = Gate(sender.id)
        start.wait()
        return work(gate, host)

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(run, hosts))


def test_no_permit_is_given_out_twice(host, worker):
    sender = add_sender(host, per_day=400, per_window=100_000, window_seconds=60)

    def use_all(gate, host):
        used, end = 0, time.monotonic() + 60
        while gate.rest is None and time.monotonic() < end:
            gate.reserve(host, {"example.org": 1000})
            while gate.admit("example.org") == 0.0:
                used += 1
            time.sleep(0.001)
        gate.give_back(host)
        return used

    assert sum(together(worker, sender, use_all)) == 400
    assert standing(host, sender).day_count == 400


def test_times_do_not_overlap(host, worker):
    sender = add_sender(host, per_window=50, window_seconds=1)
    began = time.monotonic()

    def use_for_a_while(gate, host):
        log, end = [], began + 4
        while time.monotonic() < end:
            gate.reserve(host, {"example.org": 1000})
            if gate.admit("example.org") == 0.0:
                log.append(time.monotonic())
            time.sleep(0.001)
        return log

    log = sorted(chain.from_iterable(together(worker, sender, use_for_a_while)))
    assert most_in_any(1, log) <= 51
    assert len(log) >= 100


@pytest.mark.parametrize("rounds", [25])
def test_sender_and_domain_are_reserved_without_deadlock(host, worker, rounds):
    limits = [{"domain": "gmail.com", "per_window": 1000, "window_seconds": 1}]
    sender = add_sender(host, per_window=10_000, window_seconds=1, domain_limits=limits)

    def reserve_and_return(gate, host):
        for _ in range(rounds):
            gate.reserve(host, TWO)
            gate.give_back(host)
        return rounds

    assert together(worker, sender, reserve_and_return) == [rounds] * WORKERS
