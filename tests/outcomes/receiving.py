"""A real receiver of webhooks on the loopback: keeps what comes, and answers as a test tells it."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Request:
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answer(request, connection)` writes the answer; what is returned True keeps the connection."""

    port: int
    answer: Callable[[Request, socket.socket], bool]
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in?from=massmail"


def says(octets: bytes, *, keep: bool = True) -> Callable[[Request, socket.socket], bool]:
    def answer(request: Request, connection: socket.socket) -> bool:
        connection.sendall(octets)
        return keep

    return answer


takes = says(OK)


def status(code: int, *headers: str, body: bytes = b"no") -> Callable[[Request, socket.socket], bool]:
    more = "".join(f"{header}\r\n" for header in headers)
    return says(f"HTTP/1.1 {code} Whatever\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body)


def silent(request: Request, connection: socket.socket) -> bool:
    time.sleep(5)
    return False


def endless(request: Request, connection: socket.socket) -> bool:
    """A good answer whose body never ends."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    with suppress(OSError):
        while True:
            connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    return False


def dripping(request: Request, connection: socket.socket) -> bool:
    """A byte now and then, so that no single read times out."""
    with suppress(OSError):
        for octet in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 1000:
            connection.sendall(bytes([octet]))
            time.sleep(0.05)
    return False


@contextmanager
def receiving(
    answer: Callable[[Request, socket.socket], bool] = takes, *, secured: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        server = secured.wrap_socket(plain, server_side=True) if secured else plain
        receiver = Receiver(server.getsockname()[1], answer)
        threading.Thread(target=_serve, args=[server, receiver], daemon=True).start()
        yield receiver


def _serve(server: socket.socket, receiver: Receiver) -> None:
    with suppress(OSError):
        while True:
            try:
                connection, _ = server.accept()
            except ssl.SSLError:
                continue
            receiver.connections += 1
            threading.Thread(target=_hear, args=[connection, receiver], daemon=True).start()


def _hear(connection: socket.socket, receiver: Receiver) -> None:
    with connection, suppress(OSError), connection.makefile("rb") as stream:
        while (request := _request(stream)) is not None:
            receiver.requests.append(request)
            if not receiver.answer(request, connection):
                return


def _request(stream) -> Request | None:
    if not stream.readline():
        return None
    headers = {}
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    return Request(headers, stream.read(int(headers["content-length"])))
