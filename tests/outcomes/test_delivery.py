"""Reports reach the host at least once and in order, whatever its hooks do with the session."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from massmail_plugin import leases, outcomes
from massmail_plugin.contracts import Hooks
from massmail_plugin.models import Lease, Mailing, OutboxMessage, OutcomeReport
from massmail_plugin.outcomes import Step, statuses, tasks
from massmail_plugin.outcomes.turn import LEASE_SECONDS
from massmail_plugin.vocabulary import MailingKind, MailingState, Outcome
from tests.consent.small_host import Person, add_person, clock

from .test_where_statuses_go import mapped, small_host  # noqa: F401


@pytest.fixture
def host(small_host):  # noqa: F811
    """With hooks of this test's own, every outcome mapped."""
    return replace(mapped(small_host), hooks=Hooks())


def mails(host, number):
    """A mailing to so many contacts; the rows."""
    now = host.clock()
    mailing = Mailing(name="N", state=MailingState.SENDING.value, contact_source="person", created_at=now)
    host.session.add(mailing)
    host.session.flush()
    refs = [add_person(host, f"p{i}@example.org", status="new") for i in range(number)]
    rows = [
        OutboxMessage(
            mailing_id=mailing.id, chunk=0, contact_source="person", contact_key=ref.key, address_role="main",
            address=f"p{i}@example.org",
        )
        for i, ref in enumerate(refs)
    ]  # fmt: skip
    host.session.add_all(rows)
    host.session.commit()
    return [row.id for row in rows]


def happened(host, ids, *what):
    for outcome in what:
        outcomes.record_many(host, ids, outcome, at=host.clock())
    host.session.commit()


def set_statuses(host):
    return host.session.scalars(
        select(Person.status).order_by(Person.id).execution_options(populate_existing=True)
    ).all()


def waiting(host):
    """Reports that have not reached the host."""
    return host.session.query(OutcomeReport).filter(OutcomeReport.state.in_(["waiting", "untold"])).count()


def test_a_crash_between_the_status_and_the_hook_repeats_the_hook_with_the_same_report(host, monkeypatch):
    heard, crashes = [], [True]

    def hook(fact):
        heard.append((fact.report_id, fact.status))
        if crashes[0]:
            raise KeyboardInterrupt

    host.hooks.on_outcome.append(hook)
    happened(host, mails(host, 1), Outcome.READ)
    with pytest.raises(KeyboardInterrupt):
        outcomes.deliver(host)
    assert (set_statuses(host), waiting(host)) == (["is_read"], 1)
    host.session.query(Person).update({"status": "chosen by hand"})
    host.session.commit()
    crashes[0] = False
    assert outcomes.deliver(host) == 1
    assert heard[0] == heard[1]
    assert set_statuses(host) == ["chosen by hand"], "the status was set once and is not set again"


@pytest.mark.parametrize("act", ["commit", "rollback", "remove", "close"])
def test_a_hook_may_do_with_the_session_what_it_likes(host, act):
    heard = []

    def hook(fact):
        heard.append(fact.contact.key)
        host.session.execute(select(Person.id))
        getattr(host.session, act)()

    host.hooks.on_outcome.append(hook)
    happened(host, mails(host, 4), Outcome.SENT, Outcome.READ)
    assert outcomes.deliver(host) == 8
    assert (set_statuses(host), waiting(host), len(heard)) == (["is_read"] * 4, 0, 8)


def test_a_hook_that_leaves_the_session_broken_is_asked_again(host):
    broken = [True]

    def hook(fact):
        if broken[0]:
            host.session.add(Person(id=int(fact.contact.key)))
            host.session.expunge_all()
            host.session.add(Person(id=int(fact.contact.key)))

    host.hooks.on_outcome.append(hook)
    happened(host, mails(host, 2), Outcome.SENT)
    assert outcomes.deliver(host) == 0
    assert waiting(host) == 2
    broken[0] = False
    clock(host).tick(hours=1)
    assert outcomes.deliver(host) == 2


@pytest.mark.parametrize("act", ["commit", "rollback"])
def test_a_status_hook_that_ends_our_transaction_is_named_and_costs_only_its_own_report(host, act):
    ids = mails(host, 5)
    wicked = str(host.session.get_one(OutboxMessage, ids[2]).contact_key)

    def set_status(fact):
        host.session.get_one(Person, int(fact.contact.key)).status = fact.new
        if fact.contact.key == wicked:
            getattr(host.session, act)()

    host.hooks.set_status = set_status
    happened(host, ids, Outcome.SENT)
    assert outcomes.deliver(host) == 4
    late = host.session.scalars(select(OutcomeReport).where(OutcomeReport.state == "waiting")).one()
    assert (late.message_id, late.attempts) == (ids[2], 1)
    assert "must do neither" in late.problem
    assert [status for number, status in enumerate(set_statuses(host)) if number != 2] == ["is_sent"] * 4


def test_the_hooks_hear_of_one_contact_in_order_over_many_batches(host, monkeypatch):
    monkeypatch.setattr(tasks, "BATCH", 2)
    heard = {}
    host.hooks.on_outcome.append(lambda fact: heard.setdefault(fact.contact.key, []).append(fact.outcome.value))
    happened(host, mails(host, 3), Outcome.SENT, Outcome.READ, Outcome.CLICKED)
    assert outcomes.deliver(host) == 9
    assert set(map(tuple, heard.values())) == {("sent", "read", "clicked")}


@pytest.mark.parametrize("step", Step)
def test_one_process_does_a_step_at_a_time(host, step):
    host.hooks.on_outcome.append(lambda fact: None)
    happened(host, mails(host, 3), Outcome.SENT)
    leases.take(host, step.value, seconds=1000)
    host.session.execute(update(Lease).values(holder="another:1"))
    host.session.commit()
    assert outcomes.deliver(host) == (3 if step is Step.WEBHOOKS else 0)


def test_a_lost_lease_ends_a_turn(host):
    happened(host, mails(host, 3), Outcome.SENT)

    def slow(fact):
        clock(host).tick(seconds=LEASE_SECONDS)
        host.session.execute(update(Lease).values(holder="another:1", until=host.clock().replace(year=2100)))

    host.hooks.on_outcome.append(slow)
    assert outcomes.deliver(host, seconds=10_000) == 1
    assert waiting(host) == 2


def test_a_slow_hook_keeps_no_status_waiting(host):
    """All statuses are set before the first function is called; each step can be done by a process of its own."""
    seen = []
    host.hooks.on_outcome.append(lambda fact: seen.append(set_statuses(host)))
    happened(host, mails(host, 3), Outcome.SENT)
    assert outcomes.deliver_step(host, Step.STATUSES, seconds=60) == 0
    assert set_statuses(host) == ["is_sent"] * 3
    assert (seen, waiting(host)) == ([], 3)
    assert outcomes.deliver_step(host, Step.HOOKS, seconds=60) == 3
    assert (seen, waiting(host)) == ([["is_sent"] * 3] * 3, 0)


def test_a_slow_status_hook_decides_on_what_is_true_then(host, monkeypatch):
    """What was read before is not relied on for longer than half a second."""
    monkeypatch.setattr(statuses, "SLOW_SECONDS", 0.0)
    old = []

    def set_status(fact):
        old.append(fact.old)
        host.session.get_one(Person, int(fact.contact.key)).status = fact.new
        host.session.flush()
        host.session.query(Person).filter(Person.status == "new").update({"status": "by hand"})

    host.hooks.set_status = set_status
    happened(host, mails(host, 3), Outcome.SENT)
    assert outcomes.deliver(host) == 3
    assert old == ["new", "by hand", "by hand"]


def test_no_transaction_is_open_while_the_hosts_code_runs(host):
    """SQLite would keep every writer waiting."""
    host.session.commit()
    seen = []
    host.hooks.on_outcome.append(lambda fact: seen.append(host.session().in_transaction()))
    happened(host, mails(host, 2), Outcome.SENT)
    assert outcomes.deliver(host) == 2
    assert seen == [False, False]


def test_behind_one_that_failed_the_later_ones_of_its_contact_wait_and_nobody_else(host):
    ids, heard, broken = mails(host, 2), [], [True]
    unlucky = host.session.get_one(OutboxMessage, ids[0]).contact_key

    def hook(fact):
        if fact.contact.key == unlucky and broken[0]:
            raise RuntimeError("not now")
        heard.append((fact.contact.key == unlucky, fact.outcome))

    host.hooks.on_outcome.append(hook)
    happened(host, ids, Outcome.SENT, Outcome.READ)
    assert outcomes.deliver(host) == 2
    assert heard == [(False, Outcome.SENT), (False, Outcome.READ)]
    broken[0] = False
    clock(host).tick(hours=1)
    assert outcomes.deliver(host) == 2
    assert heard[2:] == [(True, Outcome.SENT), (True, Outcome.READ)]


def test_what_a_report_did_to_the_status_is_kept_with_it(host):
    happened(host, mails(host, 3), Outcome.SENT)
    happened(host, [host.session.query(OutboxMessage).first().id], Outcome.READ)
    assert outcomes.deliver(host) == 4
    kept = [(one.outcome, one.status_before, one.status_set) for one in host.session.query(OutcomeReport)]
    assert sorted(kept) == [("read", "is_sent", "is_read"), *[("sent", "new", "is_sent")] * 3]


def test_many_are_reported_once_and_a_test_mail_never(host):
    ids, at = mails(host, 4), host.clock()
    assert outcomes.record_many(host, ids[:3], Outcome.SENT, at=at) == 3
    assert outcomes.record_many(host, ids, Outcome.SENT, at=at, none_is_test=True) == 1
    assert outcomes.record_many(host, [], Outcome.SENT, at=at) == 0
    host.session.execute(update(Mailing).values(kind=MailingKind.TEST.value))
    assert outcomes.record_many(host, ids, Outcome.READ, at=at) == 0


def test_functions_that_heard_of_a_report_are_not_called_again_when_another_fails(host):
    heard, broken = [], [True]

    def steady(fact):
        heard.append("steady")

    def fragile(fact):
        if broken[0]:
            raise RuntimeError("not now")
        heard.append("fragile")

    host.hooks.on_outcome.extend([steady, fragile, steady])
    happened(host, mails(host, 1), Outcome.SENT)
    assert outcomes.deliver(host) == 0
    report = host.session.scalars(select(OutcomeReport)).one()
    assert "steady" in report.heard[0]
    assert report.problem.rstrip().endswith("RuntimeError: not now")
    host.session.commit()
    broken[0] = False
    clock(host).tick(hours=1)
    assert outcomes.deliver(host) == 1
    assert heard == ["steady", "fragile", "steady"]


def test_waits_double_and_a_report_can_be_tried_at_once_or_set_aside(host):
    host.hooks.on_outcome.append(lambda fact: 1 / 0)
    ids = mails(host, 2)
    happened(host, ids, Outcome.SENT, Outcome.READ)
    waits = []
    for _ in range(4):
        outcomes.deliver(host)
        one = host.session.scalars(outcomes.failing()).first()
        waits.append((one.due_at - host.clock()).total_seconds())
        host.session.commit()
        clock(host).now = one.due_at
    assert waits == [30, 60, 120, 240]
    found = outcomes.on_their_way(host)
    assert (found.waiting, found.untold, found.failing) == (0, 4, 2)
    assert outcomes.retry_now(host, one.id) == 1
    assert outcomes.set_aside(host, one.id)
    assert not outcomes.set_aside(host, one.id)
    host.session.commit()
    host.hooks.on_outcome.clear()
    host.hooks.on_outcome.append(lambda fact: None)
    clock(host).tick(hours=1)
    assert outcomes.deliver(host) == 3, "the later one of its contact goes on, and those of the other"
    assert outcomes.retry_now(host, one.id) == 0
