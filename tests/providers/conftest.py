"""Accounts, messages and a feed that writes down what happens, for every test of this room."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from massmail_plugin.contracts import Account, Answer, Carriage, Hand, Outgoing, Provider
from massmail_plugin.providers.smtp import SmtpProvider
from massmail_plugin.vocabulary import MessageState


def _go(message: Outgoing) -> Hand:
    return Hand.GO


@dataclass
class Journal:
    """A feed that writes down what a carriage asks for, and watches that each message ends once."""

    happened: list[tuple[str, int]] = field(default_factory=list)
    answers: dict[int, Answer] = field(default_factory=dict)
    verdict: Callable[[Outgoing], Hand] = _go
    waiting: deque[Outgoing] = field(default_factory=deque)
    out: dict[int, Outgoing] = field(default_factory=dict)
    """Taken, and neither put back, stopped nor settled."""
    put_back_: list[int] = field(default_factory=list)
    marked: set[int] = field(default_factory=set)
    closed: bool = True
    """Whether nothing comes after what is waiting."""

    @property
    def ended(self) -> bool:
        return self.closed and not self.waiting

    def take(self) -> Outgoing | None:
        if not self.waiting:
            return None
        message = self.waiting.popleft()
        assert message.message_id not in self.out
        self.out[message.message_id] = message
        return message

    def put_back(self, message: Outgoing) -> None:
        assert message.message_id not in self.marked, "handed messages do not come back"
        self.put_back_.append(self.out.pop(message.message_id).message_id)
        self.waiting.appendleft(message)

    def hand(self, message: Outgoing) -> Hand:
        assert message.message_id in self.out
        assert message.message_id not in self.marked, "handed twice"
        self.happened.append(("hand", message.message_id))
        verdict = self.verdict(message)
        if verdict is Hand.GO:
            self.marked.add(message.message_id)
        elif verdict is Hand.STOP:
            del self.out[message.message_id]
        return verdict

    def settle(self, message: Outgoing, answer: Answer) -> None:
        assert message.message_id not in self.answers, "settled twice"
        del self.out[message.message_id]
        if answer.state in (MessageState.SENT, MessageState.UNCERTAIN):
            assert message.message_id in self.marked, "it left without its mark"
        self.happened.append((answer.state, message.message_id))
        self.answers[message.message_id] = answer

    @property
    def states(self) -> list[MessageState]:
        return [answer.state for _, answer in sorted(self.answers.items())]

    @property
    def handed(self) -> list[int]:
        return [number for what, number in self.happened if what == "hand"]


async def carried(carriage: Carriage, journal: Journal) -> None:
    """Carry all that waits in `journal`, leave, and see that nothing stayed in the carriage's hands."""
    try:
        async with asyncio.timeout(8):
            await carriage.carry(journal)
    finally:
        await carriage.close()
        assert journal.out == {}


def send(provider: Provider, to: Account, journal: Journal, *messages: Outgoing) -> None:
    """Carry `messages` to an account in an event loop of its own."""
    journal.waiting.extend(messages)
    run(carried(provider.open(to), journal))


def account(port: int, **changes: object) -> Account:
    given: dict[str, object] = {
        "sender_id": 1,
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "auth": "auto",
        "username": "",
        "secret": "",
        "timeout": 5.0,
        "connections": 1,
    }
    return Account(**{**given, **changes})  # type: ignore[arg-type]


def message(number: int = 1, **changes: object) -> Outgoing:
    given: dict[str, object] = {
        "message_id": number,
        "mail_from": "news@shop.example",
        "rcpt_to": f"reader{number}@example.org",
        "content": b"Subject: %d\r\n\r\nHello\r\n" % number,
    }
    return Outgoing(**{**given, **changes})  # type: ignore[arg-type]


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def provider() -> SmtpProvider:
    return SmtpProvider(command_seconds=5, final_dot_seconds=0.5)


def run(work: Coroutine[Any, Any, None], factory: Callable[[], asyncio.AbstractEventLoop] | None = None) -> None:
    """`asyncio.run` in a thread of its own: the browser of other tests may keep a loop in this one."""

    def in_a_loop() -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(work)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(in_a_loop).result()
