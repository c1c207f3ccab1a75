"""The send loop: lease a chunk, carry it through its sender, settle, take the next one. Jobs enter.

Bounded in time; any number of lanes may run on any number of machines. Owns its transactions.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from massmail_plugin import leases, outbox
from massmail_plugin.contracts import Account, Carriage, Host
from massmail_plugin.errors import CannotConnect, MassMailError, SetupError, nearest
from massmail_plugin.models import Mailing, Sender
from massmail_plugin.sending.chunk_run import ChunkRun
from massmail_plugin.sending.letters import Letters
from massmail_plugin.vocabulary import HoldReason

log = logging.getLogger(__name__)

SENDER_REST = timedelta(seconds=30)


@dataclass(frozen=True)
class LaneReport:
    """How many messages were settled, and whether more may be waiting."""

    settled: int
    more: bool


def run_lane(host: Host, *, seconds: float, stopping: Callable[[], bool] = lambda: False) -> LaneReport:
    """Send what is due, for `seconds` or until `stopping` says True; the message in hand is finished."""
    outbox.recover(host)
    end = host.clock() + timedelta(seconds=seconds)
    lane = Lane(host, lambda: stopping() or host.clock() >= end)
    try:
        while not lane.stopping():
            if not lane.run_chunk():
                return LaneReport(lane.settled, more=False)
        return LaneReport(lane.settled, more=True)
    finally:
        host.session.rollback()
        lane.close()


class Lane:
    """One worker's way through the outbox: its open carriages and prepared letters, kept from chunk to chunk."""

    def __init__(self, host: Host, stopping: Callable[[], bool]) -> None:
        self._host = host
        self.stopping = stopping
        self._holder = f"{leases.holder_name()}:{uuid4().hex[:8]}"
        self._carriages: dict[int, Carriage] = {}
        self._letters: dict[int, Letters] = {}
        self.settled = 0

    def run_chunk(self) -> bool:
        """Send one chunk; False where none is due."""
        chunk = outbox.lease_chunk(self._host, self._holder)
        if chunk is None:
            return False
        mailing = self._host.session.get_one(Mailing, chunk.mailing_id)
        try:
            run = ChunkRun(self._host, chunk, mailing, self._letters_of(mailing), self.stopping)
        except MassMailError as error:
            self._hold(chunk, HoldReason.NOT_FILLED, str(error))
            return True
        self._carry(run, mailing)
        self.settled += run.settled
        return True

    def close(self) -> None:
        """Leave every server in good order."""
        for carriage in self._carriages.values():
            carriage.close()

    def _carry(self, run: ChunkRun, mailing: Mailing) -> None:
        mailing_id, sender_id = mailing.id, mailing.sender_id
        try:
            self._carriage(mailing).carry(run.feed(), run.hand, run.settle)
        except CannotConnect as fault:
            run.close()
            self._rest(mailing_id, sender_id, fault)
        else:
            run.close()
            if run.settled:
                self._works(sender_id)

    def _carriage(self, mailing: Mailing) -> Carriage:
        sender = mailing.sender
        if sender is None:
            raise CannotConnect("login", "The mailing has no sender.", lasting=True)
        if sender.id not in self._carriages:
            try:
                self._carriages[sender.id] = open_carriage(self._host, sender)
            except MassMailError as error:
                raise CannotConnect("login", str(error), lasting=True) from error
        return self._carriages[sender.id]

    def _letters_of(self, mailing: Mailing) -> Letters:
        if mailing.id not in self._letters:
            self._letters[mailing.id] = Letters(self._host, mailing)
        return self._letters[mailing.id]

    def _hold(self, chunk: outbox.LeasedChunk, reason: HoldReason, note: str) -> None:
        outbox.hold(self._host, chunk.mailing_id, reason, note)
        outbox.give_back(self._host, chunk)
        self._host.session.commit()

    def _rest(self, mailing_id: int, sender_id: int | None, fault: CannotConnect) -> None:
        """The sender is at fault, not the recipients: their rows wait. A lasting fault pauses the mailing."""
        self._drop(sender_id)
        sender = self._host.session.get(Sender, sender_id) if sender_id else None
        if sender is not None:
            sender.fault, sender.fault_until = str(fault), self._host.clock() + SENDER_REST
        if fault.lasting:
            outbox.hold(self._host, mailing_id, HoldReason.SENDER_FAULT, str(fault))
        self._host.session.commit()
        log.warning("Sender %s cannot send (%s)", sender_id, fault.stage)

    def _works(self, sender_id: int | None) -> None:
        sender = self._host.session.get(Sender, sender_id) if sender_id else None
        if sender is not None and sender.fault:
            sender.fault, sender.fault_until = "", None
        self._host.session.commit()

    def _drop(self, sender_id: int | None) -> None:
        carriage = self._carriages.pop(sender_id, None) if sender_id else None
        if carriage is not None:
            carriage.close()


def open_carriage(host: Host, sender: Sender) -> Carriage:
    """The way out through a sender. Raises SetupError where its provider is not installed any more."""
    if sender.provider not in host.providers:
        raise SetupError(f"There is no provider “{sender.provider}”. {nearest(sender.provider, host.providers)}")
    return host.providers[sender.provider].open(account(sender))


def account(sender: Sender) -> Account:
    """A sender's account as its provider needs it, with the password in clear."""
    return Account(
        sender_id=sender.id,
        host=sender.host,
        port=sender.port,
        security=sender.security,
        auth=sender.auth,
        username=sender.username,
        secret=sender.secret or "",
    )
