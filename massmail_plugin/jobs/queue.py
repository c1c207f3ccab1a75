"""The RQ queue as a wake-up call: the rows are the truth, a job only says "look".

Implements the ports Wake and QueueStatus.
"""

import logging
from contextlib import suppress
from functools import cached_property
from typing import Literal

import redis
from rq import Queue, Worker
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

from massmail_plugin.config import Config
from massmail_plugin.contracts import Clock, QueueState

log = logging.getLogger(__name__)

FUNCTIONS = {
    "fill": "massmail_plugin.jobs.functions.fill",
    "send": "massmail_plugin.jobs.functions.send",
    "outcomes": "massmail_plugin.jobs.functions.report",
}
JOB_SECONDS = 15 * 60
REDIS_SECONDS = 2


class JobQueue:
    """One queue on one Redis. Jobs are JSON, carry no data and are made once per slot and minute."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config = config
        self._clock = clock

    @cached_property
    def connection(self) -> redis.Redis:
        return redis.Redis.from_url(
            self._config.redis_url, socket_connect_timeout=REDIS_SECONDS, health_check_interval=30
        )

    @cached_property
    def queue(self) -> Queue:
        return Queue(self._config.queue, connection=self.connection, serializer=JSONSerializer)

    def wake(self, work: Literal["fill", "send", "outcomes"]) -> None:
        """Ask the workers to look for `work`. A lost call is made good by the scheduler's next tick."""
        slots = self._config.lanes if work == "send" else 1
        try:
            for slot in range(slots):
                self._enqueue(work, slot)
        except redis.RedisError as error:
            log.warning("The workers could not be called: %s", error)

    def _enqueue(self, work: str, slot: int) -> None:
        """One job for this slot and minute: a job that died with its worker blocks its slot for a minute at most."""
        minute = int(self._clock().timestamp() // 60)
        with suppress(DuplicateJobError):
            self.queue.enqueue(
                FUNCTIONS[work],
                job_id=f"{self._config.queue}-{work}-{slot}-{minute}",
                unique=True,
                result_ttl=0,
                failure_ttl=24 * 3600,
                job_timeout=JOB_SECONDS,
            )

    def status(self) -> QueueState:
        """How many workers listen and how many jobs wait; says so where Redis does not answer."""
        try:
            return QueueState(True, Worker.count(queue=self.queue), len(self.queue))
        except redis.RedisError as error:
            return QueueState(False, 0, 0, f"Redis does not answer: {error}")
