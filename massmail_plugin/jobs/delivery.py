"""The process that brings outcomes to the host, so that a slow or broken function of the host keeps nobody waiting.

Three threads, one for each step, wait for a call from Redis or look by themselves every few seconds. Each commits.
"""

import logging
import mmap
import os
import signal
import struct
import sys
import threading
import time
import traceback
from types import FrameType

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from massmail_plugin import feedback, leases, outcomes
from massmail_plugin.contracts import Host
from massmail_plugin.jobs.queue import JobQueue
from massmail_plugin.outcomes import LEASE_SECONDS, Step

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How often each step looks for work by itself: delivery goes on without Redis."""
TURN_SECONDS = 50.0
PAUSE_SECONDS = 5.0
"""After a step that failed itself, such as for want of a database."""
RENEW_SECONDS = LEASE_SECONDS / 4
PATIENCE_SECONDS = 20.0
"""How long a function of the host may go on when the process is told to stop."""
STUCK = 75
"""Exit code of a process that was ended because a function of the host did not come back."""


class InHand:
    """Which reports are with the host's own code, where the next process sees it if this one ends over them."""

    _IDS = struct.Struct(f"<{len(Step)}q")
    _PID = struct.Struct("<q")
    _WORDS = _IDS.size + _PID.size
    _SIZE = 8_000

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, self._SIZE)
        self._since: dict[Step, tuple[float, int]] = {}

    def take(self, step: Step, report_id: int) -> None:
        """From now on the host's code has it (0: none)."""
        if report_id:
            self._since[step] = time.monotonic(), threading.get_ident()
        else:
            self._since.pop(step, None)
        ids = list(self.ids)
        ids[list(Step).index(step)] = report_id
        self._IDS.pack_into(self._memory, 0, *ids)

    @property
    def ids(self) -> tuple[int, ...]:
        return self._IDS.unpack_from(self._memory)

    @property
    def steps(self) -> list[Step]:
        """Those of this process that are with the host's own code."""
        return list(self._since.copy())

    def stuck(self, seconds: float) -> int | None:
        """The thread in which a function has been running for longer than this."""
        now = time.monotonic()
        return next((thread for since, thread in self._since.copy().values() if now - since > seconds), None)

    def say(self, words: str) -> None:
        """What the next process puts on record."""
        room = self._SIZE - self._WORDS
        self._memory[self._WORDS :] = words.encode()[-room:].ljust(room, b"\0")

    def left(self) -> tuple[int, list[int], str]:
        """The last process (0: none), the reports over which it ended, and what it had to say; this one begins."""
        ids = [report_id for report_id in self.ids if report_id]
        words = self._memory[self._WORDS :].rstrip(b"\0").decode("utf-8", "replace")
        (pid,) = self._PID.unpack_from(self._memory, self._IDS.size)
        self._memory[:] = bytes(self._SIZE)
        self._PID.pack_into(self._memory, self._IDS.size, os.getpid())
        return pid, ids, words


class Delivery:
    """One delivering process."""

    def __init__(self, app: Flask, in_hand: InHand) -> None:
        self._app = app
        self._host: Host = app.extensions["massmail"]
        self._in_hand = in_hand
        self._stop = threading.Event()
        self._bells = {step: threading.Event() for step in Step}

    def run(self) -> None:
        """Until SIGTERM, or until the process that started this one is gone."""
        signal.signal(signal.SIGTERM, self._stopped)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._take_over()
        feedback.start_draining(self._app, first=True)
        threads = [threading.Thread(target=self._work, args=[step], daemon=True) for step in Step]
        for thread in threads:
            thread.start()
        self._watch(os.getppid())
        end = time.monotonic() + PATIENCE_SECONDS
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _stopped(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()

    def _take_over(self) -> None:
        """A report over which the last process ended is tried again later, so that the others get their turn."""
        pid, ids, words = self._in_hand.left()
        with self._app.app_context():
            for engine in self._host.db.engines.values():
                engine.dispose(close=False)
            if pid:
                leases.free(self._host, pid)
            for report_id in ids:
                outcomes.put_off_lost(self._host, report_id, words or "The process ended while it was delivered.")
            self._host.session.commit()

    def _watch(self, parent: int) -> None:
        jobs = JobQueue(self._host.config, self._host.clock)
        renewed_at = time.monotonic()
        while not self._stop.is_set():
            if jobs.outcomes_called(seconds=1.0):
                self._bells[Step.STATUSES].set()
            if os.getppid() != parent:
                self._stop.set()
            if time.monotonic() - renewed_at > RENEW_SECONDS:
                renewed_at = time.monotonic()
                self._renew()
            if (thread := self._in_hand.stuck(self._host.config.hook_seconds)) is not None:
                self._end_stuck(thread)

    def _renew(self) -> None:
        """While a function of the host takes long, nobody else renews the lease of its step."""
        try:
            with self._app.app_context():
                for step in self._in_hand.steps:
                    leases.take(self._host, step.value, seconds=LEASE_SECONDS)
        except SQLAlchemyError:
            log.warning("A lease could not be renewed; it is tried again", exc_info=True)

    def _end_stuck(self, thread: int) -> None:
        """Nothing ends a thread but the end of its process; the keeper starts another."""
        frame = sys._current_frames().get(thread)
        stack = "".join(traceback.format_stack(frame)) if frame else ""
        words = f"It did not come back within {self._host.config.hook_seconds} seconds and was ended."
        self._in_hand.say(f"{stack}{words}")
        log.error("A function of the host did not come back within %s seconds", self._host.config.hook_seconds)
        os._exit(STUCK)

    def _work(self, step: Step) -> None:
        while not self._stop.is_set():
            self._bells[step].wait(LOOK_SECONDS)
            self._bells[step].clear()
            try:
                with self._app.app_context():
                    self._do(step)
            except Exception:
                log.exception("Outcomes could not be delivered (%s); it is tried again", step.value)
                self._stop.wait(PAUSE_SECONDS)

    def _do(self, step: Step) -> None:
        if not outcomes.is_due(self._host, step):
            return

        def hand(report_id: int) -> None:
            self._in_hand.take(step, report_id)

        outcomes.deliver_step(self._host, step, seconds=TURN_SECONDS, stopping=self._stop.is_set, hand=hand)
        if step is Step.STATUSES:
            self._bells[Step.HOOKS].set()
            self._bells[Step.WEBHOOKS].set()
