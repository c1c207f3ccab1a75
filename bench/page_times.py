"""Pages asked for as a browser does, over much and over little: how long each takes, and how much longer over much."""

from collections.abc import Mapping, Sequence
from statistics import median
from time import monotonic
from typing import Any

from flask import Flask
from flask_login import LoginManager, UserMixin

from bench.findings import BenchFailed
from bench.stage import Stage

ADMIN = "/massmail-admin/massmail"
TIMES = 15


class Somebody(UserMixin):
    """The user of the bench's browser."""

    id = "bench"


def sign_in(app: Flask) -> None:
    """Whoever asks this application for a page is signed in. Before its first request."""
    LoginManager(app).request_loader(lambda request: Somebody())


def compare(
    stage: Stage, part: str, few: tuple[Flask, Mapping[str, str]], many: tuple[Flask, Mapping[str, str]]
) -> tuple[float, float]:
    """How much longer the page takes that grows most, and the milliseconds of the slowest over much.

    Each is an application and its pages, name -> address. The milliseconds of each page are kept in the findings.
    """
    clients = {"few": (few[0].test_client(), few[1]), "many": (many[0].test_client(), many[1])}
    growths, slowest = [], []
    for name in few[1]:
        times = _times(name, clients)
        one, other = (median(times[size]) for size in ("few", "many"))
        growths.append(other / one)
        slowest.append(other)
        stage.findings.raw[f"{part}.{name}"] = {"few_ms": one, "many_ms": other}
        stage.say(f"{name:<24} few {one:8.1f} ms  many {other:8.1f} ms  x {other / one:.2f}")
    return max(growths), max(slowest)


def _times(name: str, clients: Mapping[str, tuple[Any, Mapping[str, str]]]) -> Mapping[str, Sequence[float]]:
    """Milliseconds by turns, so that what else the machine does hits both alike; the first of each does not count."""
    times: dict[str, list[float]] = {size: [] for size in clients}
    for turn in range(TIMES + 1):
        for size, (client, paths) in clients.items():
            taken = _get(client, paths[name])
            if turn:
                times[size].append(taken)
    return times


def _get(client: Any, path: str) -> float:
    began = monotonic()
    answer = client.get(path)
    seconds = monotonic() - began
    if answer.status_code != 200:
        raise BenchFailed(f"{path} answered {answer.status_code}: {answer.text[:300]}")
    return seconds * 1e3
