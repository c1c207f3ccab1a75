"""The process beside the worker: outcomes reach the host whatever its functions do, and keep nobody else waiting."""

import os
import signal
import threading
import time
from contextlib import contextmanager

import pytest
from flask import current_app
from sqlalchemy import select, text

from massmail_plugin import outcomes
from massmail_plugin.hosting import tune
from massmail_plugin.jobs.keeper import Keeper, ended, forked
from massmail_plugin.jobs.worker import run_worker
from massmail_plugin.models import Mailing, OutcomeReport
from massmail_plugin.providers.recording import RecordingProvider
from massmail_plugin.vocabulary import Outcome
from tests.consent.small_host import Person, add_person
from tests.outcomes.test_delivery import happened, mails
from tests.outcomes.test_where_statuses_go import mapped
from tests.sending.conftest import news, subscribe, template  # noqa: F401
from tests.sending.test_lane import launched


@pytest.fixture
def app(host):
    """The application, fit for several processes."""
    app = current_app._get_current_object()
    tune(host.db.engine)
    provider = RecordingProvider()
    object.__setattr__(host, "providers", {provider.name: provider})
    object.__setattr__(host, "statuses", mapped(host).statuses)
    app.extensions["massmail"] = host
    return app


@contextmanager
def delivering(app):
    keeper = Keeper(app)
    keeper.start()
    try:
        yield keeper
    finally:
        keeper.stop()


def comes_true(host, question, seconds=20.0):
    """Whether it does within the time; each look has a transaction of its own."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        host.session.rollback()
        host.session.connection(execution_options={"sqlite_deferred": True})
        if question():
            host.session.rollback()
            return True
        time.sleep(0.05)
    host.session.rollback()
    return False


def states(host):
    return [row.state for row in host.session.query(OutcomeReport).order_by(OutcomeReport.id)]


def test_it_delivers_what_is_due_and_what_it_is_called_for(app, host, jobs):
    ids = mails(host, 2)
    happened(host, ids, Outcome.SENT)
    with delivering(app):
        assert comes_true(host, lambda: states(host) == ["delivered"] * 2)
        happened(host, ids, Outcome.READ)
        jobs.wake("outcomes")
        assert comes_true(host, lambda: states(host) == ["delivered"] * 4)
    assert [person.status for person in host.session.query(Person)] == ["is_read"] * 2


def test_a_slow_function_keeps_neither_statuses_nor_webhooks_waiting(app, host, tmp_path):
    begun = tmp_path / "begun"

    def slow(fact):
        begun.touch()
        time.sleep(60)

    host.hooks.on_outcome.append(slow)
    ids = mails(host, 3)
    happened(host, ids, Outcome.SENT)
    with delivering(app) as keeper:
        assert comes_true(host, begun.exists)
        happened(host, ids, Outcome.READ)
        began = time.monotonic()
        assert comes_true(host, lambda: [p.status for p in host.session.query(Person)] == ["is_read"] * 3)
        assert time.monotonic() - began < 10
        host.session.query(Person).update({"city": "nobody keeps a lock"})
        host.session.commit()
        os.kill(keeper._pid, signal.SIGKILL)
        assert ended_soon(keeper._pid), "the slow function does not hold the test up"


def ended_soon(pid):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if ended(pid):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("fate", ["hangs", "kills its process"])
def test_a_function_that_does_not_come_back_is_ended_and_the_others_go_on(app, host, fate, tmp_path):
    object.__setattr__(host, "config", type(host.config)(**{**vars(host.config), "hook_seconds": 1}))
    ids = mails(host, 3)
    happened(host, ids, Outcome.SENT)
    wicked = host.session.scalars(select(OutcomeReport.id).order_by(OutcomeReport.id)).first()
    host.session.commit()

    def hook(fact):
        if fact.report_id == wicked:
            if fate == "hangs":
                threading.Event().wait(60)
            os.kill(os.getpid(), signal.SIGKILL)

    host.hooks.on_outcome.append(hook)
    with delivering(app):
        assert comes_true(host, lambda: states(host) == ["untold", "delivered", "delivered"], seconds=30)
    report = host.session.get_one(OutcomeReport, wicked)
    assert report.attempts == 1
    if fate == "hangs":
        assert "within 1 seconds" in report.problem
        assert "threading.Event().wait(60)" in report.problem
    else:
        assert "The process ended while it was delivered" in report.problem


def test_it_ends_with_its_worker_and_starts_anew_when_it_is_killed(app, host):
    with delivering(app) as keeper:
        before = keeper._pid
        os.kill(before, signal.SIGKILL)
        assert comes_true(host, lambda: not alive(before) or (keeper.see_to_it() or False) or keeper._pid != before)
        assert keeper._pid != before
        ids = mails(host, 1)
        happened(host, ids, Outcome.SENT)
        assert comes_true(host, lambda: states(host) == ["delivered"])
        pid = keeper._pid
    assert not alive(pid)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_sends_while_a_function_of_the_host_takes_its_time(app, host, jobs, news, template, tmp_path):  # noqa: F811
    """Measured: mails go out as fast as without it, though it takes 30 seconds over each outcome."""
    begun = tmp_path / "begun"

    def slow(fact):
        begun.touch()
        time.sleep(30)

    host.hooks.on_outcome.append(slow)
    subscribe(host, news, *[add_person(host, f"p{i}@example.org") for i in range(20)])
    first = launched(host, template, news)
    host.session.commit()

    def work():
        run_worker(app)

    jobs.wake("send")
    worker = forked(work)
    try:
        finished = select(Mailing.state).where(Mailing.id == first.id)
        assert comes_true(host, lambda: host.session.scalar(finished) == "finished", seconds=30)
        assert comes_true(host, begun.exists)
        second = launched(host, template, news)
        began = time.monotonic()
        jobs.wake("send")
        finished = select(Mailing.state).where(Mailing.id == second.id)
        assert comes_true(host, lambda: host.session.scalar(finished) == "finished", seconds=25)
        assert time.monotonic() - began < 20
        sent = select(OutcomeReport.id).where(OutcomeReport.mailing_id == second.id, OutcomeReport.state == "untold")
        assert comes_true(host, lambda: len(host.session.scalars(sent).all()) == 20), "their statuses are set"
    finally:
        os.kill(worker, signal.SIGKILL)
        assert ended_soon(worker)
    assert host.session.scalar(text("SELECT 1")) == 1
    assert outcomes.on_their_way(host).untold > 0
