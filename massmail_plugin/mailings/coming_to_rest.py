"""Waits until the workers have let go of a mailing that was stopped, to tell the exact numbers. Admin and CLI enter.

Comes after the commit that stopped it; only reads, each time in a transaction of its own.
"""

import time
from dataclasses import dataclass

from sqlalchemy import func, select

from massmail_plugin import outbox
from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, Mailing, Sender

SECONDS = 1.0
LOOK_EVERY = 0.05


@dataclass(frozen=True)
class AtRest:
    """What a stopped mailing has come to; `on_their_way` is how many mails at the most still await their answer."""

    sent: int
    left: int
    on_their_way: int

    def words(self, of_those_left: str) -> str:
        """One sentence; `of_those_left` says what becomes of them, such as "are not sent any more"."""
        sent = "1 mail had been sent" if self.sent == 1 else f"{self.sent:,} mails had been sent"
        if self.on_their_way:
            return f"{sent}; up to {self.on_their_way:,} more are on their way and still get their answer."
        if not self.left:
            return f"{sent}."
        return f"{sent}; {self.left:,} {of_those_left}."


def come_to_rest(host: Host, mailing_id: int, *, seconds: float = SECONDS) -> AtRest:
    """Wait until no worker holds a chunk of the mailing, `seconds` at the most; how it stands then."""
    end = time.monotonic() + seconds
    while (held := _held(host, mailing_id)) and time.monotonic() < end:
        time.sleep(LOOK_EVERY)
    counts = outbox.counts(host, mailing_id)
    in_hand = counts.waiting if held else 0
    return AtRest(counts.sent, counts.waiting + counts.cancelled, min(in_hand, held * _connections(host, mailing_id)))


def _held(host: Host, mailing_id: int) -> int:
    """How many workers hold chunks of the mailing."""
    host.session.rollback()
    host.session.connection(execution_options={"sqlite_deferred": True})
    workers = select(func.count(func.distinct(Chunk.leased_by)))
    return host.session.scalar(workers.where(Chunk.mailing_id == mailing_id, Chunk.leased_by.is_not(None))) or 0


def _connections(host: Host, mailing_id: int) -> int:
    """A worker has one mail at the most on each connection."""
    query = select(Sender.connections).join(Mailing, Mailing.sender_id == Sender.id).where(Mailing.id == mailing_id)
    return host.session.scalar(query) or 1
