"""One connection to a mail server: bytes out, whole replies in. Session and courier listen; nothing is committed."""

import asyncio
import socket
from typing import Protocol, cast

from massmail_plugin.providers.smtp import words

REPLY_BYTES = 65536
"""What a server may say at once; more is no mail server, or one that wants to fill our memory."""


def _heads() -> dict[bytes, int]:
    """How a reply line begins -> its code; negative where another line of the same reply follows."""
    heads: dict[bytes, int] = {}
    for code in range(200, 600):
        heads |= {b"%d%s" % (code, end): code for end in (b" ", b"\r", b"")}
        heads[b"%d-" % code] = -code
    return heads


_HEADS = _heads()


class Listener(Protocol):
    """Who is told what the server says."""

    def heard(self, code: int, text: bytes, /) -> None:
        """A whole reply: its code from 200 to 599, and the words of its lines, joined by line feeds."""

    def lost(self, note: str, /) -> None:
        """The connection is over, and why. Nothing follows."""

    def drained(self) -> None:
        """All that was written has left this process."""


class _Nobody:
    def heard(self, code: int, text: bytes, /) -> None: ...

    def lost(self, note: str, /) -> None: ...

    def drained(self) -> None: ...


_NOBODY = _Nobody()


class Wire(asyncio.Protocol):
    """Reads replies for its `listener`. Whatever ends the connection is told once, by `lost`."""

    __slots__ = ("_earlier", "_held", "_lines", "_rest", "blocked", "listener", "transport")

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.transport: asyncio.Transport | None = None
        self.blocked = False
        """True while some of what was written has not left this process."""
        self._rest = b""
        self._lines: list[bytes] = []
        self._earlier: list[bytes] = []
        self._held = 0

    @property
    def more(self) -> bool:
        """Whether the server has said more than the reply that was just heard."""
        return bool(self._lines or self._rest or self._earlier)

    @property
    def unsent(self) -> int:
        """Bytes written that have not left this process."""
        return 0 if self.transport is None else self.transport.get_write_buffer_size()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As `asyncio.Protocol`."""
        found = cast(asyncio.Transport, transport)
        found.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.use(found)

    def use(self, transport: asyncio.Transport) -> None:
        """Go on over `transport`: the first one, or the encrypted one that took its place."""
        transport.set_write_buffer_limits(high=1, low=0)
        self.transport = transport

    def write(self, data: bytes) -> None:
        """Send `data`, or keep it until the network takes it."""
        if self.transport is not None:
            self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        """As `asyncio.Protocol`."""
        if self._rest:
            data = self._rest + data
        lines = data.split(b"\n")
        self._rest = lines.pop()
        lines.reverse()
        self._lines = lines
        while lines:
            line = lines.pop()
            code = _HEADS.get(line[:4], 0)
            if code > 0 and not self._earlier:
                self.listener.heard(code, line[4:])
            else:
                self._part(code, line)
        if self.transport is not None and len(self._rest) + self._held > REPLY_BYTES:
            self.fail("Its reply is too long.")

    def _part(self, code: int, line: bytes) -> None:
        """One line of a reply that has several, or of none."""
        if code == 0:
            self.fail(words.not_smtp(line[4:].decode("utf-8", "replace").strip()))
            return
        self._earlier.append(line[4:])
        self._held += len(line)
        if self._held > REPLY_BYTES:
            self.fail("Its reply is too long.")
        elif code > 0:
            text = b"\n".join(self._earlier)
            self._earlier.clear()
            self._held = 0
            self.listener.heard(code, text)

    def pause_writing(self) -> None:
        """As `asyncio.BaseProtocol`."""
        self.blocked = True

    def resume_writing(self) -> None:
        """As `asyncio.BaseProtocol`."""
        self.blocked = False
        self.listener.drained()

    def eof_received(self) -> None:
        """As `asyncio.Protocol`: nothing can be answered any more."""
        self.fail("It closed the connection.")

    def connection_lost(self, exc: Exception | None) -> None:
        """As `asyncio.BaseProtocol`."""
        self.fail("It closed the connection." if exc is None else words.reason(exc))

    def fail(self, note: str) -> None:
        """Hang up and tell the listener why."""
        listener = self.listener
        self.abort()
        listener.lost(note)

    def abort(self) -> None:
        """Hang up without a word, so that a message whose content is not finished is void. Nobody is told."""
        self.listener = _NOBODY
        self._lines.clear()
        self._rest = b""
        transport, self.transport = self.transport, None
        if transport is not None:
            transport.abort()
