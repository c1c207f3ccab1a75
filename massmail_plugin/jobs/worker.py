"""The worker process.

RQ's own worker with the host's application around each job and short times for noticing death.
"""

import logging
import os
import signal
import time
from contextlib import suppress
from typing import Any

from flask import Flask
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer

from massmail_plugin import feedback, outcomes
from massmail_plugin.contracts import Host
from massmail_plugin.jobs import functions
from massmail_plugin.jobs.keeper import Keeper
from massmail_plugin.jobs.queue import FUNCTIONS, JobQueue

log = logging.getLogger(__name__)

BURST_SECONDS = 3600.0
AGAIN_SECONDS = 3.0
"""How long a worker without its queue waits before it begins anew."""


class OwnJob(Job):
    """A job of ours. Whoever can write to Redis can name any function of Python in a job: it is not called."""

    success_callback = failure_callback = stopped_callback = None

    def perform(self) -> Any:
        if self.func_name not in FUNCTIONS.values():
            raise PermissionError("The queue holds a job that is none of ours.")
        return super().perform()

    def send_webhooks(self, *args: Any, **options: Any) -> None:
        """None of ours has any."""


class AppWorker(Worker):
    """Runs each job in the application's context, in a child process with database connections of its own."""

    def __init__(self, app: Flask, jobs: JobQueue, keeper: Keeper, **options: Any) -> None:
        self._app = app
        self._keeper = keeper
        super().__init__(
            [jobs.queue],
            connection=jobs.connection,
            serializer=JSONSerializer,
            job_class=OwnJob,
            worker_ttl=60,
            maintenance_interval=30,
            job_monitoring_interval=15,
            **options,
        )

    def main_work_horse(self, *args: Any, **options: Any) -> Any:
        with self._app.app_context():
            host: Host = self._app.extensions["massmail"]
            for engine in host.db.engines.values():
                engine.dispose(close=False)
        return super().main_work_horse(*args, **options)

    def heartbeat(self, *args: Any, **options: Any) -> None:
        """Also a look at the delivering process."""
        super().heartbeat(*args, **options)
        self._keeper.see_to_it()

    def setup_work_horse_signals(self) -> None:
        """The child that does the job hears SIGTERM too, and ends with the message in hand."""
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        signal.signal(signal.SIGTERM, lambda number, frame: functions.stopping.set())

    def handle_warm_shutdown_request(self) -> None:
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        if self.horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGTERM)

    def handle_job_failure(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: Any = None,
        exc_string: str = "",
        execution: Any = None,
    ) -> None:
        """Redis keeps the kind of the error only: its words may hold addresses. The log has it all."""
        kind = exc_string.strip().rpartition("\n")[2].partition(":")[0]
        super().handle_job_failure(job, queue, started_job_registry, kind, execution)

    def perform_job(self, *args: Any, **options: Any) -> Any:
        with self._app.app_context():
            return super().perform_job(*args, **options)


def run_worker(app: Flask, *, burst: bool = False) -> None:
    """Work until told to stop (SIGTERM once: what is on its way is awaited); with `burst`, until nothing waits.

    Beside it runs a process that delivers outcomes; with `burst` that is done here at the end.
    """
    host: Host = app.extensions["massmail"]
    keeper = Keeper(app)
    if not burst:
        keeper.start()
    try:
        _work(app, JobQueue(host.config, host.clock), keeper, burst=burst)
    finally:
        keeper.stop()
    if burst:
        with app.app_context():
            feedback.drain(host)
            outcomes.deliver(host, seconds=BURST_SECONDS)


def _work(app: Flask, jobs: JobQueue, keeper: Keeper, *, burst: bool) -> None:
    """A Redis that goes away, or a job that cannot even be read, ends no worker: it begins anew after a while."""
    while True:
        try:
            AppWorker(app, jobs, keeper).work(burst=burst, logging_level="WARNING")
            return
        except StopRequested:
            return
        except Exception as error:
            log.error("The worker lost its queue (%s: %s); it tries again", type(error).__name__, error)
        # What the worker did at these signals is over with it.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        time.sleep(AGAIN_SECONDS)
