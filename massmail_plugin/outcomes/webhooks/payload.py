"""What a webhook says: the body of one report. Nobody commits here."""

import json
from typing import Any

from massmail_plugin.contracts import Host
from massmail_plugin.outcomes.tasks import Task


def type_of(task: Task) -> str:
    """Such as outcome.clicked, outcome.removal_taken_back, or link.interest."""
    if task.of_interest:
        return "link.interest"
    return "outcome.removal_taken_back" if task.taken_back else f"outcome.{task.outcome.value}"


def body_of(host: Host, task: Task) -> bytes:
    """JSON in UTF-8, the same each time the same report is sent."""
    data: dict[str, Any] = {
        "report_id": task.report_id,
        "contact": {"source": task.contact.source, "key": task.contact.key},
        "address": task.address,
        "address_role": task.role,
        "mailing": {"id": task.run.id, "name": task.run.name},
        "campaign_id": task.run.campaign_id,
        "list_id": task.list_id,
        "url": task.url,
        "interest": task.interest,
        "score": task.score,
        "status": None if task.taken_back or task.of_interest else task.status(host),
    }
    return body(type_of(task), task.at.isoformat().replace("+00:00", "Z"), data)


def body(type_: str, timestamp: str, data: Any) -> bytes:
    """As Standard Webhooks lays it out."""
    said = {"type": type_, "timestamp": timestamp, "data": data}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
