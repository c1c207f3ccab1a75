"""Workers that share one database and one clock, each with a connection of its own as if it were a process."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from massmail_plugin.config import Config
from massmail_plugin.contracts import Hooks, Host, QueueState, StatusMapping
from massmail_plugin.hosting import tune
from massmail_plugin.models import Pace, Sender

MORNING = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class Clock:
    """Time as everybody sees it, and seconds that never jump; both stand still until told."""

    def __init__(self) -> None:
        self.now = MORNING
        self.passed = 0.0

    def __call__(self) -> datetime:
        return self.now

    def ticks(self) -> float:
        return self.passed

    def tick(self, seconds: float) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)
        self.passed += seconds

    def jump(self, **step: float) -> None:
        """Somebody sets the clock; no time passes."""
        self.now += timedelta(**step)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Our tables, empty, on either database."""
    engine = create_engine(database_url, pool_size=20)
    tune(engine)
    yield engine
    engine.dispose()


Workers = Callable[..., Host]


@pytest.fixture
def worker(engine: Engine, clock: Clock, tmp_path: Path) -> Iterator[Workers]:
    """Makes hosts: each is what one worker process sees."""
    sessions: list[Session] = []

    def make(now: Callable[[], datetime] = clock) -> Host:
        session = Session(engine, expire_on_commit=False)
        sessions.append(session)
        database: Any = SimpleNamespace(session=session)
        return Host(
            config=Config(base_url="http://localhost", secret_keys=("k" * 32,)),
            db=database,
            sources={},
            statuses=StatusMapping({}, known=list),
            hooks=Hooks(),
            clock=now,
            wake=lambda work: None,
            queue_status=lambda: QueueState(False, 0, 0),
            providers={},
            state_dir=tmp_path,
        )

    yield make
    for session in sessions:
        session.close()


@pytest.fixture
def host(worker: Workers) -> Host:
    """A worker, or the screen of an administrator."""
    return worker()


def add_sender(host: Host, **limits: Any) -> Sender:
    """A new sender with these limits."""
    number = host.session.query(Sender).count() + 1
    sender = Sender(name=f"Post {number}", from_address="us@example.org", created_at=host.clock(), **limits)
    host.session.add(sender)
    host.session.commit()
    return sender


def standing(host: Host, sender: Sender, domain: str = "") -> Pace:
    """What the database says now."""
    with Session(host.session.get_bind()) as look:
        return look.get_one(Pace, (sender.id, domain))
