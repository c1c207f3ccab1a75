"""A server that asks for patience gets it; when it takes all again, the pace comes back by itself."""

import pytest

from massmail_plugin.contracts import Answer
from massmail_plugin.sending.limits import Gate, Trouble, asks_for_patience, open_gate
from massmail_plugin.smtp_status import reply
from massmail_plugin.vocabulary import MessageState

from .conftest import add_sender, standing
from .crowd import Lane

SENT = Answer(MessageState.SENT, reply(250, "2.0.0 taken"))
BUSY = Answer(MessageState.DEFERRED, reply(451, "4.7.0 slow down"))
GONE = Answer(MessageState.REFUSED, reply(550, "5.1.1 nobody here"))


def answers(trouble, clock, *, sent=0, busy=0, domain="", seconds=1.0):
    for _ in range(sent):
        trouble.note(SENT, domain)
    for _ in range(busy):
        trouble.note(BUSY, domain)
    clock.tick(seconds)


@pytest.fixture
def trouble(clock):
    return Trouble(ticks=clock.ticks)


@pytest.mark.parametrize(
    ("answer", "asks"),
    [
        (reply(421, "4.7.0 too many connections"), True),
        (reply(450, "4.7.1 slow down"), True),
        (reply(451, "try again later"), True),
        (reply(454, "4.7.0 busy"), True),
        (reply(452, "4.7.28 rate"), True),
        (reply(450, "4.2.1 mailbox is busy"), False),
        (reply(452, "4.2.2 mailbox is full"), False),
        (reply(450, "4.7.1 Greylisted, come again in 5 minutes"), False),
        (reply(550, "5.1.1 nobody here"), False),
        (reply(250, "2.0.0 taken"), False),
    ],
    ids=lambda value: f"{value.code} {value.text}" if hasattr(value, "code") else "",
)
def test_which_answers_ask_for_patience(answer, asks):
    assert asks_for_patience(answer) is asks


def test_a_fifth_of_such_answers_halves_the_rate(host, clock, trouble):
    sender = add_sender(host)
    answers(trouble, clock, sent=80, busy=20)
    assert trouble.slow_down(host, sender.id)
    assert standing(host, sender).slow_rate == pytest.approx(50)
    assert open_gate(host, sender) is not None


@pytest.mark.parametrize(("sent", "busy"), [(81, 19), (0, 4)])
def test_fewer_change_nothing(host, clock, trouble, sent, busy):
    sender = add_sender(host)
    answers(trouble, clock, sent=sent, busy=busy)
    assert not trouble.slow_down(host, sender.id)
    assert open_gate(host, sender) is None


def test_refused_addresses_slow_nobody(host, clock, trouble):
    sender = add_sender(host)
    for _ in range(50):
        trouble.note(GONE)
    clock.tick(1)
    assert not trouble.slow_down(host, sender.id)


def test_a_connection_that_is_turned_away_is_enough(host, clock, trouble):
    sender = add_sender(host)
    answers(trouble, clock, sent=100)
    trouble.turned_away(reply(421, "4.7.0 too many connections"))
    assert trouble.slow_down(host, sender.id)


def test_answers_to_what_was_under_way_do_not_halve_it_again(host, worker, clock, trouble):
    sender = add_sender(host)
    others = Trouble(ticks=clock.ticks)
    answers(trouble, clock, busy=100, seconds=0.5)
    answers(others, clock, busy=100, seconds=0.5)
    assert trouble.slow_down(host, sender.id)
    clock.tick(0.5)
    assert not others.slow_down(worker(), sender.id)
    assert standing(host, sender).slow_rate == pytest.approx(50)
    clock.tick(2)
    answers(trouble, clock, busy=50)
    assert trouble.slow_down(host, sender.id)
    assert standing(host, sender).slow_rate < 25


def test_it_never_goes_below_one_a_minute(host, clock, trouble):
    sender = add_sender(host)
    for _ in range(30):
        answers(trouble, clock, busy=5, seconds=3)
        trouble.slow_down(host, sender.id)
    assert standing(host, sender).slow_rate == pytest.approx(1 / 60)


def test_the_slowed_pace_is_kept_by_every_lane_and_doubles_each_minute(host, worker, clock, trouble):
    sender = add_sender(host)
    answers(trouble, clock, busy=10)
    trouble.slow_down(host, sender.id)
    assert standing(host, sender).slow_rate == pytest.approx(5)
    lanes = [Lane(worker(), sender, clock) for _ in range(2)]
    minutes = []
    for _ in range(3):
        sent = 0
        for _ in range(1200):
            sent += sum(len(lane.sends()) for lane in lanes)
            clock.tick(0.05)
        minutes.append(sent)
    assert minutes == pytest.approx([300, 600, 1200], rel=0.05)


def test_after_64_times_the_rate_it_is_over(host, clock, trouble):
    sender = add_sender(host)
    answers(trouble, clock, busy=10)
    trouble.slow_down(host, sender.id)
    lane = Lane(host, sender, clock)
    clock.tick(6 * 60)
    lane.gate.reserve(host, {"example.org": 9})
    assert [lane.gate.admit("example.org") for _ in range(500)] == [0.0] * 500
    assert standing(host, sender).slow_rate is None
    assert open_gate(host, sender) is None


def test_it_ends_where_the_senders_own_limit_is_reached(host, clock, trouble):
    sender = add_sender(host, per_window=10, window_seconds=1)
    answers(trouble, clock, busy=10)
    trouble.slow_down(host, sender.id)
    clock.tick(61)
    Gate(sender.id, ticks=clock.ticks).reserve(host, {"example.org": 9})
    assert standing(host, sender).slow_rate is None


def test_a_lane_gives_up_its_permits_of_the_faster_pace(host, clock, trouble):
    sender = add_sender(host, per_window=100, window_seconds=1)
    gate = Gate(sender.id, ticks=clock.ticks)
    gate.reserve(host, {"example.org": 500})
    answers(trouble, clock, busy=5, seconds=1)
    assert trouble.slow_down(host, sender.id)
    gate.reserve(host, {"example.org": 500})
    clock.tick(0.5)
    gate.reserve(host, {"example.org": 500})
    assert sum(gate.admit("example.org") == 0.0 for _ in range(100)) <= 2


def test_trouble_that_goes_on_stops_the_recovery(host, clock, trouble):
    sender = add_sender(host)
    answers(trouble, clock, busy=10)
    trouble.slow_down(host, sender.id)
    first = standing(host, sender).slow_at
    for _ in range(11):
        answers(trouble, clock, sent=2, busy=1 if clock.passed < 2 else 0, seconds=6)
        trouble.slow_down(host, sender.id)
    assert standing(host, sender).slow_at == first
    for _ in range(4):
        answers(trouble, clock, sent=1, busy=1, seconds=20)
        trouble.slow_down(host, sender.id)
    assert standing(host, sender).slow_at > first


def test_one_recipient_domain_is_slowed_by_itself(host, clock, trouble):
    sender = add_sender(host)
    answers(trouble, clock, sent=100, domain="example.org", seconds=0)
    answers(trouble, clock, busy=10, domain="gmail.com")
    assert trouble.slow_down(host, sender.id)
    assert standing(host, sender, "gmail.com").slow_rate == pytest.approx(5)
    lane = Lane(host, sender, clock)
    lane.gate.reserve(host, {"gmail.com": 100, "example.org": 100})
    assert [lane.gate.admit("example.org") for _ in range(50)] == [0.0] * 50
    assert sum(lane.gate.admit("gmail.com") == 0.0 for _ in range(50)) == 1
    clock.tick(6 * 60)
    lane.gate.reserve(host, {"gmail.com": 100})
    assert [lane.gate.admit("gmail.com") for _ in range(50)] == [0.0] * 50
    assert open_gate(host, sender) is None
