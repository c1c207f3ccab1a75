"""The smallest host these tests mount on: one class of contacts, a clock that is set by hand, either database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from massmail_plugin.config import read_config
from massmail_plugin.contracts import ContactSource, Email, Hooks, Host, QueueState, StatusMapping
from massmail_plugin.hosting import tune
from massmail_plugin.providers import load_event_readers, load_providers
from massmail_plugin.vocabulary import Outcome


class HostBase(DeclarativeBase):
    """Metadata of the host's own."""


db = SQLAlchemy(model_class=HostBase)


class Member(db.Model):  # type: ignore[name-defined]
    """A contact."""

    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    mail: Mapped[str | None] = mapped_column(String(254))
    second: Mapped[str | None] = mapped_column(String(254))
    active: Mapped[bool] = mapped_column(default=True)
    status: Mapped[str] = mapped_column(String(40), default="new")


SOURCE = ContactSource(
    Member,
    addresses=[Email(Member.mail), Email(Member.second, role="second")],
    name=Member.name,
    active=Member.active,
    status=Member.status,
)
STATUSES = StatusMapping({Outcome.SENT: "mailed", Outcome.REMOVED: "gone"}, known=lambda: ["new", "mailed", "gone"])


@dataclass
class HandClock:
    """The time is what the test says."""

    now: datetime = field(default_factory=lambda: datetime(2027, 3, 1, 9, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def go(self, **span: float) -> datetime:
        """Travel by `days=`, `hours=` and so on."""
        self.now += timedelta(**span)
        return self.now


class Queue:
    """Stands where Redis would: remembers the calls, says what the test wants of the workers."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.state = QueueState(True, 1, 0)

    def wake(self, work: str) -> None:
        self.calls.append(work)

    def status(self) -> QueueState:
        return self.state


@contextmanager
def small_host(url: str, folder: Path, **settings: Any) -> Iterator[tuple[Flask, Host, HandClock, Queue]]:
    """An application with a Host made by hand, inside its application context; the host's own table is there."""
    app = Flask("small_host", instance_path=str(folder))
    app.config |= {
        "SQLALCHEMY_DATABASE_URI": url,
        "MASSMAIL_BASE_URL": "http://localhost:5000",
        "MASSMAIL_SECRET_KEYS": ["k" * 40],
        "MASSMAIL_CHUNK_SIZE": 100,
        **settings,
    }
    db.init_app(app)
    clock, queue = HandClock(), Queue()
    host = Host(
        config=read_config(app.config),
        db=db,
        sources={SOURCE.source_name: SOURCE},
        statuses=STATUSES,
        hooks=Hooks(may=lambda user, act, subject: True),
        clock=clock,
        wake=queue.wake,
        queue_status=queue.status,
        providers=load_providers(),
        event_readers=load_event_readers({}),
        state_dir=folder / "state",
    )
    app.extensions["massmail"] = host
    with app.app_context():
        tune(db.engine)
        db.create_all()
        yield app, host, clock, queue
        db.session.remove()
        db.engine.dispose()
