"""Sets the statuses that outcomes are mapped to, and passes the reports on to the host's functions and webhooks.

Delivery enters. Owns its transactions: the statuses of a batch and the marks of its reports are one commit.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy.exc import OperationalError

from massmail_plugin.contracts import ContactRef, Host, OutcomeFact
from massmail_plugin.outcomes.listeners import somebody_listens
from massmail_plugin.outcomes.mapping import Decision, decide, decide_removal
from massmail_plugin.outcomes.places import Places, Spot
from massmail_plugin.outcomes.postponing import mark, postpone
from massmail_plugin.outcomes.standing_removals import Removal, standing_removals
from massmail_plugin.outcomes.tasks import Task, due_tasks
from massmail_plugin.outcomes.turn import Turn
from massmail_plugin.outcomes.webhooks.queue import enqueue
from massmail_plugin.vocabulary import Outcome, ReportState

SLOW_SECONDS = 0.5
"""A `set_status` hook that takes long makes batches small: what was read must not be stale when it is decided on."""


Removals = Mapping[ContactRef, Sequence[Removal]]


class LostBatch(Exception):
    """A `set_status` hook ended our transaction: nothing of the batch can be relied on. Carries the task."""

    def __init__(self, task: Task) -> None:
        super().__init__("The host's set_status hook committed or rolled back our transaction; it must do neither.")
        self.task = task


class Statuses:
    """The first step of delivery: batch after batch, oldest first."""

    def __init__(self, host: Host, turn: Turn) -> None:
        self._host = host
        self._turn = turn
        self.settled = 0
        """Reports whose status is set."""
        self.delivered = 0
        """Those among them of which none of the host's functions needs to hear."""

    def run(self) -> None:
        """Until nothing is due, or the turn is over."""
        while self._turn.may_go_on() and (tasks := due_tasks(self._host, ReportState.WAITING)):
            try:
                self._batch_again(tasks)
            except LostBatch as lost:
                self._host.session.rollback()
                postpone(self._host, lost.task, lost)
                self._host.session.commit()

    def _batch_again(self, tasks: Sequence[Task]) -> None:
        """On SQLite somebody may have written between a read and a write of ours; with the lock at once it goes."""
        try:
            self._batch(tasks, reads_first=True)
        except OperationalError:
            self._host.session.rollback()
            self._batch(tasks, reads_first=False)

    def _batch(self, tasks: Sequence[Task], *, reads_first: bool) -> None:
        """Decide and set the statuses of a batch; what could not be set is postponed. Commits."""
        places = Places(self._host, {task.contact for task in tasks})
        removed = {task.contact for task in tasks if task.outcome is Outcome.REMOVED}
        removals = standing_removals(self._host, removed) if removed else {}
        if self._host.hooks.set_status is not None:
            # No lock is held while the host's own code takes its time.
            self._host.session.commit()
            self._host.session.connection(execution_options={"sqlite_deferred": reads_first})
        settled = self._settled(places, tasks, removals)
        places.flush()
        self._keep(places.written)
        enqueue(self._host, settled)
        self._pass_on(settled)

    def _settled(self, places: Places, tasks: Sequence[Task], removals: Removals) -> list[Task]:
        """Those of a batch whose statuses are decided and set; a slow hook leaves some for the next batch."""
        ours = self._host.session().get_transaction()
        began, settled = time.monotonic(), []
        for task in tasks:
            problem = self._problem(places, task, removals)
            if self._host.session().get_transaction() is not ours:
                raise LostBatch(task)
            if problem is None:
                settled.append(task)
            else:
                postpone(self._host, task, problem)
            if self._host.hooks.set_status is not None and time.monotonic() - began > SLOW_SECONDS:
                break
        return settled

    def _problem(self, places: Places, task: Task, removals: Removals) -> Exception | None:
        """Set what it means; what the host's own code raised, if it did."""
        try:
            for spot in () if task.of_interest else places.of(task.contact, task.list_id, task.run.campaign_id):
                self._settle_spot(places, task, spot, removals)
        except Exception as error:
            return error
        return None

    def _settle_spot(self, places: Places, task: Task, spot: Spot, removals: Removals) -> None:
        decision = self._decision(places, task, spot, removals)
        if decision.changes:
            self._set(places, task, spot, decision.status)
        if decision.place is not None:
            places.remember(spot, decision.place)

    def _set(self, places: Places, task: Task, spot: Spot, status: str | None) -> None:
        if self._host.hooks.set_status is None:
            places.set(spot, status, task.fact(self._host))
            return
        self._turn.hand(task.report_id)
        try:
            places.set(spot, status, task.fact(self._host))
        finally:
            self._turn.hand(0)

    def _decision(self, places: Places, task: Task, spot: Spot, removals: Removals) -> Decision:
        current, standing, final = places.current(spot), places.standing(spot), self._host.statuses.final
        if task.outcome is not Outcome.REMOVED:
            new = task.status(self._host)
            return decide(task.outcome, task.run.id, new, current=current, standing=standing, final=final)
        status = _removed_status(spot, removals.get(task.contact, ()))
        again = not task.taken_back
        return decide_removal(status, again=again, current=current, standing=standing, final=final)

    def _pass_on(self, settled: Sequence[Task]) -> None:
        """To the host's functions, where there are any for it. Commits."""
        heard = {task.report_id for task in settled if somebody_listens(self._host, task)}
        done = [task.report_id for task in settled if task.report_id not in heard]
        if heard:
            mark(self._host, sorted(heard), state=ReportState.UNTOLD.value, attempts=0, problem="")
        if done:
            now = self._host.clock()
            mark(self._host, done, state=ReportState.DELIVERED.value, problem="", delivered_at=now)
        self._host.session.commit()
        self.settled += len(settled)
        self.delivered += len(done)

    def _keep(self, written: Iterable[tuple[OutcomeFact, str | None, str | None]]) -> None:
        """What each report did to the contact's status; most of a batch did the same."""
        groups: dict[tuple[str | None, str | None], list[int]] = defaultdict(list)
        for fact, before, after in written:
            groups[before, after].append(fact.report_id)
        for (before, after), ids in groups.items():
            mark(self._host, ids, status_before=before, status_set=after)


def _removed_status(spot: Spot, removals: Sequence[Removal]) -> str | None:
    """The status of the newest removal that stands and concerns this place."""
    here = [one.status for one in removals if one.concerns(spot.name) and one.status is not None]
    return here[-1] if here else None
