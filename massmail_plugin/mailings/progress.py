"""How a mailing stands: counts from chunks and events, never from stored totals of their own. Screens enter.

Nothing is committed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, literal_column, select

from massmail_plugin import outbox
from massmail_plugin.contracts import Host, QueueState
from massmail_plugin.mailings.response_totals import response_totals
from massmail_plugin.models import Event, Link, Mailing
from massmail_plugin.vocabulary import EventKind


@dataclass(frozen=True)
class Responses:
    """How many mails had each kind of response, people only; `machine_reads` were programs, counted apart."""

    read: int = 0
    clicked: int = 0
    removed: int = 0
    bounced: int = 0
    complained: int = 0
    machine_reads: int = 0


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
    """The state of a mailing now. Reads chunks and indexed events, never the outbox.

    The workers are asked after here, unless the caller has their state in `queue`.
    """
    return Progress(
        counts=outbox.counts(host, mailing.id),
        responses=responses(host, mailing.id),
        next_due=outbox.next_due(host, mailing.id),
        sender_fault=mailing.sender.fault if mailing.sender else "",
        queue=queue or host.queue_status(),
    )


def responses(host: Host, mailing_id: int) -> Responses:
    """Each kind counted once per mail; a click implies that the mail was read."""
    return Responses(**response_totals(host, mailing_id), removed=_removed(host, mailing_id))


def _removed(host: Host, mailing_id: int) -> int:
    """Mails through which somebody opted out and did not come back."""
    turn = case((Event.kind == EventKind.OPT_OUT.value, 1), else_=-1)
    turns = (
        select(Event.message_id, turn.label("turn"))
        .where(Event.mailing_id == mailing_id)
        .where(Event.kind.in_([EventKind.OPT_OUT.value, EventKind.OPT_BACK_IN.value]))
        # Else SQLite walks through every event there is, in the order in which they are then grouped.
        .offset(literal_column("0"))
        .subquery()
    )
    still_out = select(turns.c.message_id).group_by(turns.c.message_id).having(func.sum(turns.c.turn) > 0).subquery()
    return int(host.session.scalar(select(func.count()).select_from(still_out)) or 0)


def link_counts(host: Host, mailing_id: int) -> Sequence[Any]:
    """Each link with target, label, all hits, mails with a hit, first and last hit; people only."""
    hit = (Event.link_id == Link.id) & (Event.by_machine.is_(False))
    return host.session.execute(
        select(
            Link.target,
            Link.label,
            func.count(Event.id).label("hits"),
            func.count(func.distinct(Event.message_id)).label("mails"),
            func.min(Event.at).label("first_at"),
            func.max(Event.at).label("last_at"),
        )
        .outerjoin(Event, hit)
        .where(Link.mailing_id == mailing_id)
        .group_by(Link.id, Link.target, Link.label, Link.number)
        .order_by(Link.number)
    ).all()
