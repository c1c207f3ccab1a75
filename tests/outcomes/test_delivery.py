"""Reports reach the host at least once and in order, whatever its hooks do with the session."""

from dataclasses import replace
from importlib import import_module

import pytest
from sqlalchemy import select, update

from massmail_plugin import leases, outcomes
from massmail_plugin.contracts import Hooks
from massmail_plugin.models import Lease, Mailing, OutboxMessage, OutcomeReport
from massmail_plugin.vocabulary import MailingKind, MailingState, Outcome
from tests.consent.small_host import Person, add_person, clock

from .test_where_statuses_go import mapped, small_host  # noqa: F401

delivery = import_module("massmail_plugin.outcomes.deliver")


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


def statuses(host):
    return host.session.scalars(
        select(Person.status).order_by(Person.id).execution_options(populate_existing=True)
    ).all()


def waiting(host):
    return host.session.query(OutcomeReport).filter_by(state="waiting").count()


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
    assert (statuses(host), waiting(host)) == (["is_read"], 1)
    host.session.query(Person).update({"status": "chosen by hand"})
    host.session.commit()
    crashes[0] = False
    assert outcomes.deliver(host) == 1
    assert heard[0] == heard[1]
    assert statuses(host) == ["chosen by hand"], "the status was set once and is not set again"


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
    assert (statuses(host), waiting(host), len(heard)) == (["is_read"] * 4, 0, 8)


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
    assert [status for number, status in enumerate(statuses(host)) if number != 2] == ["is_sent"] * 4


def test_the_hooks_hear_of_one_contact_in_order_over_many_batches(host, monkeypatch):
    monkeypatch.setattr(delivery, "BATCH", 2)
    heard = {}
    host.hooks.on_outcome.append(lambda fact: heard.setdefault(fact.contact.key, []).append(fact.outcome.value))
    happened(host, mails(host, 3), Outcome.SENT, Outcome.READ, Outcome.CLICKED)
    assert outcomes.deliver(host) == 9
    assert set(map(tuple, heard.values())) == {("sent", "read", "clicked")}


def test_one_process_delivers_at_a_time_and_a_lost_lease_ends_it(host):
    happened(host, mails(host, 3), Outcome.SENT)
    leases.take(host, delivery.LEASE, seconds=1000)
    host.session.execute(update(Lease).values(holder="another:1"))
    host.session.commit()
    assert outcomes.deliver(host) == 0
    clock(host).tick(seconds=2000)

    def slow(fact):
        clock(host).tick(seconds=delivery.LEASE_SECONDS)
        host.session.execute(update(Lease).values(holder="another:1", until=host.clock().replace(year=2100)))

    host.hooks.on_outcome.append(slow)
    assert outcomes.deliver(host, seconds=10_000) == 1
    assert waiting(host) == 2


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
