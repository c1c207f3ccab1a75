"""How a mailing stands: counts from chunks and tallies, never from stored totals of their own. Screens enter.

Nothing is committed.
"""

from dataclasses import dataclass
from datetime import datetime

from massmail_plugin import outbox
from massmail_plugin.contracts import Host, QueueState
from massmail_plugin.mailings.statistics.responses import Responses, responses
from massmail_plugin.models import Mailing


@dataclass(frozen=True)
class Progress:
    """What the live panel shows."""

    counts: outbox.Counts
    responses: Responses
    next_due: datetime | None
    sender_fault: str
    queue: QueueState

    @property
    def done(self) -> int:
        """Rows that were meant to leave and are final."""
        return self.counts.recipients - self.counts.waiting


def progress(host: Host, mailing: Mailing, *, queue: QueueState | None = None) -> Progress:
    """The state of a mailing now. Reads chunks and tallies, never the outbox.

    The workers are asked after here, unless the caller has their state in `queue`.
    """
    return Progress(
        counts=outbox.counts(host, mailing.id),
        responses=responses(host, mailing.id),
        next_due=outbox.next_due(host, mailing.id),
        sender_fault=mailing.sender.fault if mailing.sender else "",
        queue=queue or host.queue_status(),
    )
