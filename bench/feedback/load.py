"""Load on a web server: so many visitors at once, each with a connection of its own for each request.

`python -m bench.feedback.load PORT SLICES FILE...`: by turns, a slice of a second goes to the paths in each file, one a
line, so that what else the machine does hits all alike. Prints what was answered to each.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import NamedTuple, cast

try:
    import uvloop
except ImportError:
    uvloop = None  # type: ignore[assignment]

VISITORS = 16
"""At the same time."""
SLICE = 0.3
HEADERS = (
    "Host: 127.0.0.1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,image/avif,image/webp,*/*;q=0.8\r\n"
    "Accept-Language: en-GB,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Connection: close\r\n\r\n"
)


class Turns(NamedTuple):
    """Status -> how often it was answered, and within how many seconds."""

    answered: Counter[int]
    seconds: float


class Visit(asyncio.Protocol):
    """One request; done with its answer's status, or 0 where none came."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._answer = b""
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.WriteTransport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        self._answer += data

    def connection_lost(self, error: Exception | None) -> None:
        whole = b"\r\n\r\n" in self._answer
        if not self.done.done():
            self.done.set_result(int(self._answer[9:12]) if whole else 0)


async def load(port: int, seconds: float, requests: Iterator[bytes]) -> Counter[int]:
    """Keep the server busy; how often each status was answered to what was asked within the time."""
    loop = asyncio.get_running_loop()
    end, answered = loop.time() + seconds, Counter[int]()

    async def visitor() -> None:
        while loop.time() < end:
            try:
                _, visit = await loop.create_connection(lambda: Visit(next(requests)), "127.0.0.1", port)
                answered[await visit.done] += 1
            except OSError:
                answered[0] += 1
                await asyncio.sleep(0.01)

    await asyncio.gather(*(visitor() for _ in range(VISITORS)))
    return answered


async def by_turns(port: int, slices: int, files: Sequence[str]) -> list[Turns]:
    """What each file's paths were answered in all its slices, and how long these took. Every other round backwards."""
    loop = asyncio.get_running_loop()
    requests = [cycle(_requests(file)) for file in files]
    found = [Turns(Counter(), 0.0) for _ in files]
    for number in range(slices):
        for place in range(len(files))[:: -1 if number % 2 else 1]:
            began = loop.time()
            answered = await load(port, SLICE, requests[place])
            found[place] = Turns(found[place].answered + answered, found[place].seconds + loop.time() - began)
    return found


def _requests(file: str) -> list[bytes]:
    return [f"GET {path} HTTP/1.1\r\n{HEADERS}".encode() for path in Path(file).read_text().splitlines()]


def main(port: str, slices: str, *files: str) -> None:
    """Run in a process of its own, so that it shares nothing with the server but the machine."""
    work = by_turns(int(port), int(slices), files)
    print(json.dumps(uvloop.run(work) if uvloop else asyncio.run(work)))


if __name__ == "__main__":
    main(*sys.argv[1:])
