"""A relay far away, run as a process: `python slow_sink.py PORT MILLISECONDS`.

It offers PIPELINING and answers each flight of commands, and each message, so many milliseconds after it came. All
answers wait equally long, so that one queue and one timer serve every connection. XTAKEN asks what it has taken.
"""

import asyncio
import signal
import sys
import time
from collections import deque
from typing import cast

import uvloop

HELLO = b"250-relay.bench.example\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
ANSWERS = {b"EHLO": HELLO, b"DATA": b"354 go on\r\n", b"QUIT": b"221 2.0.0 bye\r\n"}
END = b"\r\n.\r\n"
MILLISECOND = 0.001


class Delay:
    """Writes answers after their time, in the order they came."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._waiting: deque[tuple[float, asyncio.Transport, bytes, bool]] = deque()

    def write(self, transport: asyncio.Transport, answer: bytes, *, last: bool) -> None:
        """Write `answer` later, and hang up after it if it is the last."""
        if not self._waiting:
            self._loop.call_later(self._seconds, self._tick)
        self._waiting.append((time.monotonic() + self._seconds, transport, answer, last))

    def _tick(self) -> None:
        """Write what is due, never earlier: the loop's own clock counts in milliseconds."""
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            _, transport, answer, last = self._waiting.popleft()
            if not transport.is_closing():
                transport.write(answer)
            if last:
                transport.close()
        if self._waiting:
            self._loop.call_later(max(self._waiting[0][0] - now, MILLISECOND), self._tick)


class Relay:
    """What was taken over all connections: messages, their octets, the DKIM signatures in them."""

    taken = octets = signatures = 0

    def take(self, content: bytes | bytearray) -> None:
        self.taken += 1
        self.octets += len(content)
        self.signatures += content.count(b"DKIM-Signature:")

    @property
    def reply(self) -> bytes:
        return b"250 %d %d %d\r\n" % (self.taken, self.octets, self.signatures)


class Session(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport

    def __init__(self, relay: Relay, delay: Delay) -> None:
        self._relay = relay
        self._delay = delay
        self._buffer = bytearray()
        self._seen = 0
        self._in_content = False
        self._answers: list[bytes] = []
        self._quit = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._delay.write(self.transport, b"220 relay.bench.example ESMTP\r\n", last=False)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._content() if self._in_content else self._command():
            pass
        if self._answers:
            self._delay.write(self.transport, b"".join(self._answers), last=self._quit)
            self._answers.clear()

    def _command(self) -> bool:
        """Answer one line; False where none is complete."""
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return False
        word = bytes(self._buffer[:4]).upper()
        del self._buffer[: end + 2]
        self._in_content, self._quit = word == b"DATA", word == b"QUIT"
        self._answers.append(self._relay.reply if word == b"XTAK" else ANSWERS.get(word, b"250 2.1.0 ok\r\n"))
        return True

    def _content(self) -> bool:
        """Take one message; False where it is not complete."""
        end = self._buffer.find(END, max(0, self._seen - len(END)))
        if end < 0:
            self._seen = len(self._buffer)
            return False
        self._relay.take(self._buffer[: end + 2])
        del self._buffer[: end + len(END)]
        self._seen, self._in_content = 0, False
        self._answers.append(b"250 2.0.0 taken\r\n")
        return True


async def main(port: int, seconds: float) -> None:
    """Serves until SIGTERM."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    relay, delay = Relay(), Delay(loop, seconds)
    server = await loop.create_server(lambda: Session(relay, delay), "127.0.0.1", port, backlog=1000)
    await ended.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]) / 1000))
