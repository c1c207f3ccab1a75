"""The scheduler: one tick at a time however many run, a stand-by that takes over, no Redis inside a transaction."""

from dataclasses import replace

import pytest
from sqlalchemy import event, update

from massmail_plugin import leases, mailings
from massmail_plugin.jobs import scheduler
from massmail_plugin.models import Lease, Mailing
from massmail_plugin.vocabulary import MailingState
from tests.consent.small_host import clock


@pytest.fixture
def woken(host):
    """What the workers were called for, and whether a transaction was open meanwhile."""
    calls = []
    session = host.session()

    def wake(work):
        calls.append((work, session.in_transaction()))

    return replace(host, wake=wake), calls


def other_holds(host, name):
    statement = update(Lease).where(Lease.name == name).values(holder="another-machine:1")
    host.session.execute(statement)
    host.session.commit()


def test_one_scheduler_ticks_and_another_takes_over_when_it_is_gone(host):
    assert scheduler.tick(host)
    other_holds(host, scheduler.LEASE)
    assert not scheduler.tick(host)
    clock(host).tick(seconds=3 * host.config.tick_seconds + 1)
    assert scheduler.tick(host)


def test_a_scheduler_that_ends_in_good_order_is_replaced_at_once(host):
    scheduler.tick(host)
    other_holds(host, scheduler.LEASE)
    leases.give_back(host, scheduler.LEASE)
    assert not scheduler.tick(host), "the lease of another is not ours to give back"
    host.session.execute(update(Lease).values(holder=leases.holder_name()))
    leases.give_back(host, scheduler.LEASE)
    assert host.session.query(Lease).count() == 0


def test_workers_are_called_for_what_waits_and_never_inside_a_transaction(woken):
    host, calls = woken
    now = host.clock()
    states = MailingState.FILLING, MailingState.SCHEDULED
    host.session.add_all(
        Mailing(name="N", state=state.value, contact_source="person", created_at=now, scheduled_at=now)
        for state in states
    )
    host.session.commit()
    scheduler.tick(host)
    assert calls == [("fill", False)]
    assert [mailing.state for mailing in host.session.query(Mailing)] == ["filling", "filling"]


def test_a_tick_that_fails_is_tried_again(host, monkeypatch, caplog):
    def broken(host):
        raise RuntimeError("a host's own code")

    monkeypatch.setattr(mailings, "start_due", broken)
    scheduler._tick_safely(host, raises=False)
    assert "tried again" in caplog.text
    with pytest.raises(RuntimeError):
        scheduler._tick_safely(host, raises=True)
    monkeypatch.undo()
    assert scheduler.tick(host)


def test_a_tick_leaves_no_transaction_open(host):
    begun = []
    event.listen(host.session(), "after_begin", lambda *given: begun.append(given))
    scheduler.tick(host)
    assert begun
    assert not host.session().in_transaction()
