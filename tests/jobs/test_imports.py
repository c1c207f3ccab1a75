"""Imports in the round of the processes: a worker is called, works for its turn, and goes on in the next one."""

import io
from dataclasses import replace

import pytest
from flask import current_app

from massmail_plugin.audience import imports
from massmail_plugin.audience.imports import working
from massmail_plugin.contracts import Host
from massmail_plugin.jobs import functions, scheduler
from massmail_plugin.jobs.queue import FUNCTIONS, JobQueue
from massmail_plugin.jobs.worker import run_worker
from massmail_plugin.models import Import
from massmail_plugin.vocabulary import ImportPurpose
from tests.consent.small_host import PERSONS, add_list, add_person


def brought(host: Host, number: int = 9) -> int:
    """A file of some people who are contacts, to be put on a list."""
    news = add_list(host)
    for one in range(number):
        add_person(host, f"p{one}@x.test")
    file = io.BytesIO(b"email\n" + b"".join(b"p%d@x.test\n" % one for one in range(number)))
    row = imports.bring(host, file, purpose=ImportPurpose.SUBSCRIBE, source=PERSONS, list_id=news.id)
    imports.start(host, row, dry_run=False)
    host.session.commit()
    return row.id


def state(host: Host, number: int) -> tuple[str, int]:
    host.session.rollback()
    row = host.session.get_one(Import, number, populate_existing=True)
    return row.state, row.done_rows


def test_starting_calls_a_worker_and_so_does_the_scheduler(host: Host) -> None:
    calls: list[str] = []
    host = replace(host, wake=calls.append)
    current_app.extensions["massmail"] = host
    number = brought(host)
    assert calls == ["imports"]
    scheduler.tick(host)
    assert calls.count("imports") == 2
    functions.import_files()
    assert state(host, number) == ("finished", 9)
    scheduler.tick(host)
    assert calls.count("imports") == 2


def test_a_turn_that_is_over_goes_on_in_the_next(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    host = replace(host, wake=calls.append)
    current_app.extensions["massmail"] = host
    number = brought(host)
    monkeypatch.setattr(working.run, "__kwdefaults__", {**(working.run.__kwdefaults__ or {}), "slice_": 2})
    monkeypatch.setattr(functions.stopping, "is_set", lambda: len(calls) == 1 and state(host, number)[1] > 0)
    functions.import_files()
    assert (calls, state(host, number)) == (["imports"] * 2, ("running", 2))
    functions.import_files()
    assert state(host, number) == ("finished", 9)


def test_a_real_worker_does_it(host: Host, jobs: JobQueue) -> None:
    host = replace(host, wake=jobs.wake)
    current_app.extensions["massmail"] = host
    number = brought(host)
    assert "imports" in FUNCTIONS
    run_worker(current_app._get_current_object(), burst=True)  # type: ignore[attr-defined]
    assert state(host, number) == ("finished", 9)
