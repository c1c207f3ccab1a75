"""Checks of what has to run: Redis, workers, scheduler, the way of the outcomes. The doctor enters."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import func, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import Heartbeat, OutcomeReport, Webhook
from massmail_plugin.upkeep.check import Check, fail, ok, warning
from massmail_plugin.vocabulary import ReportState

SCHEDULER = "scheduler"
LONG_WAIT = timedelta(minutes=5)


def queue(host: Host) -> Iterator[Check]:
    """Redis answers, and at least one worker listens."""
    state = host.queue_status()
    if not state.reachable:
        yield fail("redis", state.problem or "Redis does not answer.", "Start Redis, or set MASSMAIL_REDIS_URL right.")
        return
    yield ok("redis", "Redis answers.")
    if state.workers:
        yield ok("workers", f"{state.workers} listening, {state.waiting} jobs waiting.")
    else:
        yield fail("workers", "No worker listens, so nothing is sent.", "Start one: `flask massmail worker`.")


def scheduler(host: Host) -> Iterator[Check]:
    """The scheduler gave a sign of life within its last four ticks."""
    at = host.session.scalar(select(Heartbeat.at).where(Heartbeat.name == SCHEDULER))
    start = "Start one: `flask massmail scheduler`."
    if at is None:
        yield fail("scheduler", "No scheduler has ever run, so nothing starts at its time.", start)
        return
    age = host.clock() - at
    if age <= max(timedelta(seconds=4 * host.config.tick_seconds), timedelta(minutes=1)):
        yield ok("scheduler", f"Last seen {max(0, int(age.total_seconds()))} s ago.")
    else:
        yield fail("scheduler", f"Last seen at {at:%Y-%m-%d %H:%M} UTC.", start)


_UNDELIVERED = OutcomeReport.state.in_([ReportState.WAITING.value, ReportState.UNTOLD.value])


def _on_their_way(host: Host) -> Check:
    oldest = host.session.scalar(select(func.min(OutcomeReport.at)).where(_UNDELIVERED))
    if oldest is None or host.clock() - oldest < LONG_WAIT:
        return ok("outcome reports", "Every outcome has reached the host or is on its way.")
    return warning(
        "outcome reports",
        f"Outcomes wait for delivery since {oldest:%Y-%m-%d %H:%M} UTC.",
        "Start a worker: flask massmail worker. It delivers them. If one runs, a function of the host is slow.",
    )


def outcome_reports(host: Host) -> Iterator[Check]:
    """Outcomes reach the host."""
    failing = _UNDELIVERED, OutcomeReport.attempts > 0
    number = host.session.scalar(select(func.count()).select_from(OutcomeReport).where(*failing)) or 0
    if number == 0:
        yield _on_their_way(host)
        return
    latest = select(OutcomeReport.problem).where(*failing).order_by(OutcomeReport.id.desc()).limit(1)
    yield warning(
        "outcome reports",
        f"{number:,} outcomes have not reached the host yet; the latest error: {_kind(host.session.scalar(latest))}.",
        "Look at the functions of the host on the screen Outcomes. Delivery is tried again by itself.",
    )


def webhooks(host: Host) -> Iterator[Check]:
    """Those who are told of outcomes by HTTP take them."""
    for name, active, fault in host.session.execute(select(Webhook.name, Webhook.active, Webhook.fault)):
        if fault:
            words = "does not take outcomes" if active else "was switched off"
            yield warning("webhooks", f"“{name}” {words}: {fault}", "Look at the screen Webhooks.")


def _kind(problem: str | None) -> str:
    """The class of the error alone: its words may hold addresses."""
    lines = (problem or "").strip().splitlines()
    return lines[-1].partition(":")[0].strip() if lines else "unknown"
