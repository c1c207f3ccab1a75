"""The send loop: lease chunks, let them out through their senders' ways, settle what became of them. Jobs enter.

A lane is bounded in time; any number may run on any number of machines. It owns the database session of its thread and
commits by itself; the network has a thread of its own, so that no transaction is open while one waits for a server.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy.exc import DBAPIError

from massmail_plugin import leases, outbox
from massmail_plugin.consent import StopWatch
from massmail_plugin.contracts import Host
from massmail_plugin.errors import MassMailError
from massmail_plugin.sending import results
from massmail_plugin.sending.chunk_run import ChunkRun
from massmail_plugin.sending.desks import Desks
from massmail_plugin.sending.network import LoopFactory, Network, fastest_loop
from massmail_plugin.sending.recipients import Recipients
from massmail_plugin.sending.way import Way, awake_seconds
from massmail_plugin.sending.ways import Ways
from massmail_plugin.vocabulary import HoldReason, RefusalReason, SkipReason

log = logging.getLogger(__name__)

CHUNKS_IN_HAND = 6
"""Chunks a lane may hold at once, over all its senders."""
LOOK_SECONDS = 0.04
"""How often a lane looks whether anything it has in hand was stopped."""
SETTLE_SECONDS = 1.0
"""Answers of a chunk that takes its time are written at least so often."""
IDLE_SECONDS = 0.3
"""How long a lane that has enough in hand waits before it asks for more again."""
QUIET_SECONDS = 2.0
"""How long a lane waits for answers of silent servers before it works on for the senders that do answer."""
MEANWHILE_SECONDS = 5.0
"""How often a lane that is kept by a slow server looks after other work."""
LONGEST_SECONDS = 1500.0
"""A lane that works on because of slow servers ends after this time; its job must end within the hour."""
SLOWEST_SECONDS = 900.0
"""Longer than any server may take to answer a message (RFC 5321, 4.5.3.2.6)."""
PATIENCE_SECONDS = 25.0
"""How long a worker that is told to stop waits for answers that are still to come."""
TRY_AGAIN = ("40001", "40P01")
"""PostgreSQL's words for a serialization failure and a deadlock: the connection is sound."""
LOST_SECONDS = 30.0
"""How long a lane tries to reach its database again; its journal keeps what it could not write."""


@dataclass(frozen=True)
class LaneReport:
    """How many messages were settled, and whether more may be waiting."""

    settled: int
    more: bool


def run_lane(
    host: Host,
    *,
    seconds: float,
    stopping: Callable[[], bool] = lambda: False,
    loop_factory: LoopFactory = fastest_loop,
    meanwhile: Callable[[], None] = lambda: None,
) -> LaneReport:
    """Send what is due, for `seconds` or until `stopping` says True; answers that are still to come are awaited.

    While a slow server keeps the lane, `meanwhile` is called now and then: other work of this worker's queue.
    Raises SetupError where the state directory cannot be used, and DBAPIError where the database stays away.
    """
    results.recover(host)
    over = time.monotonic() + LONGEST_SECONDS
    with open_lane(host, loop_factory) as lane:
        end = time.monotonic() + seconds
        while not stopping():
            while not stopping() and time.monotonic() < end and not lane.kept_waiting:
                if not lane.turn():
                    return LaneReport(lane.settled, more=False)
            last = time.monotonic() > over
            through = lane.wind_up(stopping, seconds=SLOWEST_SECONDS if last else QUIET_SECONDS)
            if last or (through and time.monotonic() >= end):
                break
            if through:
                continue
            # A server takes its time. What others wait for goes on meanwhile.
            lane.leave_out_slow()
            meanwhile()
            end = time.monotonic() + min(seconds, MEANWHILE_SECONDS)
        lane.wind_up(lambda: False, seconds=PATIENCE_SECONDS)
        lane.give_up()
        return LaneReport(lane.settled, more=True)


@contextmanager
def open_lane(host: Host, loop_factory: LoopFactory) -> Iterator["Lane"]:
    """A lane with its journal and its network thread; both are closed whatever happens."""
    folder, state_name = outbox.open_folder(host.state_dir)
    holder = f"{leases.holder_name()}:{uuid4().hex[:8]}"
    journal = outbox.Journal(folder, holder, regions=CHUNKS_IN_HAND, slots=host.config.chunk_size)
    network = Network(loop_factory)
    try:
        lane = Lane(host, holder, state_name, journal, network)
    except BaseException:
        network.close()
        journal.close(keep=False)
        raise
    try:
        yield lane
    finally:
        lane.close()


class Lane:
    """One worker's desk: the chunks it holds, the mailings they belong to, and the ways they leave by."""

    def __init__(self, host: Host, holder: str, state_name: str, journal: outbox.Journal, network: Network) -> None:
        self._host = host
        self._holder = holder
        self._state_name = state_name
        self._journal = journal
        self._network = network
        self._bell = threading.Event()
        self._ways = Ways(host, network, self._bell.set)
        self._watch = StopWatch(host)
        self._desks = Desks(host)
        self._looked_at = self._renewed_at = self._lease_at = 0.0
        self._lost_since: float | None = None
        self._heard_at, self._heard = time.monotonic(), 0
        self.settled = 0

    @property
    def in_hand(self) -> list[ChunkRun]:
        """The chunks this lane holds."""
        return [run for way in self._ways.all for run in way.runs]

    @property
    def kept_waiting(self) -> bool:
        """Whether messages are on their way, and no server has said a word about any for a while.

        Those that were left out for that very reason do not count.
        """
        heard = self.settled + sum(len(run.results) for run in self.in_hand)
        if heard != self._heard or not self._ways.any_on_its_way:
            self._heard_at, self._heard = time.monotonic(), heard
        return time.monotonic() - self._heard_at > QUIET_SECONDS

    def turn(self, *, lease: bool = True) -> bool:
        """Do once what is to be done, then wait a little; False where nothing is left to do."""
        try:
            self._bell.clear()
            if self._lost_since is not None:
                self._give_strays_back()
            self._work()
            if lease and self._lease():
                return True
            self._lost_since = None
        except DBAPIError as error:
            self._host.session.rollback()
            self._bear(error)
            return True
        if self.in_hand:
            self._bell.wait(LOOK_SECONDS)
        return bool(self.in_hand)

    def wind_up(self, stopping: Callable[[], bool], *, seconds: float) -> bool:
        """Take nothing more, wait for what is on its way, settle it, give the rest back; True once all of it is done.

        Waits for `seconds` at the most, and ends at once where `stopping` says True.
        """
        for way in self._ways.all:
            self._release(way.runs, way)
        end = time.monotonic() + seconds
        while self.turn(lease=False):
            if stopping() or time.monotonic() > end:
                return False
        return True

    def leave_out_slow(self) -> None:
        """Take no more for senders whose servers have not answered yet."""
        self._ways.leave_out({way.sender_id for way in self._ways.all if way.runs})

    def give_up(self) -> None:
        """Somebody waits for the worker to stop: what has no answer by now is uncertain."""
        for run in self.in_hand:
            self._give_up(run)

    def close(self) -> None:
        """Leave every server in good order, and the journal to recovery if it is still needed."""
        settled = False
        with suppress(DBAPIError):
            self._host.session.rollback()
            self._ways.give_permits_back()
            self._give_strays_back()
            self._host.session.rollback()
            settled = not self.in_hand
        self._ways.end_all()
        self._network.close()
        self._journal.close(keep=not settled)

    # --- One turn ---

    def _work(self) -> None:
        for way in self._ways.all:
            for run in list(way.runs):
                self._settle(way, run)
        self._ways.drop_faulty(self._release, self._give_up)
        self._ways.keep_limits(self._release)
        self._look()
        self._renew()

    def _settle(self, way: Way, run: ChunkRun) -> None:
        """Write what came in, when the chunk is through or has taken its time; give it back when it is through."""
        finished = run.finished
        answers, unwritten = len(run.results), len(run.unwritten)
        late = time.monotonic() - run.settled_at > SETTLE_SECONDS
        if not finished and not ((answers or unwritten) and late):
            return
        state = outbox.lock_mailing(self._host, run.chunk.mailing_id, shared=not finished)
        self._write(run, answers, unwritten)
        if finished:
            if way.rest is not None and not way.rest.whole:
                outbox.put_off(self._host, way.admission.of_limited_domains(run), way.rest.until)
            outbox.give_back(self._host, run.chunk, state=state)
        self._host.session.commit()
        run.forget(answers, unwritten)
        self.settled += answers
        if answers:
            self._ways.works(way)
        if finished:
            way.runs.remove(run)
            run.close()

    def _write(self, run: ChunkRun, answers: int, unwritten: int) -> None:
        if answers:
            results.settle(self._host, run.taken_in(answers), retries=run.retries, kind=run.kind)
        failed = [(run.recipients[place].id, why) for place, why in [run.unwritten[n] for n in range(unwritten)]]
        for message_id, why in failed:
            outbox.refuse(self._host, message_id, RefusalReason.NOT_BUILT, why)
        if failed and run.kind.counted:
            results.report_failed(self._host, [message_id for message_id, _ in failed])

    def _look(self) -> None:
        """See that nothing in hand was stopped: only that lets messages leave, and only for a moment."""
        runs = self.in_hand
        if not runs or time.monotonic() - self._looked_at < LOOK_SECONDS / 2:
            return
        looked_at = awake_seconds()
        held = outbox.held(self._host, [run.chunk for run in runs])
        changed = self._watch.looks_changed()
        for way in self._ways.all:
            for run in list(way.runs):
                self._check(way, run, run.chunk.id in held, changed)
        self._host.session.commit()
        self._looked_at = time.monotonic()
        self._ways.clear(looked_at)

    def _check(self, way: Way, run: ChunkRun, held: bool, changed: bool) -> None:
        if not held:
            run.halt()
            self._release([run], way)
            return
        aged = time.monotonic() - run.checked_at > 1.0
        if changed or aged:
            self._desks.of(run.chunk.mailing_id).recipients.stop_late(run, look_at_contacts=aged)
            run.checked_at = time.monotonic() if aged else run.checked_at

    def _renew(self) -> None:
        if time.monotonic() - self._renewed_at > self._host.config.lease_seconds / 3:
            outbox.renew(self._host, [run.chunk for run in self.in_hand])
            self._host.session.commit()
            self._renewed_at = time.monotonic()

    # --- Chunks ---

    def _lease(self) -> bool:
        """Lease one more chunk where there is use for it; True where one was found."""
        now = time.monotonic()
        if len(self.in_hand) >= CHUNKS_IN_HAND or (self.in_hand and now < self._lease_at):
            return False
        able, busy = self._ways.able(), self._ways.busy()
        chunk = outbox.lease_chunk(self._host, self._holder, self._state_name, able=able, but=busy)
        if chunk is None:
            self._lease_at = now + IDLE_SECONDS
            return False
        try:
            self._begin(chunk)
        except MassMailError as error:
            self._host.session.rollback()
            outbox.hold(self._host, chunk.mailing_id, HoldReason.NOT_FILLED, str(error))
            self._return(chunk)
        return True

    def _begin(self, chunk: outbox.LeasedChunk) -> None:
        desk = self._desks.of(chunk.mailing_id, besides={run.chunk.mailing_id for run in self.in_hand})
        way = self._ways.open(desk.sender_id, chunk.mailing_id)
        if way is None:
            self._return(chunk)
            return
        found = desk.recipients.read(chunk, most=self._host.config.chunk_size)
        self._host.session.commit()
        region = self._journal.take() if found else None
        if region is None:
            self._return(chunk)
            return
        region.begin(chunk.id, [recipient.id for recipient in found])
        run = ChunkRun(
            chunk,
            region,
            desk.letters,
            found,
            kind=desk.kind,
            retries=desk.retries,
        )
        try:
            self._ask_hooks(desk.recipients, run, region)
        except DBAPIError:
            region.free()
            raise
        way.runs.append(run)
        self._network.call(way.add, run)

    def _ask_hooks(self, recipients: Recipients, run: ChunkRun, region: outbox.Region) -> None:
        """The host's veto. The journal names who is asked for, should the hook take the process with it."""
        if not self._host.hooks.before_send:
            return
        for place, recipient in enumerate(run.recipients):
            region.writing(place)
            reason = recipients.vetoed(recipient)
            region.untouched(place)
            if reason is not None and run.stop(place):
                outbox.skip(self._host, {recipient.id: (SkipReason.VETOED, reason)})
            self._host.session.commit()

    def _release(self, runs: Sequence[ChunkRun], way: Way) -> None:
        for run in runs:
            if not run.closing:
                run.closing = True
                self._network.call(way.release, run)

    def _return(self, chunk: outbox.LeasedChunk) -> None:
        outbox.give_back(self._host, chunk)
        self._host.session.commit()

    # --- When something is wrong ---

    def _give_up(self, run: ChunkRun) -> None:
        """A run that could not be finished in time: what was handed and got no answer is uncertain."""
        run.halt()
        outbox.lock_mailing(self._host, run.chunk.mailing_id)
        self._write(run, len(run.results), len(run.unwritten))
        unanswered = run.unanswered()
        outbox.mark_uncertain(self._host, list(unanswered), outbox.NO_ANSWER, unanswered)
        outbox.give_back(self._host, run.chunk)
        self._host.session.commit()
        run.close()
        self._ways.forget(run)

    def _give_strays_back(self) -> None:
        """Chunks that were leased just when the database failed, and are not in hand."""
        outbox.give_back_others(self._host, self._holder, [run.chunk for run in self.in_hand])

    def _bear(self, error: DBAPIError) -> None:
        """The database does not answer, or took the other side of a deadlock: nothing leaves meanwhile."""
        now = time.monotonic()
        if self._lost_since is None:
            self._lost_since = now
            log.warning("The database failed (%s); trying again", type(error.orig or error).__name__)
        elif now - self._lost_since > LOST_SECONDS:
            raise error
        again_at_once = getattr(error.orig, "sqlstate", "") in TRY_AGAIN or "locked" in str(error.orig)
        time.sleep(0.2 if again_at_once else 1.0)
