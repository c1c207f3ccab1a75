"""The ways of a lane, one for each sender it uses: opened when they are needed, dropped when their sender is at fault.

A lane enters; what befalls a sender is committed here.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, true

from massmail_plugin import outbox
from massmail_plugin.channels.dkim import signer
from massmail_plugin.contracts import Host
from massmail_plugin.errors import CannotConnect, MassMailError, SetupError
from massmail_plugin.leases import database_now
from massmail_plugin.models import Sender
from massmail_plugin.sending import limits
from massmail_plugin.sending.accounts import open_carriage
from massmail_plugin.sending.chunk_run import ChunkRun
from massmail_plugin.sending.network import Network
from massmail_plugin.sending.way import Way, awake_seconds
from massmail_plugin.vocabulary import HoldReason

log = logging.getLogger(__name__)

GATE_SECONDS = 3.0
"""How often it is asked whether a sender has got limits."""
RESERVE_SECONDS = 0.2
"""How often permits are reserved ahead."""
LIMITS_SECONDS = 0.7
"""How long it is remembered which senders may carry something."""
SIGNED_AHEAD = 3
"""Letters that are signed ahead for each connection."""
SENDER_REST = timedelta(seconds=30)


class Ways:
    """Sender -> its way."""

    def __init__(self, host: Host, network: Network, ring: Callable[[], None]) -> None:
        self._host = host
        self._network = network
        self._ring = ring
        self._by_sender: dict[int, Way] = {}
        self._ended: dict[int, BaseException | None] = {}
        self._known_to_work: set[int] = set()
        self._left_out: set[int] = set()
        self._limits_at = -LIMITS_SECONDS
        self._able: ColumnElement[bool] = true()
        self._carriers: dict[int, int] = {}

    @property
    def all(self) -> list[Way]:
        """The ways that are open."""
        return list(self._by_sender.values())

    def busy(self) -> list[int]:
        """Senders of which this lane holds enough: a whole chunk nobody has taken yet, or their way has ended."""
        full = self._host.config.chunk_size
        return [
            way.sender_id
            for way in self.all
            if way.unsent >= full or way.sender_id in self._ended or (way.sender_id in self._left_out and way.runs)
        ]

    def leave_out(self, sender_ids: set[int]) -> None:
        """Take nothing more for these until what they have on their way is settled."""
        self._left_out = sender_ids

    @property
    def any_on_its_way(self) -> bool:
        """Whether an answer is still to come, from any server that is not left out."""
        asked = [way for way in self.all if way.sender_id not in self._left_out]
        return any(run.on_its_way for way in asked for run in way.runs)

    def open(self, sender_id: int, mailing_id: int) -> Way | None:
        """The way of a sender; None where it cannot be opened: then the sender rests and the mailing says why."""
        sender_id = self._carrier_of(sender_id)
        if sender_id not in self._by_sender:
            sender = self._host.session.get(Sender, sender_id)
            try:
                way = self._new_way(sender)
            except MassMailError as error:
                self._rest(sender, [mailing_id], CannotConnect("login", str(error), lasting=True))
                return None
            self._by_sender[sender_id] = way
            self._ask_for_gate(way)
            self._network.carry(way, lambda problem: self._note_end(sender_id, problem))
        self._by_sender[sender_id].mailings.add(mailing_id)
        return self._by_sender[sender_id]

    def able(self) -> ColumnElement[bool]:
        """Which senders may carry something now; asked anew about once a second, since their gates are exact."""
        self._ask_limits()
        return self._able

    def _carrier_of(self, sender_id: int) -> int:
        """The sender that carries its mail now: itself, or the one it spills over to."""
        self._ask_limits()
        if sender_id not in self._carriers:
            sender = self._host.session.get(Sender, sender_id)
            self._carriers[sender_id] = limits.spill(self._host, sender) if sender is not None else sender_id
        return self._carriers[sender_id]

    def _ask_limits(self) -> None:
        now = time.monotonic()
        if now > self._limits_at + LIMITS_SECONDS:
            self._limits_at = now
            self._able = limits.able(self._host)
            self._carriers.clear()

    def _new_way(self, sender: Sender | None) -> Way:
        if sender is None:
            raise SetupError("The mailing has no sender.")
        carriage = open_carriage(self._host, sender)
        override = self._host.config.override_recipient
        way = Way(sender.id, carriage, self._ring, override=override)
        if signing := signer(sender):
            way.sign_with(signing, self._host.clock, ahead=SIGNED_AHEAD * sender.connections)
        return way

    def _note_end(self, sender_id: int, problem: BaseException | None) -> None:
        self._ended[sender_id] = problem
        self._ring()

    def keep_limits(self, release: Callable[[Sequence[ChunkRun], Way], None]) -> None:
        """Reserve permits for what waits, slow down where servers ask for it, and rest where nothing may go soon."""
        for way in self.all:
            admission = way.admission
            slowed = way.runs and admission.trouble.slow_down(self._host, way.sender_id)
            if admission.gate is None and (slowed or time.monotonic() > way.gate_asked_at + GATE_SECONDS):
                self._ask_for_gate(way)
            if admission.gate is None or not way.runs or not self._reserves(way):
                continue
            waiting = admission.waiting(way.runs)
            admission.gate.reserve(self._host, waiting)
            way.rest = admission.gate.rest
            if way.rest is None or (not way.rest.whole and waiting[""]):
                self._network.call(way.carriage.wake)
            else:
                release(way.runs, way)

    def _reserves(self, way: Way) -> bool:
        """Permits last for about a second; somebody who finds none does not wait for the next time."""
        now = time.monotonic()
        if not way.admission.starved and now < way.reserved_at + RESERVE_SECONDS:
            return False
        way.admission.starved, way.reserved_at = False, now
        return True

    def _ask_for_gate(self, way: Way) -> None:
        sender = self._host.session.get(Sender, way.sender_id)
        way.gate_asked_at = time.monotonic()
        way.admission.gate = limits.open_gate(self._host, sender, ticks=awake_seconds) if sender is not None else None
        self._host.session.commit()

    def give_permits_back(self) -> None:
        """Other lanes may use what this one has reserved."""
        for way in self.all:
            if way.admission.gate is not None:
                way.admission.gate.give_back(self._host)

    def clear(self, looked_at: float) -> None:
        """Nothing in hand was stopped, as was seen at `looked_at`: messages may leave for a moment."""
        shift = self._host.clock().timestamp() - awake_seconds()
        for way in self.all:
            way.cleared_at, way.clock_shift = looked_at, shift
            if way.waiting:
                way.waiting = False
                self._network.call(way.carriage.wake)

    def drop_faulty(
        self, release: Callable[[Sequence[ChunkRun], Way], None], give_up: Callable[[ChunkRun], None]
    ) -> None:
        """A carriage that ended is at fault: its chunks are released, and the sender rests when they are settled.

        What a broken carriage still had in its hands is given up: no answer will come.
        """
        for sender_id, problem in list(self._ended.items()):
            way = self._by_sender[sender_id]
            release(way.runs, way)
            for run in [run for run in way.runs if run.released and not run.finished]:
                give_up(run)
            if not way.runs:
                del self._by_sender[sender_id], self._ended[sender_id]
                self._at_fault(sender_id, way, problem)

    def _at_fault(self, sender_id: int, way: Way, problem: BaseException | None) -> None:
        if problem is None:
            return
        if not isinstance(problem, CannotConnect):
            log.error("The carriage of sender %s failed", sender_id, exc_info=problem)
            problem = CannotConnect("connect", f"Its provider failed: {type(problem).__name__}.")
        self._rest(self._host.session.get(Sender, sender_id), sorted(way.mailings), problem)

    def _rest(self, sender: Sender | None, mailings: Sequence[int], fault: CannotConnect) -> None:
        """The sender is at fault, not the recipients: their rows wait. A lasting fault pauses its mailings."""
        if sender is not None:
            sender.fault, sender.fault_until = str(fault), database_now(self._host) + SENDER_REST
            self._known_to_work.discard(sender.id)
        if fault.lasting or sender is None:
            for mailing_id in mailings:
                outbox.hold(self._host, mailing_id, HoldReason.SENDER_FAULT, str(fault))
        self._host.session.commit()
        log.warning("Sender %s cannot send (%s)", sender.id if sender else "-", fault.stage)

    def works(self, way: Way) -> None:
        """Answers came in: whatever was wrong with the sender is over."""
        if way.sender_id in self._known_to_work:
            return
        sender = self._host.session.get(Sender, way.sender_id)
        if sender is not None and sender.fault:
            sender.fault, sender.fault_until = "", None
        self._host.session.commit()
        self._known_to_work.add(way.sender_id)

    def forget(self, run: ChunkRun) -> None:
        """A run is not in hand any more."""
        for way in self.all:
            if run in way.runs:
                way.runs.remove(run)

    def end_all(self) -> None:
        """Nothing will come any more."""
        for way in self.all:
            self._network.call(way.end)
