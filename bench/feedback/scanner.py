"""Programs go through mails that were really written, over HTTP, moments after they were sent: nobody may take them
for readers. Some people read theirs at the same time, and must be seen.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import String, cast, func, select
from werkzeug.serving import WSGIRequestHandler, make_server

from bench import contacts, work_item
from bench.feedback.mails import settings
from bench.feedback.visitors import Letter, Readers, Scanners, opened, over_http
from bench.figures import Figure
from bench.findings import BenchFailed
from bench.host import SOURCE, Contact, context, create_app, host_of
from bench.stage import Stage
from massmail_plugin import feedback, mailings, outcomes
from massmail_plugin.contracts import Host
from massmail_plugin.mailings.library import TemplateDraft
from massmail_plugin.mailings.library import save as save_template
from massmail_plugin.models import Event, OutboxMessage, Sender
from massmail_plugin.providers.recording import RecordingProvider
from massmail_plugin.sending import run_lane
from massmail_plugin.vocabulary import EventKind

FIGURES = (
    Figure("scanner.human", "opens, clicks by programs that counted", most=0),
    Figure("scanner.opt_outs", "opt-outs by programs", most=0),
    Figure("scanner.statuses", "statuses programs changed", most=0),
    Figure("scanner.people_missed", "people taken for programs", most=0),
)
SECONDS = 4.5
"""So long takes a program that goes through a mail slowly."""
BY = "bench"


@dataclass(frozen=True)
class Found:
    """What came of the visits."""

    hits: int
    """By programs, whatever they were taken for."""
    human: int
    opt_outs: int
    statuses: int
    people_missed: int


def measure(stage: Stage) -> None:
    """Fill in FIGURES."""
    found = simulate(stage.database("scanner"), stage.folder / "scanner-state", seconds=SECONDS)
    if not found.hits:
        raise BenchFailed("No visit of a program came to the database.")
    stage.say(f"{found.hits:,} hits by programs")
    for name in ("human", "opt_outs", "statuses", "people_missed"):
        stage.findings.add(f"scanner.{name}", [float(getattr(found, name))])


def simulate(database_url: str, state_dir: Path, *, seconds: float) -> Found:
    """Send a mailing, one mail for each way to visit it, let all come at once, and see what is counted."""
    app = create_app({**settings(database_url, state_dir), "MASSMAIL_DRAIN_SECONDS": 0})
    provider = RecordingProvider()
    app.extensions["massmail"] = replace(host_of(app), providers={provider.name: provider})
    with context(app) as host, _serving(app) as port:
        fetch = over_http(port)
        programs, people = Scanners(fetch, seconds).ways(), Readers(fetch).ways()
        _send(host, len(programs) + len(people))
        letters = [(mail.message_id, opened(mail.content)) for mail in provider.messages]
        host.session.rollback()
        _visit([*programs.values(), *people.values()], [letter for _, letter in letters])
        _take_in(host)
        ids = [message_id for message_id, _ in letters]
        return _found(host, ids[: len(programs)], ids[len(programs) :])


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Every request is somebody's who is expected."""


@contextmanager
def _serving(app: Flask) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        thread.join()


def _send(host: Host, number: int) -> None:
    """One mailing to so many."""
    contacts.set_up(host, number)
    words = work_item.PLAIN
    draft = TemplateDraft(name="Winter", subject=words.subject, html=words.html, text=words.text)
    template = save_template(host, None, draft, by=BY)
    now = host.clock()
    sender = Sender(
        name="Bench", provider="recording", from_address=work_item.SENDER, created_at=now, tested_at=now, connections=1
    )
    host.session.add(sender)
    host.session.flush()
    made: Mapping[str, Any] = {"list_ids": [contacts.list_of(host, number)], "template_id": template.id}
    mailing = mailings.create(host, name="Winter", contact_source=SOURCE, by=BY, sender_id=sender.id, **made)
    mailings.launch(host, mailing, by=BY)
    host.session.commit()
    mailings.fill_launched(host)
    run_lane(host, seconds=60)
    outcomes.deliver(host)


def _visit(ways: list[Callable[[Letter], None]], letters: list[Letter]) -> None:
    with ThreadPoolExecutor(len(ways)) as visitors:
        for visit in [visitors.submit(way, letter) for way, letter in zip(ways, letters, strict=True)]:
            visit.result()


def _take_in(host: Host) -> None:
    feedback.drain(host, wait=timedelta(0))
    outcomes.deliver(host)


def _found(host: Host, scanned: list[int], read: list[int]) -> Found:
    of_programs = Event.message_id.in_(scanned)
    hits = of_programs & Event.kind.in_([EventKind.OPEN.value, EventKind.CLICK.value])
    count = select(func.count()).select_from(Event)
    statuses = select(Contact.status).join(OutboxMessage, OutboxMessage.contact_key == cast(Contact.id, String))
    return Found(
        hits=host.session.scalar(count.where(hits)) or 0,
        human=host.session.scalar(count.where(hits, Event.by_machine.is_(False))) or 0,
        opt_outs=host.session.scalar(count.where(of_programs, Event.kind == EventKind.OPT_OUT.value)) or 0,
        statuses=sum(
            one != "written_to" for one in host.session.scalars(statuses.where(OutboxMessage.id.in_(scanned)))
        ),
        people_missed=sum(one != "visitor" for one in host.session.scalars(statuses.where(OutboxMessage.id.in_(read)))),
    )
