"""A mail server of the fault tests: quick, and byte-exact about what it took. It writes each mail down, then answers.

Run as a process: `python sink.py PORT LOG [--delay SECONDS]`. A line of the log is recipient and Message-ID; it is
written before the 250, so that a mail the sender does not know of is on record as well.
"""

import asyncio
import os
import re
import signal
import sys

MESSAGE_ID = re.compile(rb"^Message-ID: *<([^>\r\n]*)>", re.IGNORECASE | re.MULTILINE)
RECIPIENT = re.compile(rb"RCPT TO:<([^>]*)>", re.IGNORECASE)


class Sink:
    """Takes everything, `delay` seconds after the final dot."""

    def __init__(self, log: int, delay: float) -> None:
        self._log = log
        self._delay = delay

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            writer.write(b"220 sink\r\n")
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipient = b""
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"RCPT":
                found = RECIPIENT.match(line)
                recipient = found[1] if found else b""
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                await self._take(recipient, await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"250 2.0.0 taken\r\n")
            elif word == b"EHLO":
                writer.write(b"250-sink\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n")
            elif word == b"AUTH":
                writer.write(b"235 2.7.0 welcome\r\n")
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
                return
            else:
                writer.write(b"250 2.1.0 ok\r\n")

    async def _take(self, recipient: bytes, content: bytes) -> None:
        found = MESSAGE_ID.search(content)
        os.write(self._log, recipient + b" " + (found[1] if found else b"?") + b"\n")
        if self._delay:
            await asyncio.sleep(self._delay)


async def main(port: int, log: str, delay: float) -> None:
    """Serves until SIGTERM."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    sink = Sink(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), delay)
    async with await asyncio.start_server(sink.serve, "127.0.0.1", port, limit=2**24):
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 0.0))
