"""The doctor names what is missing, says what to do, and survives whatever it finds."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask_login import LoginManager
from flask_migrate import Migrate
from werkzeug.serving import make_server

from massmail_plugin.contracts import Host, QueueState, StatusMapping
from massmail_plugin.feedback.tracking.spool import SpooledHit, append
from massmail_plugin.hosting import include_object
from massmail_plugin.models import Heartbeat, Mailbox, Mailing, OutboxMessage, OutcomeReport, Sender
from massmail_plugin.upkeep import machine, schema
from massmail_plugin.upkeep.doctor import Check, Level, checks, worst
from massmail_plugin.vocabulary import EventKind, Outcome
from tests.upkeep.small_host import HandClock, Member, Queue, db, small_host

Mounted = tuple[Flask, Host, HandClock, Queue]


@pytest.fixture
def mounted(database_url: str, tmp_path: Path) -> Iterator[Mounted]:
    with small_host(database_url, tmp_path) as found:
        schema.upgrade(found[1])
        yield found


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Mounted]:
    with small_host(f"sqlite:///{tmp_path / 'plain.sqlite3'}", tmp_path) as found:
        schema.upgrade(found[1])
        yield found


@pytest.fixture
def on_a_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if these tests ran on a machine with a disk, and not in a container."""
    table = tmp_path / "mountinfo"
    table.write_text("22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n")
    monkeypatch.setattr(machine, "MOUNTS", table)


def by_name(found: list[Check], name: str) -> list[Check]:
    return [check for check in found if check.name == name]


def one(host: Host, name: str) -> Check:
    (check,) = by_name(checks(host), name)
    return check


def add_sender(host: Host, **values: object) -> Sender:
    sender = Sender(name="Post", from_address="post@example.org", created_at=host.clock(), **values)
    host.session.add(sender)
    host.session.commit()
    return sender


def test_a_host_in_good_order(mounted: Mounted, on_a_disk: None) -> None:
    app, host, clock, _ = mounted
    LoginManager(app)
    Migrate(app, db, include_object=include_object)
    add_sender(host, tested_at=clock(), secret="hush")
    mailbox = Mailbox(name="Bounces", host="imap.example.org", read_at=clock(), created_at=clock())
    host.session.add_all([Member(name="Ada"), Heartbeat(name="scheduler", at=clock()), mailbox])
    host.session.commit()
    bad = [check for check in checks(host) if check.level is not Level.OK and check.name != "recipients' pages"]
    assert bad == []


def test_before_the_first_upgrade_it_says_to_run_it(empty_database_url: str, tmp_path: Path) -> None:
    with small_host(empty_database_url, tmp_path) as (_, host, _, _):
        found = checks(host)
        assert "flask massmail db upgrade" in by_name(found, "migrations")[0].what_to_do
        assert "flask massmail db upgrade" in by_name(found, "senders")[0].what_to_do
        assert worst(found) is Level.FAIL


def test_a_fresh_installation_lacks_sender_scheduler_and_contacts(mounted: Mounted) -> None:
    host = mounted[1]
    assert one(host, "senders").level is Level.FAIL
    assert one(host, "scheduler").level is Level.FAIL
    assert one(host, "contacts").level is Level.WARNING


def test_opens_and_clicks_that_nobody_brings_to_the_database(mounted: Mounted) -> None:
    _, host, clock, _ = mounted
    assert one(host, "opens and clicks").level is Level.OK
    append(host.state_dir, SpooledHit(EventKind.OPEN, clock(), 1, None, "", ""))
    clock.go(minutes=1)
    assert one(host, "opens and clicks").level is Level.OK
    clock.go(minutes=5)
    found = one(host, "opens and clicks")
    assert found.level is Level.WARNING
    assert "since 2027-03-01 09:00 UTC" in found.text
    assert "flask massmail hits drain" in found.what_to_do


def test_redis_down_and_workers_away(plain: Mounted) -> None:
    _, host, _, queue = plain
    queue.state = QueueState(False, 0, 0, "Redis does not answer: refused")
    assert one(host, "redis") == Check("redis", Level.FAIL, queue.state.problem, one(host, "redis").what_to_do)
    assert by_name(checks(host), "workers") == []
    queue.state = QueueState(True, 0, 3)
    assert "flask massmail worker" in one(host, "workers").what_to_do


def test_a_scheduler_that_stopped(plain: Mounted) -> None:
    _, host, clock, _ = plain
    host.session.add(Heartbeat(name="scheduler", at=clock()))
    host.session.commit()
    clock.go(seconds=30)
    assert one(host, "scheduler").text == "Last seen 30 s ago."
    clock.go(minutes=10)
    assert one(host, "scheduler").level is Level.FAIL


def test_senders_untested_held_or_locked(plain: Mounted) -> None:
    _, host, clock, _ = plain
    sender = add_sender(host, secret="hush")
    assert "Test" in one(host, "senders").what_to_do
    sender.tested_at, sender.fault = clock(), "535 no"
    host.session.commit()
    assert "held" in one(host, "senders").text
    object.__setattr__(host.config, "secret_keys", ("another key, just as long as the first one",))
    assert "“Post”" in one(host, "secret keys").text
    assert "hush" not in str(checks(host))


def test_a_status_the_host_does_not_know(plain: Mounted) -> None:
    host = plain[1]
    mapping = StatusMapping({Outcome.READ: "mial_read"}, known=lambda: ["mail_read"])
    object.__setattr__(host, "statuses", mapping)
    assert "Did you mean “mail_read”?" in one(host, "statuses").text


def test_a_host_function_that_fails_is_one_finding(plain: Mounted) -> None:
    host = plain[1]
    object.__setattr__(host, "statuses", StatusMapping({}, known=lambda: [][1]))
    found = one(host, "statuses")
    assert (found.level, "could not" in found.text.lower()) == (Level.FAIL, True)


def test_contacts_that_cannot_be_read(plain: Mounted) -> None:
    host = plain[1]
    db.drop_all()
    assert one(host, "contacts").level is Level.FAIL


def test_an_untuned_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.upkeep.small_host.tune", lambda engine: None)
    with small_host(f"sqlite:///{tmp_path / 'plain.sqlite3'}", tmp_path) as (_, host, _, _):
        assert "tune(db.engine)" in one(host, "sqlite").what_to_do


def test_a_host_whose_migrations_would_drop_our_tables(plain: Mounted) -> None:
    app, host, _, _ = plain
    assert by_name(checks(host), "host migrations") == []
    Migrate(app, db)
    assert "include_object" in one(host, "host migrations").what_to_do
    Migrate(app, db, include_object=include_object)
    assert one(host, "host migrations").level is Level.OK


def test_without_flask_login_nobody_can_enter(plain: Mounted) -> None:
    app, host, _, _ = plain
    host.hooks.may = lambda user, act, subject: True
    assert "LoginManager" in one(host, "permissions").what_to_do
    LoginManager(app)
    assert one(host, "permissions").level is Level.OK


def test_outcomes_that_do_not_reach_the_host(plain: Mounted) -> None:
    _, host, clock, _ = plain
    mailing = Mailing(name="News", contact_source="members", created_at=clock())
    host.session.add(mailing)
    host.session.flush()
    contact = {"mailing_id": mailing.id, "contact_source": "members", "contact_key": "1"}
    message = OutboxMessage(chunk=0, address_role="main", address="ada@example.org", **contact)
    host.session.add(message)
    host.session.flush()
    problem = "Traceback ...\nhost.errors.Locked: ada@example.org is locked"
    times = {"at": clock(), "due_at": clock() + timedelta(hours=1)}
    host.session.add(
        OutcomeReport(message_id=message.id, outcome="read", attempts=3, problem=problem, **contact, **times)
    )
    host.session.commit()
    found = one(host, "outcome reports")
    assert found.level is Level.WARNING
    assert "host.errors.Locked" in found.text
    assert "ada@" not in found.text


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("https://crm.example.org", Level.OK),
        ("http://crm.example.org", Level.WARNING),
        ("http://localhost:5000", Level.OK),
        ("http://127.0.0.1", Level.OK),
        ("http://[::1]:80", Level.OK),
        ("http://localhost.example.org", Level.WARNING),
    ],
)
def test_https_is_wanted_but_on_this_machine(
    plain: Mounted, url: str, level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("massmail_plugin.upkeep.web_address._fetch", lambda asked: (None, {}, "not asked"))
    host = plain[1]
    object.__setattr__(host.config, "base_url", url)
    assert one(host, "base url").level is level


@pytest.mark.parametrize(
    ("status", "headers", "level"),
    [
        (404, {"X-Robots-Tag": "noindex, nofollow"}, Level.OK),
        (404, {}, Level.FAIL),
        (200, {}, Level.FAIL),
        (302, {"Location": "/login"}, Level.FAIL),
    ],
)
def test_who_answers_at_the_base_url(plain: Mounted, status: int, headers: dict[str, str], level: Level) -> None:
    host = plain[1]
    outside = Flask("outside")
    outside.add_url_rule("/<path:path>", view_func=lambda path: ("", status, headers), endpoint="any")
    server = make_server("127.0.0.1", 0, outside)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        object.__setattr__(host.config, "base_url", f"http://127.0.0.1:{server.server_port}")
        assert one(host, "recipients' pages").level is level
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
    assert one(host, "recipients' pages").level is Level.WARNING
