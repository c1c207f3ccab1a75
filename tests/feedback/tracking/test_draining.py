"""The thread that drains: one in a process, none where others do it, and never ended by a failure."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from massmail_plugin import cli, feedback
from massmail_plugin.contracts import Host
from massmail_plugin.feedback.machines import BURST
from massmail_plugin.feedback.tracking import draining
from massmail_plugin.upkeep import schema
from tests.feedback.tracking.went_out import WentOut, click, take, went_out
from tests.upkeep.small_host import HandClock, small_host

LONGEST = 90.0


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    with small_host(database_url, tmp_path, MASSMAIL_DRAIN_SECONDS=1) as (made, host, _, _):
        schema.upgrade(host)
        yield made
        for one in threads():
            one._target.__self__._end()  # type: ignore[attr-defined]


@pytest.fixture
def host(app: Flask) -> Host:
    found: Host = app.extensions["massmail"]
    return found


@pytest.fixture
def clock(host: Host) -> HandClock:
    assert isinstance(host.clock, HandClock)
    return host.clock


def threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "massmail-drain"]


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + LONGEST
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def kept(out: WentOut) -> int:
    """Asked anew each time."""
    out.host.session.rollback()
    return len(out.events())


def test_hits_come_to_the_database_by_themselves(app: Flask, host: Host, clock: HandClock) -> None:
    out = went_out(host)
    take(host.state_dir, click(out.mails[0], clock.now))
    clock.go(seconds=BURST.total_seconds() + 1)
    for _ in range(3):
        feedback.start_draining(app)
    assert len(threads()) == 1
    wait_until(lambda: kept(out) == 1)


def test_a_database_that_comes_back_gets_what_waited(
    app: Flask, host: Host, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    def down(*args: object) -> None:
        if threading.current_thread().name == "massmail-drain":
            raise OperationalError("SELECT", {}, Exception("the server is gone"))

    out = went_out(host)
    take(host.state_dir, click(out.mails[0], clock.now))
    clock.go(seconds=BURST.total_seconds() + 1)
    event.listen(host.db.engine, "before_cursor_execute", down)
    with caplog.at_level(logging.WARNING):
        feedback.start_draining(app, first=True)
        wait_until(lambda: caplog.text.count("wait in the spool") >= 2)
    event.remove(host.db.engine, "before_cursor_execute", down)
    wait_until(lambda: kept(out) == 1)


def test_a_process_steps_back_where_another_drains(app: Flask, host: Host, clock: HandClock) -> None:
    out = went_out(host)
    one = draining._Draining(app, 5, first=False)
    assert one._nobody_did()
    take(host.state_dir, click(out.mails[0], clock.now))
    feedback.drain(host)
    clock.go(seconds=4)
    assert not one._nobody_did()
    clock.go(seconds=1)
    assert one._nobody_did()


def test_with_no_seconds_only_whoever_comes_first_drains(database_url: str, tmp_path: Path) -> None:
    with small_host(database_url, tmp_path, MASSMAIL_DRAIN_SECONDS=0) as (app, _, _, _):
        feedback.start_draining(app)
        assert threads() == []


def test_drain_by_hand_says_what_it_did(app: Flask, host: Host, clock: HandClock) -> None:
    out = went_out(host)
    runner = app.test_cli_runner()
    assert runner.invoke(cli.group, ["hits", "waiting"]).output == "Nothing waits.\n"
    take(host.state_dir, click(out.mails[0], clock.now), click(out.mails[1], clock.go(seconds=8)))
    clock.go(seconds=BURST.total_seconds() - 1)
    said = runner.invoke(cli.group, ["hits", "drain"]).output
    assert said.startswith("1 opens and clicks were brought to the database.")
    assert "the oldest since 2027-03-01 09:00:08 UTC" in said
    found = runner.invoke(cli.group, ["hits", "waiting", "--json"]).output
    assert '"octets"' in found
