"""Reports that did not reach the host: counted, listed, tried again, set aside. Screens and commands commit."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column, or_, select, update

from massmail_plugin.contracts import Host
from massmail_plugin.models import OutcomeReport
from massmail_plugin.outcomes.postponing import put_off
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import ReportState

# Spelled out: indexes that hold only those must be seen to fit.
_WAITING: ColumnElement[bool] = literal_column(f"state = '{ReportState.WAITING.value}'")
_UNTOLD: ColumnElement[bool] = literal_column(f"state = '{ReportState.UNTOLD.value}'")
_FAILED = OutcomeReport.attempts > 0


@dataclass(frozen=True)
class OnTheirWay:
    """How many reports wait for their status, and for the host's functions; how many of both failed before."""

    waiting: int
    untold: int
    failing: int


def on_their_way(host: Host) -> OnTheirWay:
    """Counted from the rows that are not delivered, which are few where delivery works."""
    failed = func.count().filter(_FAILED)
    waiting = host.session.execute(select(func.count(), failed).select_from(OutcomeReport).where(_WAITING)).one()
    untold = host.session.execute(select(func.count(), failed).select_from(OutcomeReport).where(_UNTOLD)).one()
    return OnTheirWay(waiting[0], untold[0], waiting[1] + untold[1])


def failing() -> Select[Any]:
    """Reports whose delivery failed, newest first."""
    return select(OutcomeReport).where(or_(_WAITING, _UNTOLD), _FAILED).order_by(OutcomeReport.id.desc())


def retry_now(host: Host, report_id: int | None = None) -> int:
    """Make every report whose delivery failed due at once, or the one named; the number of them."""
    which = [] if report_id is None else [OutcomeReport.id == report_id]
    failed = update(OutcomeReport).where(or_(_WAITING, _UNTOLD), _FAILED, *which)
    return changed(host, failed.values(due_at=host.clock()))


def set_aside(host: Host, report_id: int) -> bool:
    """Give up a report that failed: it is never tried again, and the later ones of its contact go on."""
    failed = update(OutcomeReport).where(or_(_WAITING, _UNTOLD), _FAILED, OutcomeReport.id == report_id)
    return changed(host, failed.values(state=ReportState.SET_ASIDE.value)) == 1


def put_off_lost(host: Host, report_id: int, problem: str) -> None:
    """A report over which its process ended, by the host's own code, is tried again later."""
    found = select(OutcomeReport.attempts).where(OutcomeReport.id == report_id, or_(_WAITING, _UNTOLD))
    attempts = host.session.scalar(found)
    if attempts is not None:
        put_off(host, report_id, attempts, problem)
