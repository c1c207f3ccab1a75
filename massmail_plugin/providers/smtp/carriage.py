"""A way out over SMTP: as many kept connections as there is use for, up to the account's number.

The sending room enters through `SmtpProvider.open`; marks and results are committed by the feed it passes in.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from time import monotonic

from massmail_plugin.contracts import Account, Answer, Feed, Outgoing
from massmail_plugin.errors import CannotConnect
from massmail_plugin.providers.smtp import words
from massmail_plugin.providers.smtp.courier import Courier
from massmail_plugin.providers.smtp.depot import Ended
from massmail_plugin.providers.smtp.dialogue import Waits
from massmail_plugin.providers.smtp.envelope import offer
from massmail_plugin.providers.smtp.session import Session
from massmail_plugin.vocabulary import MessageState

log = logging.getLogger(__name__)

TRIES = 3
"""How many connections a message may lose before its content."""
IN_VAIN = 5
"""How many connections may be lost one after the other without a single answer to a message."""
FEWER_SECONDS = 60.0
"""How long no further connection is tried after one was turned away."""


class SmtpCarriage:
    """As `contracts.Carriage`. Connects with the first message; a connection that is lost is made anew when needed."""

    def __init__(
        self, account: Account, waits: Waits, new_session: Callable[[], Session], *, tries: int = TRIES
    ) -> None:
        self.feed: Feed
        self._account, self._waits, self._new_session, self._tries = account, waits, new_session, tries
        self._couriers: dict[Courier, Session] = {}
        self._idle: set[Courier] = set()
        self._parked: set[Courier] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._spare: deque[Outgoing] = deque()
        self._most = max(1, account.connections)
        self._may_grow = True
        self._losses: dict[tuple[int, bool], int] = {}
        self._aside: list[tuple[Outgoing, CannotConnect]] = []
        self._in_vain = 0
        self._carried = self._carrying = self._returned = False
        self._problem: Exception | None = None
        self._news = asyncio.Event()

    async def carry(self, feed: Feed) -> None:
        """As `contracts.Carriage.carry`."""
        self.feed, self._problem, self._carrying = feed, None, True
        self._losses.clear()
        self._in_vain = 0
        watchdog = asyncio.create_task(self._watch())
        try:
            self.wake()
            while not self._done():
                await self._news.wait()
                self._news.clear()
                self._look()
        finally:
            watchdog.cancel()
            self._let_go()
        if self._problem is not None:
            raise self._problem

    def wake(self) -> None:
        """As `contracts.Carriage.wake`."""
        if not self._carrying:
            return
        self._news.set()
        parked, self._parked = self._parked, set()
        for courier in parked:
            courier.resume()
        self._rouse()

    def _rouse(self) -> None:
        """Let idle couriers take what the feed has."""
        while self._idle and self._problem is None:
            courier = self._idle.pop()
            courier.resume()
            if courier in self._idle:
                break

    async def close(self) -> None:
        """As `contracts.Carriage.close`."""
        for task in self._opening:
            task.cancel()
        sessions = list(self._couriers.values())
        self._couriers.clear()
        self._idle.clear()
        await asyncio.gather(*(session.leave() for session in sessions), return_exceptions=True)

    def adopt(self, session: Session) -> Courier:
        """Carry over this open connection too. Raises CannotConnect where it is not fit for messages any more."""
        session.check()
        courier = Courier(session.wire, offer(session.offered), self._account, self._waits, self)
        self._couriers[courier] = session
        return courier

    # --- What couriers ask for --------------------------------------------------------------------------------

    def take(self) -> Outgoing | None:
        """As `courier.Depot`."""
        if self._problem is not None:
            return None
        message = self._spare.popleft() if self._spare else self.feed.take()
        if message is not None and self._may_grow:
            self._grow()
        return message

    def idle(self, courier: Courier) -> None:
        """As `courier.Depot`."""
        self._idle.add(courier)
        self._news.set()

    def park(self, courier: Courier) -> None:
        """As `courier.Depot`."""
        self._parked.add(courier)

    def lost(self, message: Outgoing, ended: Ended) -> None:
        """As `courier.Depot`: it comes again, unless it lost too many connections."""
        key = (message.message_id, message.is_copy)
        losses = self._losses[key] = self._losses.get(key, 0) + 1
        self._count(ended)
        if losses < self._tries and self._in_vain < IN_VAIN:
            self.feed.put_back(message)
            return
        del self._losses[key]
        if ended.reply is not None and ended.stage != "mail":
            self._in_vain = 0
            self.feed.settle(message, Answer(MessageState.DEFERRED, ended.reply))
            return
        problem = CannotConnect(ended.stage, words.broke_off(self._account, ended.note))
        self._aside.append((message, problem))
        if self._in_vain >= IN_VAIN:
            self._stop(problem)

    def _count(self, ended: Ended) -> None:
        """Note a lost connection; where others do carry, one that carried nothing was one too many."""
        self._carried = self._carried or ended.proven or any(courier.proven for courier in self._couriers)
        if ended.proven:
            self._in_vain = 0
        elif any(courier.carries for courier in self._couriers):
            self._fewer(f"One was lost at {ended.stage}.", lost=1)
        else:
            self._in_vain += 1

    def gone(self, courier: Courier) -> None:
        """As `courier.Depot`."""
        self._couriers.pop(courier, None)
        self._idle.discard(courier)
        self._parked.discard(courier)
        self._may_grow = self._returned = True
        self._news.set()

    def fault(self, problem: CannotConnect) -> None:
        """As `courier.Depot`."""
        self._stop(problem)

    def broke(self, error: Exception) -> None:
        """As `courier.Depot`."""
        self._stop(error)

    # --- Connections ------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """See to it that there is a connection if there is something to carry, and nothing stays aside for ever."""
        if self._problem is not None:
            return
        if self._returned:
            self._returned = False
            self._rouse()
        if not self._couriers and not self._opening:
            self._open_first()
        if self._aside:
            self._sort_aside()

    def _open_first(self) -> None:
        if not self._spare and (message := self.feed.take()) is not None:
            self._spare.append(message)
        if self._spare:
            self._open()

    def _sort_aside(self) -> None:
        """A message that lost its connections waits here until it shows whether others fare better."""
        if self._carried or any(courier.proven for courier in self._couriers):
            for message, problem in self._taken_aside():
                self.feed.settle(message, Answer(MessageState.DEFERRED, None, str(problem)))
        elif not self._busy():
            self._stop(self._aside[-1][1])

    def _taken_aside(self) -> list[tuple[Outgoing, CannotConnect]]:
        aside, self._aside = self._aside, []
        return aside

    def _grow(self) -> None:
        """Open more connections if the feed has more than the open ones carry; at most as many again at once."""
        while not self._idle and self._has_room() and len(self._opening) < len(self._couriers):
            message = self.feed.take()
            if message is None:
                return
            self._spare.append(message)
            self._open()
        self._may_grow = self._has_room()

    def _has_room(self) -> bool:
        return len(self._couriers) + len(self._opening) < self._most

    def _open(self) -> None:
        task = asyncio.create_task(self._opened())
        self._opening.add(task)

    async def _opened(self) -> None:
        session = self._new_session()
        try:
            await session.open()
            self._opening.discard(_this_task())
            self.adopt(session).resume()
        except CannotConnect as problem:
            self._opening.discard(_this_task())
            self._not_opened(problem)
        except Exception as error:
            self._stop(error)
        finally:
            self._opening.discard(_this_task())
            self._may_grow = self._has_room()
            self._news.set()

    def _not_opened(self, problem: CannotConnect) -> None:
        if self._couriers or self._opening:
            self._fewer(str(problem))
        else:
            self._stop(problem)

    def _fewer(self, why: str, *, lost: int = 0) -> None:
        """Be content with the connections there are, without those being `lost`, for a while."""
        self._most = max(1, len(self._couriers) + len(self._opening) - lost)
        log.info("Sender %s: %s connections for now. %s", self._account.sender_id, self._most, why)
        asyncio.get_running_loop().call_later(FEWER_SECONDS, self._more_again)

    def _more_again(self) -> None:
        self._most = max(1, self._account.connections)
        self._may_grow = True

    # --- The end ----------------------------------------------------------------------------------------------

    def _busy(self) -> bool:
        return bool(self._opening or self._spare) or not all(courier.free for courier in self._couriers)

    def _done(self) -> bool:
        if self._problem is not None:
            return not self._couriers
        return self.feed.ended and not self._spare and not self._aside and all(c.free for c in self._couriers)

    def _stop(self, problem: Exception) -> None:
        """Give back what was not handed; `carry` raises the first problem once the other answers are here."""
        if self._problem is not None:
            return
        self._problem = problem
        self._news.set()
        self._release()
        for courier in list(self._couriers):
            courier.stop()

    def _release(self) -> None:
        for task in self._opening:
            if task is not _this_task():
                task.cancel()
        while self._spare:
            self.feed.put_back(self._spare.pop())
        for message, _ in self._taken_aside():
            self.feed.put_back(message)

    def _let_go(self) -> None:
        """`carry` is over, perhaps because it was cancelled: nothing stays in our hands."""
        self._carrying = False
        self._release()
        for courier in [courier for courier in self._couriers if not courier.free]:
            courier.stop()
            courier.end("The worker was stopped.")

    async def _watch(self) -> None:
        """One look for all connections every few seconds instead of a timer for every message."""
        period = min(5.0, min(self._waits.command, self._waits.final_dot) / 4)
        try:
            while True:
                await asyncio.sleep(period)
                now = monotonic()
                for courier in list(self._couriers):
                    courier.check(now)
        except Exception as error:
            self._stop(error)


def _this_task() -> "asyncio.Task[None] | None":
    return asyncio.current_task()
