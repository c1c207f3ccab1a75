"""A limit for one recipient domain holds its mail back, and no other."""

from massmail_plugin.sending.limits import Gate, open_gate

from .conftest import add_sender
from .crowd import Lane, most_in_any

GMAIL = [{"domain": "Gmail.com", "per_window": 2, "window_seconds": 1}]
MIXED = {"gmail.com": 500, "example.org": 500}


def log_of(lane, clock, seconds, waiting):
    """The times of the mails that left, by domain."""
    log = {domain: [] for domain in waiting}
    for _ in range(int(seconds / 0.05)):
        for domain in lane.sends(waiting):
            log[domain].append(clock.passed)
        clock.tick(0.05)
    return log


def test_only_the_limited_domain_waits(host, clock):
    sender = add_sender(host, domain_limits=GMAIL)
    lane = Lane(host, sender, clock)
    assert open_gate(host, sender) is not None
    log = log_of(lane, clock, 20, {"gmail.com": 500, "example.org": 1})
    assert most_in_any(1, log["gmail.com"]) <= 3
    assert 37 <= len(log["gmail.com"]) <= 41
    assert len(log["example.org"]) == 400
    assert lane.gate.limited_domains == {"gmail.com"}


def test_both_limits_hold_together(host, clock):
    sender = add_sender(host, per_window=10, window_seconds=1, domain_limits=GMAIL)
    log = log_of(Lane(host, sender, clock), clock, 20, MIXED)
    together = sorted(log["gmail.com"] + log["example.org"])
    assert most_in_any(1, together) <= 11
    assert most_in_any(1, log["gmail.com"]) <= 3
    assert len(together) >= 0.93 * 200
    assert len(log["gmail.com"]) >= 0.9 * 40


def test_lanes_share_the_limit_of_a_domain(host, worker, clock):
    sender = add_sender(host, domain_limits=GMAIL)
    lanes = [Lane(worker(), sender, clock) for _ in range(3)]
    log = []
    for _ in range(400):
        for lane in lanes:
            log += [clock.passed] * len(lane.sends({"gmail.com": 100}))
        clock.tick(0.05)
    assert most_in_any(1, log) <= 3
    assert len(log) >= 0.93 * 40


def test_a_chunk_of_one_domain_takes_no_more_of_the_sender_than_it_can_use(host, worker, clock):
    slow = [{"domain": "gmail.com", "per_window": 1, "window_seconds": 2}]
    sender = add_sender(host, per_window=100, window_seconds=10, domain_limits=slow)
    one, other = Lane(host, sender, clock), Lane(worker(), sender, clock)
    sent = 0
    for _ in range(400):
        one.sends({"gmail.com": 500})
        sent += len(other.sends({"example.org": 500}))
        clock.tick(0.05)
    assert sent >= 0.85 * 200


def test_the_chunk_rests_and_the_sender_does_not(host, worker, clock):
    rare = [{"domain": "gmail.com", "per_window": 1, "window_seconds": 60}]
    sender = add_sender(host, domain_limits=rare)
    gate = Gate(sender.id, ticks=clock.ticks)
    gate.reserve(host, {"gmail.com": 3})
    assert gate.admit("gmail.com") == 0.0
    gate.reserve(host, {"gmail.com": 2})
    assert gate.rest is not None
    assert not gate.rest.whole
    assert gate.reason == "gmail.com: 1 a minute at the most; the next may leave at 09:01:01 UTC."
    clock.tick(1)
    gate.reserve(host, {"gmail.com": 2, "example.org": 1})
    assert gate.rest is None
    assert gate.admit("example.org") == 0.0
