"""Ports and answers on the loopback, and patience: what starting processes beside this one needs."""

import socket
import time
import urllib.error
from collections.abc import Callable

from sample_host.catcher.reading import DIRECT


class NoPortFree(RuntimeError):
    """No port is free near the wanted one."""


def held_port(wanted: int) -> socket.socket:
    """A socket that keeps the wanted port of the loopback, or the next free one, from everybody else.

    Close it right before the process starts that shall listen there.
    """
    for port in range(wanted, wanted + 200):
        holder = socket.socket()
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(("127.0.0.1", port))
            holder.listen(1)
        except OSError:
            holder.close()
        else:
            return holder
    raise NoPortFree(f"No port is free between {wanted} and {wanted + 199}.")


def free_port(wanted: int) -> int:
    """The wanted port of the loopback, or the next one that is free at this moment."""
    with held_port(wanted) as holder:
        return port_of(holder)


def port_of(holder: socket.socket) -> int:
    """The port that a socket holds."""
    return int(holder.getsockname()[1])


def answers(address: str) -> bool:
    """Whether a page comes from this address."""
    try:
        with DIRECT.open(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_until(true: Callable[[], bool], seconds: float, between: Callable[[], None] = lambda: None) -> bool:
    """Asks again and again until it is true or the time is over; `between` may raise to end the waiting."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        between()
        time.sleep(0.1)
    return True
