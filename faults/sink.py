"""The mail server of the fault runs: byte-exact, honest in its books, and faulty by script.

Run as a process: `python -m faults.sink PORT FOLDER`. Each mail it takes is a line of FOLDER/taken.log, on the disk
before the 250 leaves. The Unix socket FOLDER/sink.sock takes orders, a JSON object on a line, and answers with counts.
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import re
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.script import Rule, Step

EXTENSIONS = ("PIPELINING", "8BITMIME", "SIZE 20000000", "ENHANCEDSTATUSCODES", "DSN", "SMTPUTF8", "AUTH PLAIN LOGIN")
LIMIT = 2**25
MESSAGE_ID = re.compile(rb"^message-id:\s*<([^>\r\n]*)>", re.IGNORECASE | re.MULTILINE)
PATH = re.compile(r":\s*<([^>]*)>")
BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
LONG_LINE = re.compile(rb"[^\n]{1000,}")
SECOND = 1.0


class Dropped(Exception):
    """The connection is at its end."""


@dataclass
class Orders:
    """What the sink was told, and what it has seen."""

    rules: list[Rule] = field(default_factory=list)
    delay: tuple[float, float] = (0.0, 0.0)
    extensions: Sequence[str] = EXTENSIONS
    accepted: int = 0
    connections: int = 0
    open: int = 0
    most_open: int = 0

    def obey(self, order: dict[str, Any]) -> None:
        """Take on what the order names; the rest stays."""
        if "rules" in order:
            self.rules = [Rule(**rule) for rule in order["rules"]]
        if "delay" in order:
            self.delay = (order["delay"][0], order["delay"][1])
        if "extensions" in order:
            self.extensions = order["extensions"] if order["extensions"] is not None else EXTENSIONS

    def counts(self) -> dict[str, Any]:
        """What it has seen."""
        names = ("accepted", "connections", "open", "most_open")
        return {name: getattr(self, name) for name in names} | {"fired": [rule.fired for rule in self.rules]}


class Ledger:
    """The log of what was taken. Lines that come together share one write to the disk."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._lines: list[bytes] = []
        self._next: asyncio.Task[None] | None = None

    async def write(self, line: bytes) -> None:
        """Returns when the line is on the disk."""
        self._lines.append(line)
        if self._next is None:
            self._next = asyncio.create_task(self._flush())
        await self._next

    async def _flush(self) -> None:
        await asyncio.sleep(0.001)
        lines, self._lines, self._next = self._lines, [], None
        os.write(self._file, b"".join(lines))
        await asyncio.get_running_loop().run_in_executor(None, os.fdatasync, self._file)


class Conversation:
    """One connection, from its banner to its end."""

    def __init__(
        self, orders: Orders, ledger: Ledger, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._orders, self._ledger, self._number = orders, ledger, number
        self._reader, self._writer = reader, writer
        self._sender = False
        self._recipient = ""

    async def hold(self) -> None:
        """Talk until somebody has enough."""
        await self._answer("connect", "", "220 sink ESMTP")
        while line := await self._reader.readline():
            text = line.decode("latin-1").rstrip("\r\n")
            await self._command(text[:4].upper(), text)

    async def _command(self, word: str, line: str) -> None:
        if word in ("EHLO", "HELO"):
            await self._answer("ehlo", line, _multiline(["sink", *self._orders.extensions]))
        elif word == "AUTH":
            await self._login(line)
        elif word == "MAIL":
            self._recipient = ""
            self._sender = await self._answer("mail", line, "250 2.1.0 ok")
        elif word == "RCPT":
            await self._rcpt(line)
        elif word == "DATA":
            await self._data(line)
        elif word == "QUIT":
            await self._answer("quit", line, "221 2.0.0 bye")
            raise Dropped
        elif word == "RSET":
            self._sender, self._recipient = False, ""
            await self._answer("rset", line, "250 2.0.0 ok")
        else:
            self._say("250 2.0.0 ok" if word in ("NOOP", "VRFY") else "502 5.5.1 what?")

    async def _login(self, line: str) -> None:
        if line.upper() == "AUTH PLAIN":
            self._say("334 ")
            await self._reader.readline()
        elif line.upper().startswith("AUTH LOGIN"):
            for prompt in ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6")[len(line.split()) > 2 :]:
                self._say(prompt)
                await self._reader.readline()
        await self._answer("auth", line.split()[1] if " " in line else "", "235 2.7.0 welcome")

    async def _rcpt(self, line: str) -> None:
        if not self._sender:
            self._say("503 5.5.1 from whom?")
        elif await self._answer("rcpt", line, "250 2.1.5 ok"):
            self._recipient = _path(line)

    async def _data(self, line: str) -> None:
        if not self._recipient:
            self._say("503 5.5.1 who for?")
            return
        if not await self._answer("data", line, "354 go on"):
            return
        told = time.time()
        await self._answer("body", self._recipient, "")
        content = await self._content()
        await asyncio.sleep(random.uniform(*self._orders.delay))
        if await self._answer("dot", self._recipient, ""):
            await self._take(content, told)
            await self._answer("taken", self._recipient, "250 2.0.0 taken")
        self._sender, self._recipient = False, ""

    async def _content(self) -> bytes:
        """What stands between the 354 and the final dot, with the doubled dots (RFC 5321, 4.5.2) taken out."""
        octets = await self._reader.readuntil(b"\r\n.\r\n")
        return (b"\r\n" + octets[:-3]).replace(b"\r\n..", b"\r\n.")[2:]

    async def _take(self, content: bytes, told: float) -> None:
        found = MESSAGE_ID.search(content)
        fields = (
            f"{time.time():.6f}",
            f"{told:.6f}",
            str(self._number),
            self._recipient,
            found[1].decode("latin-1") if found else "-",
            hashlib.sha256(content).hexdigest(),
            str(len(content)),
            _flaws(content) or "-",
        )
        await self._ledger.write("\t".join(fields).encode("utf-8", "replace") + b"\n")
        self._orders.accepted += 1

    # --- Faults ---

    async def _answer(self, step: Step, line: str, usual: str) -> bool:
        """The usual answer, or what the first rule says that strikes; True where the client may go on."""
        rule = next((rule for rule in self._orders.rules if rule.strikes(step, line, time.time())), None)
        if rule is not None and rule.act not in ("wait", "crawl"):
            return await self._misbehave(rule)
        if rule is not None and rule.act == "crawl":
            await self._crawl(usual, rule.seconds or SECOND)
            return True
        if rule is not None:
            await asyncio.sleep(rule.seconds)
        if usual:
            self._say(usual)
        return True

    async def _misbehave(self, rule: Rule) -> bool:
        if rule.act == "drop":
            self._writer.transport.abort()
            raise Dropped
        if rule.act == "hang":
            await asyncio.sleep(24 * 3600)
        text = rule.text or "450 4.2.0 come again later"
        self._writer.write(text.encode("latin-1") if rule.act == "raw" else f"{text}\r\n".encode())
        await self._writer.drain()
        if rule.close:
            raise Dropped
        return text[:1] in ("2", "3")

    async def _crawl(self, usual: str, seconds: float) -> None:
        for octet in f"{usual}\r\n".encode():
            self._writer.write(bytes([octet]))
            await asyncio.sleep(seconds)

    def _say(self, reply: str) -> None:
        self._writer.write(f"{reply}\r\n".encode())


class Sink:
    """Takes connections, and orders."""

    def __init__(self, folder: Path) -> None:
        self.orders = Orders()
        self._ledger = Ledger(folder / "taken.log")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        orders = self.orders
        orders.connections += 1
        orders.open += 1
        orders.most_open = max(orders.open, orders.most_open)
        try:
            await Conversation(orders, self._ledger, orders.connections, reader, writer).hold()
        except (Dropped, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass
        finally:
            orders.open -= 1
            writer.close()

    async def command(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One order, and the counts."""
        with suppress(ConnectionError):
            while line := await reader.readline():
                self.orders.obey(json.loads(line))
                writer.write(json.dumps(self.orders.counts()).encode() + b"\n")
        writer.close()


def _path(line: str) -> str:
    """The address between the angle brackets, as it came (UTF-8 under SMTPUTF8)."""
    found = PATH.search(line)
    return found[1].encode("latin-1").decode("utf-8", "replace") if found else ""


def _multiline(words: Sequence[str]) -> str:
    return "\r\n".join([*(f"250-{word}" for word in words[:-1]), f"250 {words[-1]}"])


def _flaws(content: bytes) -> str:
    """What RFC 5322, 2.1 and 2.1.1 forbid."""
    return ",".join(name for name, shape in (("bare", BARE), ("long", LONG_LINE)) if shape.search(content))


async def main(port: int, folder: Path) -> None:
    """Serves until SIGTERM."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    sink = Sink(folder)
    orders = folder / "sink.sock"
    orders.unlink(missing_ok=True)
    await asyncio.start_unix_server(sink.command, orders, limit=LIMIT)
    await asyncio.start_server(sink.serve, "127.0.0.1", port, limit=LIMIT, backlog=512)
    await ended.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Take mails, and misbehave as told.")
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=Path)
    chosen = parser.parse_args()
    asyncio.run(main(chosen.port, chosen.folder))
