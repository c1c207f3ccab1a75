"""A small host of the bench and a slow mail server, as its contests use them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.engine import Engine
from bench.sinks import SlowSink, slow_sink

PEOPLE = 120
MILLISECONDS = 20


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[SlowSink]:
    with slow_sink(tmp_path, MILLISECONDS) as running:
        yield running


@pytest.fixture
def engine(tmp_path: Path, empty_database_url: str) -> Engine:
    made = Engine("bench", empty_database_url, "redis://127.0.0.1:1/0", tmp_path)
    made.set_up(PEOPLE)
    return made
