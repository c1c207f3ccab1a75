"""The queue is a wake-up call: as many jobs wait as there is use for, and a lost Redis stops nobody."""

import json
import socket
import time
import zlib
from dataclasses import replace

import pytest

from massmail_plugin.jobs.queue import JobQueue


def test_no_more_jobs_wait_than_there_is_use_for(jobs):
    for _ in range(5):
        for work in ("fill", "send"):
            jobs.wake(work)
    waiting = [job_id.split("-")[1] for job_id in jobs.queue.get_job_ids()]
    assert sorted(waiting) == ["fill", "send", "send", "send"]


def test_a_call_for_outcomes_is_no_job_and_is_heard_once(jobs):
    for _ in range(3):
        jobs.wake("outcomes")
    assert len(jobs.queue) == 0
    assert jobs.outcomes_called(seconds=0.1)
    assert not jobs.outcomes_called(seconds=0.1)


def test_what_is_short_goes_before_sending(jobs):
    for work in ("send", "fill"):
        jobs.wake(work)
    waiting = [job_id.split("-")[1] for job_id in jobs.queue.get_job_ids()]
    assert waiting == ["fill", "send", "send", "send"]


def test_a_call_while_the_work_is_done_is_kept_for_afterwards(jobs):
    jobs.wake("fill")
    taken = jobs.queue.pop_job_id()
    assert taken is not None
    jobs.wake("fill")
    assert len(jobs.queue) == 1


def test_jobs_are_json_and_carry_nothing(jobs):
    jobs.wake("send")
    (job_id, *_) = jobs.queue.get_job_ids()
    stored = jobs.connection.hgetall(f"rq:job:{job_id}")
    name, _, args, options = json.loads(zlib.decompress(stored[b"data"]))
    assert (name, args, options) == ("massmail_plugin.jobs.functions.send", [], {})


def test_the_state_of_the_queue(jobs):
    jobs.wake("send")
    state = jobs.status()
    assert (state.reachable, state.workers, state.waiting, state.problem) == (True, 0, 3, "")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "unix:///nowhere/redis.sock"])
def test_a_redis_that_is_down_raises_nothing_and_is_named(host, url):
    jobs = JobQueue(replace(host.config, redis_url=url), host.clock)
    jobs.wake("send")
    jobs.wake("outcomes")
    assert not jobs.outcomes_called(seconds=0.01)
    state = jobs.status()
    assert not state.reachable
    assert state.problem.startswith("Redis does not answer: ")


def test_a_redis_that_is_silent_holds_nobody_up(host):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        jobs = JobQueue(replace(host.config, redis_url=f"redis://127.0.0.1:{silent.getsockname()[1]}/0"), host.clock)
        began = time.monotonic()
        assert not jobs.status().reachable
        assert time.monotonic() - began < 10
