"""Posts one body over HTTP and hears the answer, within a time and a size, whatever the other side does.

One connection serves several bodies, one after another. Nobody commits here.
"""

import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, cast

from massmail_plugin.errors import BadRequest
from massmail_plugin.outcomes.webhooks.receivers import Receiver, addresses

SECONDS = 15.0
"""For one body: from looking the name up to the end of the answer."""
CONNECT_SECONDS = 5.0
MOST_OF_ANSWER = 2_000
AGENT = "massmail-plugin (Standard Webhooks)"


@dataclass(frozen=True)
class Answer:
    """What came of one post: the HTTP status (None: no answer), words for a person, and the wait it asks for."""

    code: int | None
    words: str = ""
    wait: float | None = None

    @property
    def taken(self) -> bool:
        return self.code is not None and 200 <= self.code < 300


class Line:
    """A connection to one receiver, made when it is first needed and kept while the other side keeps it."""

    def __init__(self, to: Receiver) -> None:
        self._to = to
        self._connection: _Connection | None = None

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Never raises for what the other side does. A kept connection that was closed meanwhile is made anew once."""
        end = time.monotonic() + SECONDS
        if self._connection is not None:
            try:
                return self._posted(self._connection, body, headers, end)
            except (OSError, HTTPException):
                self.close()
        try:
            self._connection = _Connection(self._to, end)
            return self._posted(self._connection, body, headers, end)
        except (OSError, HTTPException, BadRequest) as error:
            self.close()
            return Answer(None, _words(error))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _posted(self, connection: "_Connection", body: bytes, headers: Mapping[str, str], end: float) -> Answer:
        connection.end = end
        own = {"Host": self._to.host_header, "Content-Type": "application/json", "User-Agent": AGENT}
        connection.request("POST", self._to.path, body, {**own, **headers})
        answer = connection.getresponse()
        said = answer.read(MOST_OF_ANSWER)
        if answer.will_close or not answer.isclosed():
            answer.close()
            self.close()
        return Answer(answer.status, _said(answer.status, said), _wait(answer.headers.get("Retry-After", "")))


class _Connection(HTTPConnection):
    """Goes to an address that was checked, and to no other; every read and write ends at `end` (monotonic)."""

    def __init__(self, to: Receiver, end: float) -> None:
        super().__init__(to.host, to.port)
        self.end = end
        self._to = to
        self.connect()

    def connect(self) -> None:
        self.sock = cast(socket.socket, _Timed(self._reached(), self))

    def _reached(self) -> socket.socket:
        last: OSError = TimeoutError()
        for family, address in addresses(self._to):
            plain = socket.socket(family, socket.SOCK_STREAM)
            try:
                plain.settimeout(min(CONNECT_SECONDS, self.left()))
                plain.connect((address, self._to.port))
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if not self._to.secure:
                    return plain
                plain.settimeout(self.left())
                return ssl.create_default_context().wrap_socket(plain, server_hostname=self._to.host)
            except OSError as error:
                plain.close()
                last = error
        raise last

    def left(self) -> float:
        """Seconds until the end; raises TimeoutError where there are none."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Timed:
    """A socket whose every act ends in time; the part of a socket that http.client uses."""

    def __init__(self, plain: socket.socket, connection: _Connection) -> None:
        self._plain = plain
        self._connection = connection
        self._readers = 0
        self._closing = False

    def sendall(self, data: bytes) -> None:
        self._plain.settimeout(self._connection.left())
        self._plain.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        self._readers += 1
        return io.BufferedReader(_Reader(self))

    def recv_into(self, buffer: Any) -> int:
        self._plain.settimeout(self._connection.left())
        return self._plain.recv_into(buffer)

    def close(self) -> None:
        """http.client closes while the last answer is still read."""
        self._closing = True
        if not self._readers:
            self._plain.close()

    def reader_closed(self) -> None:
        self._readers -= 1
        if self._closing and not self._readers:
            self._plain.close()


class _Reader(io.RawIOBase):
    def __init__(self, source: _Timed) -> None:
        self._source: _Timed | None = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._source.recv_into(buffer) if self._source else 0

    def close(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.reader_closed()
        super().close()


def _said(code: int, body: bytes) -> str:
    if 200 <= code < 300:
        return ""
    words = {
        301: "it leads elsewhere; enter the final address, redirects are not followed",
        401: "it does not accept the signature",
        403: "it does not accept the signature",
        404: "there is nothing at this address",
        410: "it wants nothing more",
        429: "it asks for fewer",
    }
    what = words[301] if 300 <= code < 400 else words.get(code, "it did not take it")
    text = " ".join(body.decode("utf-8", "replace").replace("\0", "").split())[:500]
    return f"HTTP {code}: {what}." + (f" It said: {text}" if text else "")


def _words(error: Exception) -> str:
    if isinstance(error, BadRequest):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"It did not answer within {SECONDS:.0f} seconds."
    if isinstance(error, ssl.SSLError):
        return f"The connection could not be secured: {error.reason or error}."
    if isinstance(error, ConnectionError):
        return "It does not take connections, or ended one in the middle."
    return f"It could not be reached, or its answer is no HTTP: {type(error).__name__}."


def _wait(retry_after: str) -> float | None:
    """Seconds, where the answer names them as a number."""
    return float(retry_after) if retry_after.strip().isdecimal() and len(retry_after) < 8 else None
