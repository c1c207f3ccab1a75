"""Several connections at once: how many are opened, who waits, who stops, and servers that tire the client."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest

from massmail_plugin.contracts import Hand, Outgoing
from massmail_plugin.errors import CannotConnect
from massmail_plugin.providers.smtp import SmtpProvider
from massmail_plugin.vocabulary import MessageState
from tests.providers.conftest import Journal, account, carried, message, run, send
from tests.providers.scripted_server import DROP, LATE, POLITE, SILENT, TARPIT, ScriptedServer

SENT, DEFERRED, UNCERTAIN = MessageState.SENT, MessageState.DEFERRED, MessageState.UNCERTAIN
STEPS = ["banner", "ehlo", "mail", "rcpt", "data", "dot"]
PIPELINING = {"ehlo": "250-hi\r\n250 PIPELINING"}
SLOW = {**PIPELINING, "dot": LATE + "250 2.0.0 queued"}


def many(count: int) -> list[Outgoing]:
    return [message(number) for number in range(1, count + 1)]


def test_as_many_connections_as_there_is_use_for(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer(SLOW) as server:
        send(provider, account(server.port, connections=4), journal, *many(30))
    assert journal.states == [SENT] * 30
    assert len(server.conversations) == 4
    assert len(server.contents) == 30


def test_one_message_opens_one_connection(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer(SLOW) as server:
        send(provider, account(server.port, connections=10), journal, message())
    assert journal.states == [SENT]
    assert len(server.conversations) == 1


@pytest.mark.parametrize("script", [{"banner": "421 4.7.0 too many"}, {"ehlo": DROP}, {"mail": "421 4.7.0 too many"}])
def test_further_connection_that_is_turned_away_is_done_without(
    provider: SmtpProvider, journal: Journal, script: dict[str, str]
) -> None:
    with ScriptedServer(SLOW, {**PIPELINING, **script}) as server:
        send(provider, account(server.port, connections=4), journal, *many(20))
    assert journal.states == [SENT] * 20
    assert len(server.conversations) <= 4


def test_two_messages_share_one_round_trip(provider: SmtpProvider, journal: Journal) -> None:
    """The commands of the second are there before the dot of the first is answered."""
    with ScriptedServer(SLOW) as server:
        seen: list[int] = []

        def verdict(m: Outgoing) -> Hand:
            seen.append(len(journal.out))
            return Hand.GO

        journal.verdict = verdict
        send(provider, account(server.port), journal, *many(3))
    assert journal.happened[:3] == [("hand", 1), ("sent", 1), ("hand", 2)]
    assert journal.states == [SENT] * 3
    assert [c[:4] for c in server.commands if c.startswith((b"RSET", b"MAIL"))] == [b"MAIL"] * 3


def test_fault_of_the_sender_waits_for_the_answers_of_others(provider: SmtpProvider, journal: Journal) -> None:
    slow = {**PIPELINING, "dot": LATE + "250 2.0.0 queued"}
    refusing = {**PIPELINING, "mail": LATE + "550 5.7.26 not authenticated"}
    with ScriptedServer(slow, refusing) as server, pytest.raises(CannotConnect) as caught:
        send(provider, account(server.port, connections=2), journal, *many(20))
    assert caught.value.lasting
    assert set(journal.states) == {SENT}
    assert len(journal.states) == len(server.contents) == len(journal.marked)
    assert len(journal.states) + len(journal.waiting) == 20


def test_message_whose_word_is_awaited_goes_once_it_is_known(provider: SmtpProvider) -> None:
    journal, known = Journal(), set[int]()
    journal.verdict = lambda m: Hand.GO if m.message_id in known else Hand.WAIT

    async def play(port: int) -> None:
        carriage = provider.open(account(port))
        task = asyncio.create_task(carried(carriage, journal))
        for number in (1, 2):
            while ("hand", number) not in journal.happened:
                await asyncio.sleep(0.005)
            carriage.wake()
            assert number not in journal.answers
            known.add(number)
            carriage.wake()
        await task

    journal.waiting.extend(many(2))
    with ScriptedServer(PIPELINING) as server:
        run(play(server.port))
    assert journal.states == [SENT, SENT]
    assert len(server.conversations) == 1


def test_idle_connection_is_used_when_something_comes(provider: SmtpProvider) -> None:
    journal = Journal(closed=False)

    async def play(port: int) -> None:
        carriage = provider.open(account(port, connections=3))
        task = asyncio.create_task(carried(carriage, journal))
        for one in many(3):
            journal.waiting.append(one)
            carriage.wake()
            while one.message_id not in journal.answers:
                await asyncio.sleep(0.005)
        journal.closed = True
        carriage.wake()
        await task

    with ScriptedServer(PIPELINING) as server:
        run(play(server.port))
    assert journal.states == [SENT] * 3
    assert len(server.conversations) == 1


def test_idle_connections_come_before_new_ones(provider: SmtpProvider) -> None:
    """A burst opens connections; a smaller one later finds them idle and opens none."""
    journal, opened = Journal(closed=False), 0

    async def burst(numbers: range, wake: Callable[[], None]) -> None:
        journal.waiting.extend(message(number) for number in numbers)
        wake()
        while not set(numbers) <= set(journal.answers):
            await asyncio.sleep(0.005)

    async def play(server: ScriptedServer) -> None:
        nonlocal opened
        carriage = provider.open(account(server.port, connections=10))
        task = asyncio.create_task(carried(carriage, journal))
        await burst(range(1, 4), carriage.wake)
        opened = len(server.conversations)
        await burst(range(4, 4 + opened), carriage.wake)
        journal.closed = True
        carriage.wake()
        await task

    with ScriptedServer(SLOW) as server:
        run(play(server))
        assert len(server.conversations) == opened
    assert set(journal.states) == {SENT}


def test_cancelled_carriage_keeps_nothing_in_its_hands(provider: SmtpProvider) -> None:
    journal = Journal()
    journal.waiting.extend(many(5))

    async def play(port: int) -> None:
        task = asyncio.create_task(carried(provider.open(account(port, connections=2)), journal))
        while not journal.marked:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with ScriptedServer({**PIPELINING, "dot": SILENT}) as server:
        run(play(server.port))
    assert set(journal.answers) == journal.marked
    assert set(journal.states) == {UNCERTAIN}
    assert len(journal.waiting) == 5 - len(journal.marked)


def test_same_carriage_carries_again_over_its_connection(provider: SmtpProvider, journal: Journal) -> None:
    async def play(port: int) -> None:
        carriage = provider.open(account(port))
        journal.waiting.append(message(1))
        await carriage.carry(journal)
        journal.waiting.append(message(2))
        await carried(carriage, journal)

    with ScriptedServer(PIPELINING) as server:
        run(play(server.port))
    assert journal.states == [SENT, SENT]
    assert len(server.conversations) == 1


def test_address_at_which_the_server_always_breaks_off_does_not_stop_the_rest(provider: SmtpProvider) -> None:
    journal = Journal()
    rcpt = ["250 ok", "250 ok", DROP]
    with ScriptedServer({**PIPELINING, "rcpt": rcpt}, *[{**PIPELINING, "rcpt": DROP}] * 2, PIPELINING) as server:
        send(provider, account(server.port), journal, *many(5))
    assert journal.states == [SENT, SENT, DEFERRED, SENT, SENT]
    assert "broke off" in journal.answers[3].note


# --- Servers that tire the client -------------------------------------------------------------------------


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "dot"])
def test_silent_server_is_left_at_every_step(journal: Journal, step: str, pipelining: bool) -> None:
    script = {**(PIPELINING if pipelining else {}), step: SILENT}
    started = time.monotonic()
    with ScriptedServer(script, {}) as server:
        send(SmtpProvider(command_seconds=0.2, final_dot_seconds=0.2), account(server.port), journal, *many(2))
    assert journal.states == [UNCERTAIN if step == "dot" else SENT, SENT]
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("step", ["banner", "ehlo"])
def test_server_that_is_silent_before_it_lets_us_in_is_left(journal: Journal, step: str) -> None:
    with ScriptedServer({step: SILENT}) as server, pytest.raises(CannotConnect, match="silent for too long"):
        send(SmtpProvider(command_seconds=0.2), account(server.port), journal, *many(2))
    assert journal.happened == []


@pytest.mark.parametrize("step", STEPS)
def test_answers_that_come_byte_by_byte_are_answers(provider: SmtpProvider, journal: Journal, step: str) -> None:
    with ScriptedServer({step: TARPIT + POLITE[step]}) as server:
        send(provider, account(server.port), journal, message())
    assert journal.states == [SENT]


def test_reply_that_never_ends_does_not_hold_the_connection(journal: Journal) -> None:
    endless = TARPIT + "\r\n".join(["250-still thinking"] * 100)
    with ScriptedServer({"rcpt": endless}, {}) as server:
        send(SmtpProvider(command_seconds=0.3), account(server.port), journal, message())
    assert journal.states == [SENT]
    assert len(server.conversations) == 2


@pytest.mark.parametrize("giant", ["250-" + "x" * 70_000, "250-x\r\n" * 20_000, "250 " + "x" * 200_000])
def test_giant_reply_ends_the_connection(provider: SmtpProvider, journal: Journal, giant: str) -> None:
    with ScriptedServer({"dot": giant}, {}) as server:
        send(provider, account(server.port), journal, *many(2))
    assert journal.states == [UNCERTAIN, SENT]


@pytest.mark.parametrize("said", ["354 more?", "250\x00ok", "2500 ok", "999 ok", "100 wait", ""])
def test_odd_answers_to_the_dot_are_never_taken_for_success(
    provider: SmtpProvider, journal: Journal, said: str
) -> None:
    with ScriptedServer({"dot": said}, {}) as server:
        send(provider, account(server.port), journal, *many(2))
    assert journal.states == [UNCERTAIN, SENT]


def test_greylisting_server_gets_the_rest_over_the_same_connection(provider: SmtpProvider, journal: Journal) -> None:
    rcpt = ["450 4.2.0 greylisted"] * 5 + ["250 ok"] * 5
    with ScriptedServer({**PIPELINING, "rcpt": rcpt}) as server:
        send(provider, account(server.port), journal, *many(10))
    assert journal.states == [DEFERRED] * 5 + [SENT] * 5
    assert len(server.conversations) == 1


def test_refusal_in_the_midst_of_a_large_message_is_the_answer(provider: SmtpProvider, journal: Journal) -> None:
    heard = b""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        writer.write(b"220 hi\r\n")
        for answer in (b"250-hi\r\n250 PIPELINING", b"250 ok", b"250 ok", b"354 go"):
            await reader.readline()
            writer.write(answer + b"\r\n")
        heard = await reader.read(1000)
        writer.write(b"552 5.3.4 too big after all\r\n")
        while more := await reader.read(65536):
            heard += more
        writer.close()

    async def play() -> None:
        listening = await asyncio.start_server(serve, "127.0.0.1", 0)
        await carried(provider.open(account(listening.sockets[0].getsockname()[1])), journal)
        listening.close()

    journal.waiting.append(message(1, content=b"Subject: big\r\n\r\n" + b"x\r\n" * 5_000_000))
    with suppress(ConnectionError):
        run(play())
    assert journal.states == [MessageState.REFUSED]
    assert not heard.endswith(b"\r\n.\r\n")


@pytest.mark.parametrize(("refused", "lone_dots"), [("rcpt", 1), ("mail", 0)])
def test_server_that_wants_content_for_a_refused_message_gets_none(
    provider: SmtpProvider, journal: Journal, refused: str, lone_dots: int
) -> None:
    script: dict[str, str | Sequence[str]] = {
        **PIPELINING,
        refused: ["552 5.3.4 no", "250 ok", "250 ok"],
        "dot": ["554 5.5.1 no valid recipients", "250 queued", "250 queued"] if lone_dots else "250 queued",
    }
    with ScriptedServer(script, PIPELINING, lax=True) as server:
        send(provider, account(server.port), journal, *many(2))
    assert journal.states == [MessageState.REFUSED, SENT]
    assert server.contents == [b""] * lone_dots + [b"Subject: 2\r\n\r\nHello\r\n"]
