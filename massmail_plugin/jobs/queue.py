"""The RQ queue as a wake-up call: the rows are the truth, a job only says "look".

Implements the ports Wake and QueueStatus.
"""

import logging
import time
from functools import cached_property
from typing import Literal
from uuid import uuid4

import redis
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from massmail_plugin.config import Config
from massmail_plugin.contracts import Clock, QueueState

log = logging.getLogger(__name__)

FUNCTIONS = {
    "fill": "massmail_plugin.jobs.functions.fill",
    "send": "massmail_plugin.jobs.functions.send",
    "mailboxes": "massmail_plugin.jobs.functions.read_mailboxes",
    "stop_lists": "massmail_plugin.jobs.functions.exchange_stop_lists",
    "imports": "massmail_plugin.jobs.functions.import_files",
}
PREFIX = "massmail"
JOB_SECONDS = 3600
"""Longer than a mail server may take over one message (RFC 5321 section 4.5.3.2): RQ ends a job in mid-sentence."""
REDIS_SECONDS = 2
CALL_SECONDS = 60
"""How long a call for the delivering process is kept."""


class JobQueue:
    """One queue on one Redis. Jobs are JSON and carry no data; no more of them wait than there is use for."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config = config
        self._clock = clock

    @cached_property
    def connection(self) -> redis.Redis:
        return redis.Redis.from_url(
            self._config.redis_url,
            socket_connect_timeout=REDIS_SECONDS,
            socket_timeout=REDIS_SECONDS,
            health_check_interval=30,
        )

    @cached_property
    def queue(self) -> Queue:
        return Queue(self._config.queue, connection=self.connection, serializer=JSONSerializer)

    def wake(self, work: Literal["fill", "send", "outcomes", "mailboxes", "stop_lists", "imports"]) -> None:
        """Ask the workers to look for `work`. A lost call is made good by the scheduler's next tick.

        A job that runs may have looked already, so it does not count; one that waits is enough. Outcomes are no job:
        the process beside the worker waits for this call, and looks by itself where it is lost.
        """
        try:
            if work == "outcomes":
                self._call_for_outcomes()
                return
            for _ in range(self._wanted(work) - self._waiting(work)):
                self._enqueue(work)
        except redis.RedisError as error:
            log.warning("The workers could not be called: %s", error)

    def _call_for_outcomes(self) -> None:
        with self.connection.pipeline() as calls:
            calls.lpush(self._outcomes_key, 1)
            calls.ltrim(self._outcomes_key, 0, 0)
            calls.expire(self._outcomes_key, CALL_SECONDS)
            calls.execute()

    def outcomes_called(self, *, seconds: float) -> bool:
        """Wait for a call that outcomes are to be delivered, at the most so long (below two seconds); never raises."""
        try:
            return self.connection.blpop([self._outcomes_key], timeout=seconds) is not None
        except redis.RedisError:
            time.sleep(seconds)
            return False

    @property
    def _outcomes_key(self) -> str:
        return f"{PREFIX}:{self._config.queue}:outcomes"

    def _wanted(self, work: str) -> int:
        return self._config.lanes if work == "send" else 1

    def _waiting(self, work: str) -> int:
        return sum(job_id.startswith(f"{PREFIX}-{work}-") for job_id in self.queue.get_job_ids())

    def _enqueue(self, work: str) -> None:
        """Sending takes long: what is short and somebody waits for goes before it."""
        self.queue.enqueue(
            FUNCTIONS[work],
            job_id=f"{PREFIX}-{work}-{self._clock():%Y%m%dT%H%M%S}-{uuid4().hex[:12]}",
            result_ttl=0,
            failure_ttl=24 * 3600,
            job_timeout=JOB_SECONDS,
            at_front=work == "fill",
        )

    def status(self) -> QueueState:
        """How many workers listen and how many jobs wait; says so where Redis does not answer."""
        try:
            return QueueState(True, Worker.count(queue=self.queue), len(self.queue))
        except redis.RedisError as error:
            return QueueState(False, 0, 0, f"Redis does not answer: {error}")
