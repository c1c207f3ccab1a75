"""Brings outcome reports to the host: the mapped status first, then the host's hooks, at least once each.

A worker's job enters. Owns its transactions: a batch's statuses are one commit, its hooks run after that.
"""

import logging
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, literal_column, select, update
from sqlalchemy.orm import aliased

from massmail_plugin import leases
from massmail_plugin.contracts import ContactRef, Host, OutcomeFact
from massmail_plugin.models import Link, Mailing, OutboxMessage, OutcomeReport, Template
from massmail_plugin.outcomes.mapping import Decision, Overrides, decide, mapped_status, take_back
from massmail_plugin.outcomes.places import Places, Spot
from massmail_plugin.portable_sql import changed, one_of
from massmail_plugin.vocabulary import Outcome, ReportState

log = logging.getLogger(__name__)

LEASE = "outcomes"
LEASE_SPAN = timedelta(seconds=90)
LEASE_SECONDS = LEASE_SPAN.total_seconds()
BATCH = 500
LONGEST_WAIT = timedelta(hours=6)


@dataclass(frozen=True)
class Task:
    """A report with what its delivery needs to know; plain values, so that a host's hook may do with its session
    what it likes.
    """

    report_id: int
    outcome: Outcome
    turn: int
    at: datetime
    attempts: int
    contact: ContactRef
    address: str
    list_id: int | None
    mailing_id: int
    mailing_name: str
    campaign_id: int | None
    overrides: tuple[Overrides, Overrides]
    url: str | None

    @property
    def taken_back(self) -> bool:
        return self.turn % 2 == 1

    def fact(self, status: str | None) -> OutcomeFact:
        return OutcomeFact(
            report_id=self.report_id,
            outcome=self.outcome,
            at=self.at,
            contact=self.contact,
            address=self.address,
            mailing_id=self.mailing_id,
            mailing_name=self.mailing_name,
            campaign_id=self.campaign_id,
            list_id=self.list_id,
            url=self.url,
            status=status,
        )


class LostBatch(Exception):
    """A `set_status` hook ended our transaction: nothing of the batch can be relied on. Carries the task."""

    def __init__(self, task: Task) -> None:
        super().__init__("The host's set_status hook committed or rolled back our transaction; it must do neither.")
        self.task = task


def deliver(host: Host, *, seconds: float = 50, stopping: Callable[[], bool] = lambda: False) -> int:
    """Deliver what is due, for `seconds` or until `stopping` says True; the number delivered.

    One process at a time does this, so that a contact's reports arrive in their order.
    """
    if not leases.take(host, LEASE, seconds=LEASE_SECONDS):
        return 0
    try:
        return Delivery(host, host.clock() + timedelta(seconds=seconds), stopping).run()
    finally:
        host.session.rollback()
        leases.give_back(host, LEASE)


def retry_now(host: Host) -> int:
    """Make every report whose delivery failed due at once; the number of them."""
    failed = OutcomeReport.state == ReportState.WAITING.value, OutcomeReport.attempts > 0
    return changed(host, update(OutcomeReport).where(*failed).values(due_at=host.clock()))


class Delivery:
    """One turn of bringing reports to the host, batch after batch."""

    def __init__(self, host: Host, end: datetime, stopping: Callable[[], bool]) -> None:
        self._host = host
        self._end = end
        self._stopping = stopping
        self._renew_at = host.clock() + LEASE_SPAN / 3
        self._delivered = 0

    def run(self) -> int:
        while self._may_go_on() and (tasks := self._due()):
            try:
                told = self._set_statuses(tasks)
            except LostBatch as lost:
                self._host.session.rollback()
                self._postpone(lost.task, lost)
                told = []
            if not self._host.hooks.on_outcome:
                self._done(told)
                continue
            self._host.session.commit()
            self._tell(told)
        return self._delivered

    def _may_go_on(self) -> bool:
        """Time is left, and the lease is still ours; it is renewed long before it ends."""
        now = self._host.clock()
        if now >= self._end or self._stopping():
            return False
        if now >= self._renew_at:
            if not leases.take(self._host, LEASE, seconds=LEASE_SECONDS):
                return False
            self._renew_at = now + LEASE_SPAN / 3
        return True

    def _due(self) -> list[Task]:
        """The oldest due reports, of each contact the first: the next one follows when that is delivered.

        In the order of the index over those that wait, so that a long queue is not sorted for each batch. Behind one
        that failed, the later ones of its contact wait; another small index knows those.
        """
        message, mailing, due = OutboxMessage, Mailing, _next_due(self._host.clock()).subquery("due")
        # Joined to those few alone, whatever the database guesses of a table that has just grown.
        query = (
            select(
                *(due.c.id, due.c.outcome, due.c.turn, due.c.at, due.c.attempts),
                *(due.c.contact_source, due.c.contact_key, message.address, message.list_id),
                *(mailing.id, mailing.name, mailing.campaign_id, mailing.statuses, Template.statuses, Link.target),
            )
            .join(message, message.id == due.c.message_id)
            .join(mailing, mailing.id == due.c.mailing_id)
            .outerjoin(Template, Template.id == mailing.template_id)
            .outerjoin(Link, Link.id == due.c.link_id)
            .order_by(due.c.due_at, due.c.id)
        )
        first: dict[ContactRef, Task] = {}
        for task in map(_task, self._host.session.execute(query)):
            first.setdefault(task.contact, task)
        return list(first.values())

    def _set_statuses(self, tasks: Sequence[Task]) -> list[tuple[Task, OutcomeFact]]:
        """Decide and set the statuses of a batch; what could not be set is postponed."""
        places = Places(self._host, {task.contact for task in tasks})
        ours = self._host.session().get_transaction()
        told = []
        for task in tasks:
            fact = task.fact(None if task.taken_back else _mapped(self._host, task))
            problem = self._settle(places, task, fact)
            if self._host.session().get_transaction() is not ours:
                raise LostBatch(task)
            if problem is None:
                told.append((task, fact))
            else:
                self._postpone(task, problem)
        places.flush()
        self._keep(places.written)
        return told

    def _settle(self, places: Places, task: Task, fact: OutcomeFact) -> Exception | None:
        """What the host's own code raised, if it did."""
        try:
            for place in places.of(task.contact, task.list_id, task.campaign_id):
                self._settle_place(places, task, fact, place)
        except Exception as error:
            return error
        return None

    def _settle_place(self, places: Places, task: Task, fact: OutcomeFact, place: Spot) -> None:
        current = places.current(place)
        decision = _decision(places, task, fact, current, place)
        if decision.status is not None:
            places.set(place, decision.status, fact)
        if decision.place is not None:
            places.remember(place, decision.place)

    def _tell(self, told: Sequence[tuple[Task, OutcomeFact]]) -> None:
        """Each hook call is committed with its mark, so that a crash repeats one at most."""
        for task, fact in told:
            if not self._may_go_on():
                return
            self._tell_one(task, fact)

    def _tell_one(self, task: Task, fact: OutcomeFact) -> None:
        try:
            for hook in () if task.taken_back else self._host.hooks.on_outcome:
                hook(fact)
            self._done([(task, fact)])
        except Exception as error:
            self._host.session.rollback()
            self._postpone(task, error)
            self._host.session.commit()

    def _done(self, told: Sequence[tuple[Task, OutcomeFact]]) -> None:
        if told:
            state = ReportState.DELIVERED.value
            ids = [task.report_id for task, _ in told]
            self._mark(ids, state=state, problem="", delivered_at=self._host.clock())
        self._host.session.commit()
        self._delivered += len(told)

    def _keep(self, written: Iterable[tuple[OutcomeFact, str | None, str]]) -> None:
        """What each report did to the contact's status; most of a batch did the same."""
        groups: dict[tuple[str | None, str], list[int]] = defaultdict(list)
        for fact, before, after in written:
            groups[before, after].append(fact.report_id)
        for (before, after), ids in groups.items():
            self._mark(ids, status_before=before, status_set=after)

    def _postpone(self, task: Task, error: Exception) -> None:
        attempts = task.attempts + 1
        wait = min(timedelta(seconds=15 * 2 ** min(attempts, 12)), LONGEST_WAIT)
        problem = "".join(traceback.format_exception(error))[-4000:]
        self._mark([task.report_id], attempts=attempts, due_at=self._host.clock() + wait, problem=problem)
        log.warning("Outcome report %s could not be delivered: %s", task.report_id, type(error).__name__)

    def _mark(self, report_ids: Sequence[int], **values: object) -> None:
        changed(self._host, update(OutcomeReport).where(one_of(OutcomeReport.id, report_ids)).values(**values))


# Spelled out: an index that holds only those that wait must be seen to fit.
_WAITING: ColumnElement[str] = literal_column(f"'{ReportState.WAITING.value}'")


def _next_due(now: datetime) -> Select[Any]:
    report, earlier = OutcomeReport, aliased(OutcomeReport)
    behind_a_failure = exists().where(
        earlier.contact_source == report.contact_source,
        earlier.contact_key == report.contact_key,
        earlier.state == _WAITING,
        earlier.attempts > 0,
        earlier.id < report.id,
    )
    return (
        select(report)
        .where(report.state == _WAITING, report.due_at <= now, ~behind_a_failure)
        .order_by(report.due_at, report.id)
        .limit(BATCH)
    )


def _task(row: Sequence[Any]) -> Task:
    report_id, outcome, turn, at, attempts, source, key, address, list_id, *of_mailing, own, template, url = row
    mailing_id, mailing_name, campaign_id = of_mailing
    return Task(
        report_id=report_id,
        outcome=Outcome(outcome),
        turn=turn,
        at=at,
        attempts=attempts,
        contact=ContactRef(source, key),
        address=address,
        list_id=list_id,
        mailing_id=mailing_id,
        mailing_name=mailing_name,
        campaign_id=campaign_id,
        overrides=(own, template),
        url=url,
    )


def _mapped(host: Host, task: Task) -> str | None:
    return mapped_status(task.outcome, host.statuses, *task.overrides)


def _decision(places: Places, task: Task, fact: OutcomeFact, current: str | None, place: Spot) -> Decision:
    standing = places.standing(place)
    if task.taken_back:
        return take_back(task.mailing_id, current=current, standing=standing)
    return decide(
        task.outcome, task.mailing_id, fact.status, current=current, standing=standing, final=places.final(current)
    )
