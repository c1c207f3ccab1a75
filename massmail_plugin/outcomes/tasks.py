"""Outcome reports with what their delivery needs to know, as plain values. Delivery enters; reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, literal_column, select
from sqlalchemy.orm import aliased

from massmail_plugin.contracts import ContactRef, Host, InterestFact, OutcomeFact
from massmail_plugin.models import Link, Mailing, OutboxMessage, OutcomeReport, Template
from massmail_plugin.outcomes.mapping import Overrides, mapped_status
from massmail_plugin.portable_sql import one_of
from massmail_plugin.vocabulary import Outcome, ReportState

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Run:
    """What is said of a mailing and its template."""

    id: int
    name: str
    campaign_id: int | None
    overrides: tuple[Overrides, Overrides]
    template_name: str
    keeps_history: bool
    actions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Task:
    """A report with what its delivery needs to know; plain values, so that a host's function may do with its session
    what it likes.
    """

    report_id: int
    message_id: int
    outcome: Outcome
    turn: int
    at: datetime
    attempts: int
    heard: Sequence[str]
    contact: ContactRef
    address: str
    role: str
    list_id: int | None
    run: Run
    url: str | None
    interest: str
    score: int

    @property
    def taken_back(self) -> bool:
        """Whether it says that a removal was taken back."""
        return self.outcome is Outcome.REMOVED and self.turn % 2 == 1

    @property
    def of_interest(self) -> bool:
        """Whether it says no more than that a link with an interest was followed."""
        return self.outcome is Outcome.CLICKED and self.turn > 0

    def status(self, host: Host) -> str | None:
        """The status that its outcome is mapped to."""
        return mapped_status(self.outcome, host.statuses, *self.run.overrides)

    def fact(self, host: Host) -> OutcomeFact:
        return OutcomeFact(
            report_id=self.report_id,
            outcome=self.outcome,
            at=self.at,
            contact=self.contact,
            address=self.address,
            mailing_id=self.run.id,
            mailing_name=self.run.name,
            campaign_id=self.run.campaign_id,
            list_id=self.list_id,
            url=self.url,
            status=None if self.taken_back else self.status(host),
            interest=self.interest,
            score=self.score,
        )

    def interest_fact(self) -> InterestFact:
        return InterestFact(
            report_id=self.report_id,
            contact=self.contact,
            interest=self.interest,
            score=self.score,
            at=self.at,
            url=self.url or "",
            mailing_id=self.run.id,
            mailing_name=self.run.name,
        )


# Spelled out: an index that holds only those in one state must be seen to fit.
_IN: Mapping[ReportState, ColumnElement[str]] = {
    state: literal_column(f"'{state.value}'") for state in (ReportState.WAITING, ReportState.UNTOLD)
}


def due_tasks(host: Host, state: ReportState) -> list[Task]:
    """The oldest due reports in `state`, of each contact the first: the next one follows when that is delivered.

    In the order of the index over those in that state, so that a long queue is not sorted for each batch. Behind one
    that failed, the later ones of its contact wait; another small index knows those.
    """
    first: dict[ContactRef, Task] = {}
    for task in _tasks(host, _next_due(host.clock(), state)):
        first.setdefault(task.contact, task)
    return list(first.values())


def tasks_of(host: Host, report_ids: Sequence[int]) -> dict[int, Task]:
    """Reports by their ids; one that is not kept any more is missing."""
    wanted = select(OutcomeReport).where(one_of(OutcomeReport.id, report_ids))
    return {task.report_id: task for task in _tasks(host, wanted)}


def _next_due(now: datetime, state: ReportState) -> Select[Any]:
    report, earlier = OutcomeReport, aliased(OutcomeReport)
    behind_a_failure = exists().where(
        earlier.contact_source == report.contact_source,
        earlier.contact_key == report.contact_key,
        earlier.state == _IN[state],
        earlier.attempts > 0,
        earlier.id < report.id,
    )
    return (
        select(report)
        .where(report.state == _IN[state], report.due_at <= now, ~behind_a_failure)
        .order_by(report.due_at, report.id)
        .limit(BATCH)
    )


def _tasks(host: Host, reports: Select[Any]) -> list[Task]:
    """Joined to those few alone, whatever the database guesses of a table that has just grown."""
    report, message = reports.subquery("due").c, OutboxMessage
    query = (
        select(*(report[name] for name in ("id", "message_id", "outcome", "turn", "at", "attempts", "heard")))
        .add_columns(report.contact_source, report.contact_key, report.mailing_id, report.link_id)
        .add_columns(message.address, message.address_role, message.list_id)
        .join(message, message.id == report.message_id)
        .order_by(report.due_at, report.id)
    )
    rows = host.session.execute(query).all()
    runs = _runs(host, {row.mailing_id for row in rows})
    links = _links(host, {row.link_id for row in rows if row.link_id is not None})
    return [_task(row, runs, links) for row in rows if row.mailing_id in runs]


def _task(row: Any, runs: Mapping[int, Run], links: Mapping[int | None, Any]) -> Task:
    link = links.get(row.link_id)
    return Task(
        report_id=row.id,
        message_id=row.message_id,
        outcome=Outcome(row.outcome),
        turn=row.turn,
        at=row.at,
        attempts=row.attempts,
        heard=row.heard or (),
        contact=ContactRef(row.contact_source, row.contact_key),
        address=row.address,
        role=row.address_role,
        list_id=row.list_id,
        run=runs[row.mailing_id],
        url=link.target if link else None,
        interest=link.interest if link else "",
        score=link.score if link else 0,
    )


def _runs(host: Host, mailing_ids: set[int]) -> dict[int, Run]:
    if not mailing_ids:
        return {}
    query = (
        select(Mailing.id, Mailing.name, Mailing.campaign_id, Mailing.statuses)
        .add_columns(Template.statuses, Template.name, Template.keeps_history, Template.actions)
        .outerjoin(Template, Template.id == Mailing.template_id)
        .where(one_of(Mailing.id, sorted(mailing_ids)))
    )
    return {
        mailing_id: Run(mailing_id, name, campaign_id, (own, usual), template or "", bool(keeps), actions or ())
        for mailing_id, name, campaign_id, own, usual, template, keeps, actions in host.session.execute(query)
    }


def _links(host: Host, link_ids: set[int]) -> dict[int | None, Any]:
    if not link_ids:
        return {}
    query = select(Link.id, Link.target, Link.interest, Link.score).where(one_of(Link.id, sorted(link_ids)))
    return {row.id: row for row in host.session.execute(query)}
