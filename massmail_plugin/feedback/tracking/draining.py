"""A thread that drains the spools of this machine now and then. Processes that take hits start it, and the scheduler.

Whoever drained lately spares the others: a process that answers visitors steps back while the scheduler is there.
"""

import atexit
import logging
import os
import threading
from weakref import WeakKeyDictionary

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from massmail_plugin.contracts import Host
from massmail_plugin.feedback.tracking.batches import drain
from massmail_plugin.feedback.tracking.spool import last_held

log = logging.getLogger(__name__)

USUAL_SECONDS = 5
LAST_WAIT = 2.0
"""Seconds that the end of a process waits for the batch in hand."""

_running: WeakKeyDictionary[Flask, int] = WeakKeyDictionary()
"""Application -> the process its thread runs in: threads are not inherited."""


def start_draining(app: Flask, *, first: bool = False) -> None:
    """See that a thread of this process drains every `drain_seconds`. Called again it does nothing.

    With `first` it drains twice as often, so that the others step back, and also where `drain_seconds` is 0.
    """
    if _running.get(app) == os.getpid():
        return
    _running[app] = os.getpid()
    host: Host = app.extensions["massmail"]
    seconds = host.config.drain_seconds
    if first:
        _Draining(app, (seconds or USUAL_SECONDS) / 2, first=True).start()
    elif seconds > 0:
        _Draining(app, seconds, first=False).start()


class _Draining:
    """The thread and its end."""

    def __init__(self, app: Flask, seconds: float, *, first: bool) -> None:
        self._app = app
        self._host: Host = app.extensions["massmail"]
        self._seconds = seconds
        self._first = first
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="massmail-drain", daemon=True)

    def start(self) -> None:
        """Until the process ends."""
        atexit.register(self._end)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(self._seconds):
            if self._first or self._nobody_did():
                self._drain()

    def _nobody_did(self) -> bool:
        return self._host.clock().timestamp() - last_held(self._host.state_dir) >= self._seconds

    def _drain(self) -> None:
        try:
            with self._app.app_context():
                drain(self._host, stopping=self._over.is_set)
        except SQLAlchemyError as error:
            log.warning("Opens and clicks wait in the spool, for the database refuses: %s", type(error).__name__)
        except Exception:
            log.exception("Opens and clicks could not be brought to the database; they wait in the spool")

    def _end(self) -> None:
        self._over.set()
        self._thread.join(LAST_WAIT)
