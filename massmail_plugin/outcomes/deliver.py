"""Brings outcome reports to the host in three steps: the mapped status, the host's functions, the webhooks.

The delivering process enters with one step at a time, so that none keeps the others waiting; tests and commands with
all of them. Owns its transactions.
"""

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, literal_column, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import OutcomeReport
from massmail_plugin.outcomes.statuses import Statuses
from massmail_plugin.outcomes.telling import Telling
from massmail_plugin.outcomes.turn import Hand, Turn
from massmail_plugin.outcomes.webhooks.sending import Webhooks, something_due
from massmail_plugin.vocabulary import ReportState


class Step(StrEnum):
    """A step of the delivery; the value is the name of its lease."""

    STATUSES = "outcomes"
    HOOKS = "hooks"
    WEBHOOKS = "webhooks"


_WORK: dict[Step, Callable[[Host, Turn], Statuses | Telling | Webhooks]] = {
    Step.STATUSES: Statuses,
    Step.HOOKS: Telling,
    Step.WEBHOOKS: Webhooks,
}
_STATES = {Step.STATUSES: ReportState.WAITING, Step.HOOKS: ReportState.UNTOLD}


def nobody(report_id: int) -> None:
    """Nobody wants to know which report is with the host's own code."""


def deliver(
    host: Host, *, seconds: float = 50, stopping: Callable[[], bool] = lambda: False, hand: Hand = nobody
) -> int:
    """Deliver what is due, step by step, for `seconds` or until `stopping` says True; the number of reports that have
    reached the host.
    """
    end, delivered = host.clock() + timedelta(seconds=seconds), 0
    for step in Step:
        left = (end - host.clock()).total_seconds()
        delivered += deliver_step(host, step, seconds=left, stopping=stopping, hand=hand)
    return delivered


def deliver_step(
    host: Host, step: Step, *, seconds: float, stopping: Callable[[], bool] = lambda: False, hand: Hand = nobody
) -> int:
    """One step alone; the number of reports with which it was the last. Nothing while another process does it."""
    end = host.clock() + timedelta(seconds=seconds)
    with Turn(host, step.value, end, stopping, hand) as turn:
        work = _WORK[step](host, turn)
        work.run()
    return 0 if isinstance(work, Webhooks) else work.delivered


def is_due(host: Host, step: Step) -> bool:
    """Whether there is anything to do; reads only, and on SQLite keeps nobody waiting. Ends the transaction."""
    host.session.rollback()
    host.session.connection(execution_options={"sqlite_deferred": True})
    if step is Step.WEBHOOKS:
        found = something_due(host)
    else:
        state: ColumnElement[str] = literal_column(f"'{_STATES[step].value}'")
        due = select(OutcomeReport.id).where(OutcomeReport.state == state, OutcomeReport.due_at <= host.clock())
        found = host.session.scalar(due.limit(1)) is not None
    host.session.rollback()
    return found
