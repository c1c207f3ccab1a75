"""The worker on a real Redis: does what waits, calls nothing but our own functions, survives a job that fails."""

import pickle
import zlib

import pytest
from flask import current_app
from rq import Callback
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import select

from massmail_plugin.jobs import functions
from massmail_plugin.jobs.worker import OwnJob, run_worker
from massmail_plugin.models import Mailing
from massmail_plugin.providers.recording import RecordingProvider
from tests.consent.small_host import add_person
from tests.sending.conftest import news, subscribe, template  # noqa: F401
from tests.sending.test_lane import launched


@pytest.fixture
def app(host):
    """The application with this test's host mounted, whose provider keeps the mails in the child that sends them."""
    app = current_app._get_current_object()
    provider = RecordingProvider()
    object.__setattr__(host, "providers", {provider.name: provider})
    app.extensions["massmail"] = host
    return app


def run(app, jobs):
    run_worker(app, burst=True)
    return list(jobs.queue.failed_job_registry.get_job_ids())


def test_it_sends_what_waits_and_tells_the_host(app, host, jobs, news, template):  # noqa: F811
    subscribe(host, news, *[add_person(host, f"p{i}@example.org") for i in range(4)])
    mailing = launched(host, template, news)
    jobs.wake("send")
    assert run(app, jobs) == []
    host.session.rollback()
    assert host.session.scalar(select(Mailing.state).where(Mailing.id == mailing.id)) == "finished"
    assert len(jobs.queue) == 0


@pytest.mark.parametrize("hidden", ["function", "pickle"])
def test_whoever_writes_to_redis_can_make_it_call_nothing(app, jobs, tmp_path, hidden):
    trap = tmp_path / "trap"
    function = "os.mkdir" if hidden == "function" else "massmail_plugin.jobs.functions.fill"
    options = {"origin": jobs.queue.name, "connection": jobs.connection, "serializer": JSONSerializer}
    job = Job.create(function, args=(str(trap),), **options)
    job.save()
    if hidden == "pickle":
        jobs.connection.hset(job.key, "data", zlib.compress(pickle.dumps(("os.mkdir", None, (str(trap),), {}))))
    jobs.queue.push_job_id(job.id)
    jobs.wake("fill")
    assert run(app, jobs) == [job.id]
    assert not trap.exists()
    assert len(jobs.queue) == 0, "the job behind it was done"


def test_a_job_cannot_name_what_is_called_when_it_fails(jobs):
    job = Job.create("os.mkdir", connection=jobs.connection, serializer=JSONSerializer, on_failure=Callback(print))
    job.save()
    ours = OwnJob.fetch(job.id, connection=jobs.connection, serializer=JSONSerializer)
    assert (Job.fetch(job.id, connection=jobs.connection).failure_callback, ours.failure_callback) == (print, None)


def test_nothing_of_a_contact_is_left_in_redis_when_a_job_fails(app, jobs, monkeypatch):
    def broken(*given, **options):
        raise ValueError("could not send to zoe@example.org")

    monkeypatch.setattr(functions, "run_lane", broken)
    jobs.wake("send")
    failed = run(app, jobs)
    assert len(failed) == 3
    stored = b"".join(jobs.connection.dump(key) or b"" for key in jobs.connection.keys("rq:*"))
    texts = [Job.fetch(one, connection=jobs.connection, serializer=JSONSerializer).latest_result() for one in failed]
    assert not any("zoe@example.org" in (result.exc_string or "") for result in texts if result)
    assert b"zoe@example.org" not in stored
