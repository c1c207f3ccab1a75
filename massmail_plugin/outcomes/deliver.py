"""Brings outcome reports to the host: the mapped status first, then the host's hooks, at least once each.

A worker's job enters. Owns its transactions: a batch's statuses are one commit, its hooks run after that.
"""

import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import exists, select, update
from sqlalchemy.orm import aliased

from massmail_plugin import leases
from massmail_plugin.contracts import ContactRef, Host, OutcomeFact
from massmail_plugin.models import Link, Mailing, OutboxMessage, OutcomeReport, Template
from massmail_plugin.outcomes.mapping import Decision, decide, mapped_status, take_back
from massmail_plugin.outcomes.places import Places, Spot
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import Outcome, ReportState

log = logging.getLogger(__name__)

LEASE = "outcomes"
BATCH = 200
LONGEST_WAIT = timedelta(hours=6)


@dataclass(frozen=True)
class Task:
    """A report with what its delivery needs to know."""

    report: OutcomeReport
    message: OutboxMessage
    mailing: Mailing
    template: Template | None
    url: str | None

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.report.outcome)

    @property
    def taken_back(self) -> bool:
        return self.report.turn % 2 == 1

    def fact(self, status: str | None) -> OutcomeFact:
        return OutcomeFact(
            report_id=self.report.id,
            outcome=self.outcome,
            at=self.report.at,
            contact=ContactRef(self.report.contact_source, self.report.contact_key),
            address=self.message.address,
            mailing_id=self.mailing.id,
            mailing_name=self.mailing.name,
            campaign_id=self.mailing.campaign_id,
            list_id=self.message.list_id,
            url=self.url,
            status=status,
        )


def deliver(host: Host, *, seconds: float = 50) -> int:
    """Deliver what is due, for `seconds` at most; the number delivered. One process at a time does this."""
    if not leases.take(host, LEASE, seconds=seconds + 60):
        return 0
    end = host.clock() + timedelta(seconds=seconds)
    delivered = 0
    try:
        while tasks := _due(host):
            delivered += _deliver_batch(host, tasks)
            if host.clock() >= end:
                break
    finally:
        host.session.rollback()
        leases.give_back(host, LEASE)
    return delivered


def retry_now(host: Host) -> int:
    """Make every report whose delivery failed due at once; the number of them."""
    failed = OutcomeReport.state == ReportState.WAITING.value, OutcomeReport.attempts > 0
    return changed(host, update(OutcomeReport).where(*failed).values(due_at=host.clock()))


def _due(host: Host) -> list[Task]:
    """The oldest due reports; a contact whose earlier report waits for a retry keeps its place in the queue."""
    now = host.clock()
    earlier = aliased(OutcomeReport)
    blocked = exists().where(
        earlier.contact_source == OutcomeReport.contact_source,
        earlier.contact_key == OutcomeReport.contact_key,
        earlier.state == ReportState.WAITING.value,
        earlier.due_at > now,
        earlier.id < OutcomeReport.id,
    )
    query = (
        select(OutcomeReport, OutboxMessage, Mailing, Template, Link.target)
        .join(OutboxMessage, OutboxMessage.id == OutcomeReport.message_id)
        .join(Mailing, Mailing.id == OutcomeReport.mailing_id)
        .outerjoin(Template, Template.id == Mailing.template_id)
        .outerjoin(Link, Link.id == OutcomeReport.link_id)
        .where(OutcomeReport.state == ReportState.WAITING.value, OutcomeReport.due_at <= now, ~blocked)
        .order_by(OutcomeReport.id)
        .limit(BATCH)
    )
    return [Task(*row) for row in host.session.execute(query)]


def _deliver_batch(host: Host, tasks: Sequence[Task]) -> int:
    told = _set_statuses(host, tasks)
    host.session.commit()
    done = 0
    stuck: set[tuple[str, str]] = set()
    for task, fact in told:
        if (fact.contact.source, fact.contact.key) in stuck:
            continue
        if _tell_hooks(host, task, fact):
            done += 1
        else:
            stuck.add((fact.contact.source, fact.contact.key))
    host.session.commit()
    return done


def _set_statuses(host: Host, tasks: Sequence[Task]) -> list[tuple[Task, OutcomeFact]]:
    """Decide and set the statuses of a batch; what could not be set is postponed with the rest of its contact."""
    places = Places(host, [task.message for task in tasks])
    stuck: set[tuple[str, str]] = set()
    told = []
    for task in tasks:
        contact = (task.report.contact_source, task.report.contact_key)
        if contact in stuck:
            continue
        status = None if task.taken_back else _mapped(host, task)
        fact = task.fact(status)
        try:
            _settle(places, task, fact)
        except Exception as error:
            stuck.add(contact)
            _postpone(host, task, error)
        else:
            told.append((task, fact))
    places.flush()
    return told


def _mapped(host: Host, task: Task) -> str | None:
    template = task.template.statuses if task.template else None
    return mapped_status(task.outcome, host.statuses, task.mailing.statuses, template)


def _settle(places: Places, task: Task, fact: OutcomeFact) -> None:
    for place in places.of(task.message, task.mailing.campaign_id):
        current = places.current(place)
        decision = _decision(places, task, fact, current, place)
        if decision.status is not None:
            places.set(place, decision.status, fact)
            if place.of_contact:
                task.report.status_before, task.report.status_set = current, decision.status
        if decision.place is not None:
            places.remember(place, decision.place)


def _decision(places: Places, task: Task, fact: OutcomeFact, current: str | None, place: Spot) -> Decision:
    standing = places.standing(place)
    if task.taken_back:
        return take_back(task.mailing.id, current=current, standing=standing)
    return decide(
        task.outcome, task.mailing.id, fact.status, current=current, standing=standing, final=places.final(current)
    )


def _tell_hooks(host: Host, task: Task, fact: OutcomeFact) -> bool:
    try:
        for hook in () if task.taken_back else host.hooks.on_outcome:
            hook(fact)
    except Exception as error:
        host.session.rollback()
        _postpone(host, task, error)
        host.session.commit()
        return False
    report = task.report
    report.state, report.problem, report.delivered_at = ReportState.DELIVERED.value, "", host.clock()
    if host.hooks.on_outcome:
        host.session.commit()
    return True


def _postpone(host: Host, task: Task, error: Exception) -> None:
    report = task.report
    report.attempts += 1
    wait = min(timedelta(seconds=15 * 2 ** min(report.attempts, 12)), LONGEST_WAIT)
    report.due_at = host.clock() + wait
    report.problem = "".join(traceback.format_exception(error))[-4000:]
    log.warning("Outcome report %s could not be delivered: %s", report.id, type(error).__name__)
