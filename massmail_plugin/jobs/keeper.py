"""Keeps the delivering process running beside a worker: started with it, ended with it, started anew when it ends.

The keeper is a process of its own that holds nothing but this duty. Nothing is committed here.
"""

import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from flask import Flask

from massmail_plugin.jobs.delivery import PATIENCE_SECONDS, Delivery, InHand

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
AGAIN_SECONDS = 2.0
"""Before a process that ended is started anew."""


class Keeper:
    """The worker's handle: `start` before anything is opened, `see_to_it` now and then, `stop` at the end."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._pid: int | None = None
        self._worker = os.getpid()

    def start(self) -> None:
        self._pid = forked(lambda: keep(self._app, os.getppid()))

    def see_to_it(self) -> None:
        """Start it anew if it is gone, for whatever reason. A child of the worker has no say in this."""
        if self._pid is not None and os.getpid() == self._worker and ended(self._pid):
            log.error("The delivering process was gone; it is started anew")
            self.start()

    def stop(self) -> None:
        """Ask it to stop, and wait as long as a function of the host may take."""
        pid, self._pid = self._pid, None
        if pid is not None:
            _stop(pid, PATIENCE_SECONDS + 5)


def keep(app: Flask, worker: int) -> None:
    """Run delivering processes, one after another, until SIGTERM or until the worker is gone."""
    stopping: list[int] = []

    def stopped(number: int, frame: FrameType | None) -> None:
        stopping.append(number)

    signal.signal(signal.SIGTERM, stopped)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    in_hand = InHand()
    while not stopping and os.getppid() == worker:
        pid = forked(lambda: Delivery(app, in_hand).run())
        while not stopping and os.getppid() == worker and not ended(pid):
            time.sleep(LOOK_SECONDS)
        if stopping or os.getppid() != worker:
            _stop(pid, PATIENCE_SECONDS + 2)
        else:
            time.sleep(AGAIN_SECONDS)


def forked(do: Callable[[], None]) -> int:
    """Do something in a child process; its pid."""
    pid = os.fork()
    if pid:
        return pid
    try:
        do()
    except BaseException:
        log.exception("The delivering process failed")
        os._exit(1)
    os._exit(0)


def ended(pid: int) -> bool:
    """Whether a child has ended; it is waited for."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def _stop(pid: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        while not ended(pid):
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return
            time.sleep(LOOK_SECONDS / 2)
