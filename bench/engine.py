"""Our engine in a contest: a mailing over contacts that are there, filled beforehand, sent by real worker processes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from flask import Flask
from sqlalchemy import Table, func, select, text

from bench import contacts, work_item
from bench.children import children, together
from bench.findings import BenchFailed, Sample
from bench.host import SOURCE, context, create_app
from bench.sinks import HOST, SlowSink, SmtpSink
from massmail_plugin import mailings
from massmail_plugin.contracts import Host
from massmail_plugin.mailings.library import TemplateDraft
from massmail_plugin.mailings.library import save as save_template
from massmail_plugin.models import Mailing, OutboxMessage, Sender, Template
from massmail_plugin.models.base import Base
from massmail_plugin.vocabulary import MessageState, Security

BY = "bench"
SECRET_KEY = "a key of the bench that signs its links"
PLAIN, BY_LOGIC = "plain", "by logic"
WORDS = {PLAIN: work_item.PLAIN, BY_LOGIC: work_item.BY_LOGIC}

# All limits are on, each far above what any machine sends.
FAR_ABOVE: Mapping[str, Any] = {
    "per_window": 100_000_000,
    "window_seconds": 60,
    "per_day": 1_000_000_000,
    "domain_limits": [{"domain": "mail7.bench.example", "per_window": 100_000_000, "window_seconds": 60}],
}


@dataclass(frozen=True)
class Way:
    """How a mailing goes out: over which connections, with what words, by how many workers."""

    connections: int = 10
    workers: int = 1
    loop: str = "uvloop"
    words: str = PLAIN
    without: str = "nothing"
    sender: Mapping[str, Any] = field(default_factory=lambda: FAR_ABOVE)


class Engine:
    """A host of ours with contacts, in a database of its own."""

    def __init__(self, name: str, database_url: str, redis_url: str, folder: Path) -> None:
        self._log = folder / f"{name}.log"
        self._settings = {
            "SECRET_KEY": SECRET_KEY,
            "SQLALCHEMY_DATABASE_URI": database_url,
            "MASSMAIL_BASE_URL": "https://crm.bench.example",
            "MASSMAIL_SECRET_KEYS": [SECRET_KEY],
            "MASSMAIL_REDIS_URL": redis_url,
            "MASSMAIL_STATE_DIR": str(folder / f"{name}-state"),
            "MASSMAIL_ORGANISATION": work_item.SENDER_NAME,
            "MASSMAIL_POSTAL_ADDRESS": "Ashgrove Makers, 3 Mill Lane, Leeds",
        }
        self.app = self.another_app()
        self._lists: dict[int, int] = {}

    def another_app(self) -> Flask:
        """The application as a process sees it that has just started."""
        return create_app(self._settings)

    def set_up(self, number: int) -> None:
        """Make the tables, `number` contacts, and the templates."""
        with context(self.app) as host:
            contacts.set_up(host, number)
            for name, words in WORDS.items():
                draft = TemplateDraft(name=name, subject=words.subject, html=words.html, text=words.text)
                save_template(host, None, draft, by=BY)
            host.session.commit()

    def run(self, sink: SmtpSink | SlowSink, messages: int, way: Way) -> Sample:
        """Fill and send one mailing to the first `messages` contacts; everything must arrive, each row be sent."""
        words = [json.dumps(self._settings), way.loop, way.without]
        self.empty()
        with children("bench.worker", way.workers, words, log=self._log) as workers:
            with context(self.app) as host:
                mailing_id = self.launch(host, messages, sink.port, way)
                fill_us = fill(host, messages)
            before = sink.taken()
            said = workers.go()
            idle = max(one["idle_mb"] for one in workers.ready)
        with context(self.app) as host:
            check(host, mailing_id, messages, sink.taken() - before)
        peak = max(one["peak_mb"] for one in said)
        return {**together(said, messages), "fill_us": fill_us, "peak_mb": peak, "idle_mb": idle}

    def launch(self, host: Host, messages: int, port: int, way: Way) -> int:
        """Launch a mailing; its outbox is still to be filled. Commits."""
        template = host.session.scalars(select(Template).where(Template.name == way.words)).one()
        mailing = mailings.create(
            host,
            name=f"To {messages:,}",
            contact_source=SOURCE,
            by=BY,
            list_ids=[self.list_of(host, messages)],
            template_id=template.id,
            sender_id=_sender(host, port, way).id,
        )
        mailings.launch(host, mailing, by=BY)
        mailing_id = mailing.id
        host.session.commit()
        return mailing_id

    def list_of(self, host: Host, number: int) -> int:
        """The id of the list with the first `number` contacts. Commits where it is new."""
        if number not in self._lists:
            self._lists[number] = contacts.list_of(host, number)
        return self._lists[number]

    def empty(self) -> None:
        """Forget all mailings with everything that belongs to them; lists, templates and contacts stay."""
        with context(self.app) as host:
            tables = _tables_of_mailings()
            if host.db.engine.dialect.name == "postgresql":
                host.session.execute(text(f"TRUNCATE {', '.join(table.name for table in tables)}"))
            else:
                for table in tables:
                    host.session.execute(table.delete())
            host.session.commit()


def fill(host: Host, messages: int) -> float:
    """Fill what was launched; microseconds per message."""
    began = monotonic()
    filled = mailings.fill_launched(host)
    seconds = monotonic() - began
    if filled != 1:
        raise BenchFailed(f"{filled} mailings were filled instead of one.")
    return seconds / messages * 1e6


def check(host: Host, mailing_id: int, messages: int, taken: int) -> None:
    """Raise BenchFailed where anything is missing: a row that is not sent, a mail that did not arrive or came twice."""
    states = select(OutboxMessage.state, func.count()).where(OutboxMessage.mailing_id == mailing_id)
    found = dict(host.session.execute(states.group_by(OutboxMessage.state)).all())
    if found != {MessageState.SENT.value: messages} or taken != messages:
        state = host.session.get_one(Mailing, mailing_id).state
        raise BenchFailed(f"Of {messages:,} mails {taken:,} arrived; the rows: {found}; the mailing is {state}.")


def _sender(host: Host, port: int, way: Way) -> Sender:
    """The sender of the contest, set up anew for each way."""
    sender = host.session.scalars(select(Sender)).first() or Sender(name="Bench", created_at=host.clock())
    values = {
        "provider": "smtp",
        "host": HOST,
        "port": port,
        "security": Security.NONE.value,
        "auth": "auto",
        "username": "",
        "from_name": work_item.SENDER_NAME,
        "from_address": work_item.SENDER,
        "connections": way.connections,
        "per_window": None,
        "per_day": None,
        "domain_limits": [],
        **way.sender,
    }
    for name, value in values.items():
        setattr(sender, name, value)
    host.session.add(sender)
    host.session.flush()
    return sender


def _tables_of_mailings() -> list[Table]:
    """Every table that belongs to mailings, children first."""
    found = {Mailing.__table__}
    tables = Base.metadata.sorted_tables
    for table in tables:
        if "mailing_id" in table.c or any(key.column.table in found for key in table.foreign_keys):
            found.add(table)
    return [table for table in reversed(tables) if table in found]
