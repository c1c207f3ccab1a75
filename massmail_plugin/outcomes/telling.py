"""Tells the host's functions what happened, one call after another, at least once each. Delivery enters.

Owns its transactions: none is open while a function runs, and each report that was heard is one commit.
"""

import time
from collections import Counter
from typing import cast

from sqlalchemy import Table, bindparam, update

from massmail_plugin.contracts import Host
from massmail_plugin.models import OutcomeReport
from massmail_plugin.outcomes.listeners import Listener, listeners
from massmail_plugin.outcomes.postponing import postpone
from massmail_plugin.outcomes.tasks import Task, due_tasks
from massmail_plugin.outcomes.turn import Turn
from massmail_plugin.vocabulary import ReportState

STALE_SECONDS = 5.0
"""After this time the reports are read again: somebody may have set one aside meanwhile."""


_REPORT = cast(Table, OutcomeReport.__table__)
_DELIVERED = (
    update(_REPORT)
    .where(_REPORT.c.id == bindparam("report"))
    .values(state=ReportState.DELIVERED.value, problem="", delivered_at=bindparam("now"))
)
"""Made once, since it runs for each report."""


class Telling:
    """The second step of delivery, in the order of each contact's reports."""

    def __init__(self, host: Host, turn: Turn) -> None:
        self._host = host
        self._turn = turn
        self.delivered = 0

    def run(self) -> None:
        """Until nothing is due, or the turn is over."""
        while self._turn.may_go_on() and (tasks := due_tasks(self._host, ReportState.UNTOLD)):
            self._host.session.commit()
            read_at = time.monotonic()
            for task in tasks:
                if not self._turn.may_go_on() or time.monotonic() - read_at > STALE_SECONDS:
                    break
                self._tell(task)

    def _tell(self, task: Task) -> None:
        """A crash repeats one report at most, a failure only those functions that did not hear of it."""
        heard: list[str] = []
        self._turn.hand(task.report_id)
        try:
            for listener in _still_to_hear(self._host, task):
                self._call(listener)
                heard.append(listener.name)
            given = {"report": task.report_id, "now": self._host.clock()}
            self._host.session.connection().execute(_DELIVERED, given)
            self._host.session.commit()
            self.delivered += 1
        except Exception as error:
            self._host.session.rollback()
            postpone(self._host, task, error, heard=heard)
            self._host.session.commit()
        finally:
            self._turn.hand(0)

    def _call(self, listener: Listener) -> None:
        """What a function leaves uncommitted is committed for it."""
        fact = listener.fact()
        self._commit()
        if fact is not None:
            listener.function(fact)
            self._commit()

    def _commit(self) -> None:
        session = self._host.session()
        if session.in_transaction():
            session.commit()


def _still_to_hear(host: Host, task: Task) -> list[Listener]:
    """Several functions may have the same name."""
    heard = Counter(task.heard)
    waiting = []
    for listener in listeners(host, task):
        if heard[listener.name]:
            heard[listener.name] -= 1
        else:
            waiting.append(listener)
    return waiting
