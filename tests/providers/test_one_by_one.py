"""The carriage for providers that hand over one message after another."""

import asyncio

import pytest

from massmail_plugin.contracts import Answer, Hand, Outgoing
from massmail_plugin.errors import CannotConnect
from massmail_plugin.providers.one_by_one import OneByOneCarriage
from massmail_plugin.vocabulary import MessageState
from tests.providers.conftest import Journal, carried, message, run

SENT = Answer(MessageState.SENT)


def test_at_most_so_many_at_once() -> None:
    now, most = 0, 0

    async def deliver(m: Outgoing) -> Answer:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        return SENT

    journal = Journal()
    journal.waiting.extend(message(n) for n in range(1, 30))
    run(carried(OneByOneCarriage(3, deliver), journal))
    assert journal.states == [MessageState.SENT] * 29
    assert most == 3


def test_fault_of_the_sender_waits_for_the_others_and_defers_its_message() -> None:
    async def deliver(m: Outgoing) -> Answer:
        await asyncio.sleep(0)
        if m.message_id == 1:
            raise CannotConnect("login", "The key is wrong.", lasting=True)
        await asyncio.sleep(0)
        return SENT

    journal = Journal()
    journal.waiting.extend(message(n) for n in range(1, 10))
    with pytest.raises(CannotConnect):
        run(carried(OneByOneCarriage(3, deliver), journal))
    assert journal.states == [MessageState.DEFERRED, MessageState.SENT, MessageState.SENT]
    assert len(journal.waiting) == 6


def test_unknown_failure_leaves_the_message_uncertain() -> None:
    async def deliver(m: Outgoing) -> Answer:
        raise ValueError

    journal = Journal()
    journal.waiting.append(message())
    with pytest.raises(ValueError):
        run(carried(OneByOneCarriage(3, deliver), journal))
    assert journal.states == [MessageState.UNCERTAIN]


def test_waits_for_the_feeds_word_and_for_more() -> None:
    async def deliver(m: Outgoing) -> Answer:
        return SENT

    journal, known = Journal(closed=False), set[int]()
    journal.verdict = lambda m: Hand.GO if m.message_id in known else Hand.WAIT

    async def play() -> None:
        carriage = OneByOneCarriage(2, deliver)
        task = asyncio.create_task(carried(carriage, journal))
        await asyncio.sleep(0)
        journal.waiting.append(message(1))
        carriage.wake()
        while not journal.happened:
            await asyncio.sleep(0)
        assert journal.answers == {}
        known.add(1)
        journal.closed = True
        carriage.wake()
        await task

    run(play())
    assert journal.states == [MessageState.SENT]
