"""Puts outcome reports into the queues of the webhooks that want them. Delivery enters and commits."""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Table, literal, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import OutcomeReport, Webhook, WebhookDelivery
from massmail_plugin.outcomes.tasks import Task
from massmail_plugin.portable_sql import changed, one_of, upsert
from massmail_plugin.vocabulary import ReportState

_DELIVERY = cast(Table, WebhookDelivery.__table__)


def enqueue(host: Host, tasks: Sequence[Task]) -> int:
    """Queue each report for each active webhook that wants its outcome; the number queued. One statement for each."""
    wanted = host.session.execute(select(Webhook.id, Webhook.outcomes).where(Webhook.active)).all() if tasks else ()
    queued = 0
    for webhook_id, outcomes in wanted:
        ids = [task.report_id for task in tasks if not outcomes or task.outcome.value in outcomes]
        queued += _queue(host, webhook_id, ids) if ids else 0
    return queued


def _queue(host: Host, webhook_id: int, report_ids: Sequence[int]) -> int:
    columns: dict[str, Any] = {
        "webhook_id": literal(webhook_id),
        "report_id": OutcomeReport.id,
        "state": literal(ReportState.WAITING.value),
        "attempts": literal(0),
        "due_at": literal(host.clock(), _DELIVERY.c.due_at.type),
        "problem": literal(""),
    }
    rows = select(*columns.values()).where(one_of(OutcomeReport.id, report_ids)).order_by(OutcomeReport.id)
    new = upsert(host, _DELIVERY).from_select(list(columns), rows, include_defaults=False)
    return changed(host, new.on_conflict_do_nothing(index_elements=["report_id", "webhook_id"]))
