"""Question and answer, one at a time, while a connection is being opened or left. Nothing is committed here."""

import asyncio
import re
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

from massmail_plugin.providers.smtp.replies import spoken
from massmail_plugin.providers.smtp.wire import Wire
from massmail_plugin.smtp_status import Reply

COMMAND_SECONDS = 300.0
"""Longest wait for a greeting or an answer to a command; RFC 5321 section 4.5.3.2 asks for five minutes."""
FINAL_DOT_SECONDS = 600.0
"""Longest wait after the final dot; a shorter one makes doubles (RFC 5321 section 4.5.3.2.6, RFC 1047)."""
QUIT_SECONDS = 5.0
_OLD_AUTH = re.compile(r"AUTH=", re.IGNORECASE)


@dataclass(frozen=True)
class Waits:
    """How long to wait, in seconds: for the network, for an answer, and for the one after the final dot."""

    network: float
    command: float = COMMAND_SECONDS
    final_dot: float = FINAL_DOT_SECONDS


class Lost(Exception):
    """The conversation is over: closed by the server (perhaps with a 421), silent too long, or not SMTP any more."""

    def __init__(self, note: str, answer: Reply | None = None) -> None:
        super().__init__(note)
        self.reply = answer


class Dialogue:
    """Commands with their answers, in order. After Lost the connection is closed and of no more use."""

    def __init__(self, secret: str, wait: float) -> None:
        self.wire = Wire(self)
        self.offered: dict[str, str] = {}
        """Extensions the server offers: EHLO keyword in small letters -> parameter."""
        self._secrets = [secret] if secret else []
        self._wait = wait
        self._said: deque[tuple[int, bytes]] = deque()
        self._over = ""
        self._news = asyncio.Event()

    @property
    def ahead(self) -> bool:
        """Whether the server says more than it was asked for."""
        return bool(self._said or self.wire.more)

    def heard(self, code: int, text: bytes, /) -> None:
        """As `wire.Listener`."""
        self._said.append((code, text))
        self._news.set()

    def lost(self, note: str, /) -> None:
        """As `wire.Listener`."""
        self._over = note
        self._news.set()

    def drained(self) -> None:
        """As `wire.Listener`."""

    async def command(self, line: str, *, secret: str = "") -> Reply:
        """Send one line, wait for its answer. Raises Lost; a 421 is Lost with its reply (RFC 5321 section 3.8).

        The `secret` in the line is blotted out wherever the server repeats it.
        """
        if secret:
            self._secrets.append(secret)
        self.wire.write(line.encode() + b"\r\n")
        return await self.answer()

    async def hello(self, name: str) -> Reply:
        """EHLO, or HELO where that is all the server knows; fills `offered`. Raises Lost."""
        self.offered = {}
        self.wire.write(f"EHLO {name}\r\n".encode())
        code, text = await self._next()
        if code >= 300 and code != 421:
            return await self.command(f"HELO {name}")
        for line in text.decode("utf-8", "replace").split("\n")[1:]:
            keyword, _, parameter = _OLD_AUTH.sub("AUTH ", line.strip()).partition(" ")
            known = self.offered.get(keyword.lower(), "")
            self.offered[keyword.lower()] = f"{known} {parameter}".strip()
        return self._checked(code, text)

    async def answer(self) -> Reply:
        """The next reply, without our secrets should the server echo them. Raises Lost."""
        return self._checked(*await self._next())

    def _checked(self, code: int, text: bytes) -> Reply:
        said = spoken(code, text, self._secrets)
        if code == 421:
            self.wire.abort()
            raise Lost(f"{code} {said.text}", said)
        return said

    async def _next(self) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(self._wait):
                while not self._said:
                    if self._over:
                        raise Lost(self._over)
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            self.wire.abort()
            raise Lost("It was silent for too long.") from None
        return self._said.popleft()

    async def leave(self) -> None:
        """Say goodbye and hang up; never raises."""
        self._wait = QUIT_SECONDS
        self.wire.listener = self
        if self.wire.transport is not None:
            with suppress(Lost):
                await self.command("QUIT")
        self.wire.abort()
