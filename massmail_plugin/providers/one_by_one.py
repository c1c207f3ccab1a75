"""A carriage for providers that hand over one message after another, such as web services; commits nothing."""

import asyncio
from collections.abc import Awaitable, Callable

from massmail_plugin.contracts import Answer, Feed, Hand, Outgoing
from massmail_plugin.errors import CannotConnect
from massmail_plugin.vocabulary import MessageState

Send = Callable[[Outgoing], Awaitable[Answer]]


class OneByOneCarriage:
    """As `contracts.Carriage`: at most `connections` calls of `send` at the same time.

    `send` gives what became of the message. It raises CannotConnect where the sender itself is at fault and this
    message was not taken; after any other error the message counts as uncertain.
    """

    def __init__(self, connections: int, send: Send) -> None:
        self._connections = max(1, connections)
        self._send = send
        self._problem: Exception | None = None
        self._news = asyncio.Event()

    async def carry(self, feed: Feed) -> None:
        """As `contracts.Carriage.carry`."""
        self._problem = None
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._connections):
                tasks.create_task(self._carry(feed))
        if self._problem is not None:
            raise self._problem

    def wake(self) -> None:
        """As `contracts.Carriage.wake`."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def close(self) -> None:
        """As `contracts.Carriage.close`."""

    async def _carry(self, feed: Feed) -> None:
        while self._problem is None:
            message = feed.take()
            if message is not None:
                await self._one(feed, message)
            elif feed.ended:
                self.wake()
                return
            else:
                await self._news.wait()

    async def _one(self, feed: Feed, message: Outgoing) -> None:
        while (verdict := feed.hand(message)) is Hand.WAIT:
            await self._news.wait()
            if self._problem is not None:
                feed.put_back(message)
                return
        if verdict is Hand.GO:
            feed.settle(message, await self._answer(message))

    async def _answer(self, message: Outgoing) -> Answer:
        try:
            return await self._send(message)
        except CannotConnect as problem:
            self._fail(problem)
            return Answer(MessageState.DEFERRED, None, str(problem))
        except Exception as error:
            self._fail(error)
            return Answer(MessageState.UNCERTAIN, None, "The provider failed while it sent the message.")
        except asyncio.CancelledError:
            self._fail(CannotConnect("data", "The worker was stopped."))
            return Answer(MessageState.UNCERTAIN, None, "The worker was stopped while it sent the message.")

    def _fail(self, problem: Exception) -> None:
        self._problem = self._problem or problem
        self.wake()
