"""For any mix of what a server does to each message, over several connections: each ends once, with its own reply.

The server decides by the recipient, whatever connection the message comes over, and puts it into every reply.
"""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from massmail_plugin.contracts import Hand, Outgoing
from massmail_plugin.errors import CannotConnect
from massmail_plugin.providers.smtp import SmtpProvider
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import MessageState
from tests.providers.conftest import Journal, account, message, run

FATES = [
    "ok", "late", "stop", "wait",
    "4-rcpt", "4-data", "4-dot", "4-mail", "5-rcpt", "5-data", "5-dot", "5-mail", "421-rcpt", "421-data", "421-dot",
    "drop-mail", "drop-rcpt", "drop-data", "drop-dot", "354-rcpt", "garbage-dot", "garbage-rcpt", "torn-dot",
]  # fmt: skip
SENDER = re.compile(rb"MAIL FROM:<b(\d+)@", re.IGNORECASE)
LOOPS = ["asyncio", "uvloop"]


class Fated:
    """A mail server in the loop of the test: message n, told by the sender b<n>@, meets its fate once or each time."""

    def __init__(self, fates: dict[int, str], *, pipelining: bool) -> None:
        self._fates = fates
        self._pipelining = pipelining
        self.accepted: Counter[int] = Counter()
        self.contents: dict[int, bytes] = {}
        self.met: defaultdict[int, int] = defaultdict(int)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        number, stage = 0, ""
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                writer.write(
                    b"250-hi\r\n250-PIPELINING\r\n250 DSN\r\n" if self._pipelining else b"250-hi\r\n250 DSN\r\n"
                )
            elif verb == b"RSET":
                stage = ""
                writer.write(b"250 forgotten\r\n")
            elif verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                return
            elif verb == b"MAIL" and not stage:
                found = SENDER.match(line)
                assert found is not None
                number = int(found[1])
                stage = await self._act(writer, number, "mail", "250", stage)
            elif verb == b"RCPT" and stage == "mail":
                stage = await self._act(writer, number, "rcpt", "250", stage)
            elif verb == b"DATA" and (stage == "rcpt" or (stage == "mail" and self._fates[number] == "354-rcpt")):
                empty = stage == "mail"
                stage = await self._act(writer, number, "data", "354", stage)
                if stage == "data":
                    await self._content(reader, writer, number, empty=empty)
                    stage = ""
            else:
                writer.write(b"503 5.5.1 %d out of order\r\n" % number)

    async def _content(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int, *, empty: bool
    ) -> None:
        content = b""
        while (line := await reader.readline()) != b".\r\n":
            if not line:
                raise ConnectionError
            content += line[1:] if line.startswith(b".") else line
        if empty:
            assert content == b"", "content for a message without recipient"
            writer.write(b"554 5.5.1 no valid recipients %d\r\n" % number)
            return
        fate = self._fates[number]
        if fate in ("drop-dot", "garbage-dot", "torn-dot") or not fate.endswith("-dot"):
            self.accepted[number] += 1
            self.contents[number] = content
        await self._act(writer, number, "dot", "250", "")

    async def _act(self, writer: asyncio.StreamWriter, number: int, stage: str, good: str, before: str) -> str:
        """Do what is fated for this stage; the new stage, or the one before if it was refused."""
        what, _, where = self._fates[number].partition("-")
        self.met[number] += where == stage
        if what == "late":
            await asyncio.sleep(0.002)
        if where != stage:
            writer.write(f"{good} 2.0.0 for {number}\r\n".encode())
            return stage
        if what in ("drop", "421"):
            if what == "421":
                writer.write(f"421 4.3.2 for {number}\r\n".encode())
                await writer.drain()
            raise ConnectionError
        if what == "garbage":
            writer.write(b"what is that?\r\n")
        elif what == "torn":
            writer.write(f"250 2.0.0 for {number}".encode())
            raise ConnectionError
        elif stage == "mail":
            writer.write((b"451 4.3.0 for %d\r\n" if what == "4" else b"552 5.3.4 for %d\r\n") % number)
        else:
            writer.write((b"450 4.2.0 for %d\r\n" if what == "4" else b"550 5.1.1 for %d\r\n") % number)
        return before


class Fickle(Journal):
    """Stops and holds up messages as they are fated."""

    def __init__(self, fates: dict[int, str], wake: Callable[[], None]) -> None:
        super().__init__()
        self._fates, self._wake, self._waited = fates, wake, set[int]()
        self.verdict = self._verdict

    def _verdict(self, message: Outgoing) -> Hand:
        fate = self._fates[message.message_id]
        if fate == "stop":
            return Hand.STOP
        if fate == "wait" and message.message_id not in self._waited:
            self._waited.add(message.message_id)
            asyncio.get_running_loop().call_later(0.003, self._wake)
            return Hand.WAIT
        return Hand.GO


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    return pytest.importorskip("uvloop").new_event_loop if name == "uvloop" else None


@pytest.mark.parametrize("loop", LOOPS)
@given(
    fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=14),
    connections=st.integers(1, 4),
    pipelining=st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_each_message_ends_once_with_its_own_reply(
    loop: str, fates: list[str], connections: int, pipelining: bool
) -> None:
    run(_play(dict(enumerate(fates, 1)), connections, pipelining=pipelining), loop_factory(loop))


async def _play(fates: dict[int, str], connections: int, *, pipelining: bool) -> None:
    server = Fated(fates, pipelining=pipelining)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    provider = SmtpProvider(command_seconds=5, final_dot_seconds=5)
    carriage = provider.open(account(listening.sockets[0].getsockname()[1], connections=connections))
    journal = Fickle(fates, carriage.wake)
    problem: CannotConnect | None = None
    journal.waiting.extend(
        message(n, mail_from=f"b{n}@shop.example", content=b"Subject: %d\r\n\r\n.\r\n..x\r\n" % n) for n in fates
    )
    try:
        async with asyncio.timeout(20):
            await carriage.carry(journal)
    except CannotConnect as caught:
        problem = caught
    finally:
        await carriage.close()
        listening.close()
    if problem is None:
        assert set(journal.answers) | {n for n, fate in fates.items() if fate == "stop"} == set(fates)
    else:
        assert not problem.lasting
        assert any(fate.startswith(("drop", "garbage", "421")) for fate in fates.values())
    _judge(server, journal, fates)


def _judge(server: Fated, journal: Fickle, fates: dict[int, str]) -> None:
    assert journal.out == {}, "in nobody's hands"
    back = {waiting.message_id for waiting in journal.waiting}
    assert back.isdisjoint(journal.answers)
    assert set(server.accepted) <= journal.marked, "accepted without its mark"
    assert max(server.accepted.values(), default=0) <= 1, "accepted twice"
    for number, content in server.contents.items():
        assert content == b"Subject: %d\r\n\r\n.\r\n..x\r\n" % number
    for number, answer in journal.answers.items():
        assert answer.state in EXPECTED.get(fates[number], {MessageState.SENT}), fates[number]
        if answer.state is MessageState.SENT:
            assert server.accepted[number] == 1
        if answer.reply is not None:
            assert answer.reply.text.endswith(f"for {number}"), "somebody else's reply"
            assert answer.reply.accepted or answer.reply.meaning is not Meaning.SENDER_FAULT


EXPECTED = {
    "stop": set[MessageState](),
    **{f"4-{stage}": {MessageState.DEFERRED} for stage in ("mail", "rcpt", "data", "dot")},
    **{f"5-{stage}": {MessageState.REFUSED} for stage in ("mail", "rcpt", "data", "dot")},
    **{f"421-{stage}": {MessageState.DEFERRED} for stage in ("rcpt", "data", "dot")},
    **{f"drop-{stage}": {MessageState.DEFERRED} for stage in ("mail", "rcpt", "data")},
    **{f"{fate}-dot": {MessageState.UNCERTAIN} for fate in ("drop", "garbage", "torn")},
    "354-rcpt": {MessageState.REFUSED},
    "garbage-rcpt": {MessageState.DEFERRED},
}
"""What may become of a message by its fate; those that are not listed are sent."""
