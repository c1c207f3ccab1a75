"""The thread in which mail goes over the network: one event loop for all ways of a lane.

Lanes enter; nothing here knows the database.
"""

import asyncio
import logging
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from importlib import import_module
from typing import Any

from massmail_plugin.sending.way import Way

log = logging.getLogger(__name__)

GOODBYE_SECONDS = 5.0
"""How long servers have to answer QUIT."""

SWITCH_SECONDS = 0.0005
"""How long one of the two threads of a lane may run while the other one wants to."""

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def fastest_loop() -> asyncio.AbstractEventLoop:
    """uvloop's event loop where it is installed, else asyncio's own."""
    try:
        loop: asyncio.AbstractEventLoop = import_module("uvloop").new_event_loop()
    except ImportError:
        return asyncio.new_event_loop()
    return loop


class Network:
    """An event loop in a thread of its own."""

    def __init__(self, loop_factory: LoopFactory = fastest_loop) -> None:
        self._loop = loop_factory()
        self._interval = sys.getswitchinterval()
        # The lane's thread asks the database in many short steps; it must not wait long for its turn after each.
        sys.setswitchinterval(SWITCH_SECONDS)
        self._thread = threading.Thread(target=self._run, name="massmail-network", daemon=True)
        self._thread.start()

    def carry(self, way: Way, done: Callable[[BaseException | None], None]) -> None:
        """Let a way's carriage carry until the way ends; `done` hears, in the loop, what went wrong, or None."""

        async def until_end() -> None:
            problem: BaseException | None = None
            try:
                await way.carriage.carry(way)
            except Exception as error:
                problem = error
            finally:
                await way.carriage.close()
                done(problem)

        self._start(until_end())

    def call(self, function: Callable[..., object], *given: object) -> None:
        """Call a function in the loop."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *given)

    def close(self) -> None:
        """Stop the loop, after the carriages that were told to end have said goodbye; what stays is cancelled."""
        asyncio.run_coroutine_threadsafe(self._wind_up(), self._loop).result(3 * GOODBYE_SECONDS)
        self.call(self._loop.stop)
        self._thread.join(10)
        sys.setswitchinterval(self._interval)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _wind_up(self) -> None:
        running = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
        if running:
            _, late = await asyncio.wait(running, timeout=GOODBYE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()
