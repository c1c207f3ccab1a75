"""A host unlike the sample mounts the plugin in a few lines; the same journey over HTTP, without a script."""

import os
import re
import secrets
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import func, select

from massmail_plugin import feedback
from massmail_plugin.models import List, Mailing, Sender, Template
from massmail_plugin.testing import run_jobs
from tests.journeys.caught_mail import Postbox, postbox
from tests.journeys.plain_browser import PlainBrowser
from tests.journeys.second_host import Household, Person, Stage, create_host

CHECKOUT = Path(__file__).resolve().parents[2]
ADMIN = "/admin/massmail"
SHOP = "https://shop.example/harvest"
SUBJECT = "{{ contact.called }}, the harvest is in"
HTML = (
    "<html><body><h1>Dear {{ contact.called }}</h1><p>Come to the barn near {{ contact.household.town }}, see "
    f'<a href="{SHOP}">what there is</a>, or <a href="{{{{ unsubscribe_url }}}}">unsubscribe</a>.</p></body></html>'
)
PEOPLE = ["Ada Østergård", "Bo Ek", "Cai 中", "Dana Ñíguez"]


class Second:
    """The running host, its database, the commands to reach it from another process, and a mail server."""

    def __init__(self, database_url: str, redis_url: str, box: Postbox) -> None:
        settings = {
            "MASSMAIL_SECRET_KEYS": [secrets.token_urlsafe(32)],
            "MASSMAIL_QUEUE": f"second-{uuid.uuid4().hex}",
            "MASSMAIL_DRAIN_SECONDS": 0,
        }
        self.box = box
        arguments = ", ".join([repr(database_url), repr(redis_url), *(f"{k}={v!r}" for k, v in settings.items())])
        self.factory = f"tests.journeys.second_host:create_host({arguments})"
        self.app = create_host(database_url, redis_url, **settings)
        result = self.app.test_cli_runner().invoke(args=["massmail", "db", "upgrade"])
        assert result.exit_code == 0, result.output
        self._people()

    @property
    def db(self) -> SQLAlchemy:
        db: SQLAlchemy = self.app.extensions["sqlalchemy"]
        return db

    def _people(self) -> None:
        with self.app.app_context():
            fresh = self.db.session.scalars(select(Stage.stage_no).where(Stage.code == "fresh")).one()
            near, far = Household(town="Nærby"), Household(town="Fjernby")
            self.db.session.add_all([near, far])
            for number, called in enumerate(PEOPLE):
                mailbox = f"{called.split()[0].lower()}@people.example"
                self.db.session.add(Person(called=called, mailbox=mailbox, stage_no=fresh, household=near))
                self.db.session.add(
                    Person(called=f"Far {number}", mailbox=f"far{number}@x.example", stage_no=fresh, household=far)
                )
            self.db.session.add(Person(called="No Address", stage_no=fresh, household=near))
            self.db.session.commit()

    def stages(self) -> dict[str, str]:
        """The stage of everybody who lives near."""
        with self.app.app_context():
            query = select(Person.called, Stage.code).join(Stage, Person.stage_no == Stage.stage_no)
            near = query.join(Household).where(Household.town == "Nærby")
            return {row.called: row.code for row in self.db.session.execute(near)}

    def count(self, model: type) -> int:
        with self.app.app_context():
            return self.db.session.scalar(select(func.count()).select_from(model)) or 0

    def browser(self, name: str = "boss") -> PlainBrowser:
        browser = PlainBrowser(self.app)
        if name:
            browser.open(f"/log-in/{name}")
        return browser

    def run_workers(self) -> None:
        """Real processes: workers until the queue is empty, and a tick of the scheduler.

        Before them, opens and clicks are drained without waiting for more of the same mail.
        """
        with self.app.app_context():
            feedback.drain(self.app.extensions["massmail"], wait=timedelta(0))
        for words in (["worker", "--burst"], ["scheduler", "--once"], ["worker", "--burst"]):
            self._run(*words)

    def _run(self, *words: str) -> str:
        command = [sys.executable, "-m", "flask", "--app", self.factory, "massmail", *words]
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        done = subprocess.run(
            command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=90, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def second_host(database_url: str, redis_url: str) -> Iterator[Second]:
    with postbox() as box:
        host = Second(database_url, redis_url, box)
        yield host
        with host.app.app_context():
            host.db.session.remove()
            host.db.engine.dispose()


def test_on_sqlite_in_one_process(tmp_path: Path, redis_url: str) -> None:
    with second_host(f"sqlite:///{tmp_path / 'people.sqlite3'}", redis_url) as second:
        walk(second, lambda: run_jobs(second.app))


def test_on_postgresql_with_workers_as_processes(fresh_postgres_url: str, redis_url: str) -> None:
    with second_host(fresh_postgres_url, redis_url) as second:
        walk(second, second.run_workers)


def walk(second: Second, work: Callable[[], object]) -> None:
    browser = second.browser()
    assert "The people register" in browser.open(f"{ADMIN}/").text
    make_sender(browser, second.box.port)
    write_template(browser)
    make_audience(browser)
    make_mailing(browser)
    preview_and_test(browser, second, work)
    send(browser, second, work)
    assert second.stages() == {**dict.fromkeys(PEOPLE, "mailed"), "No Address": "fresh"}
    answer_the_mails(second, work)
    assert second.stages() == {
        "Ada Østergård": "keen",
        "Bo Ek": "curious",
        "Cai 中": "gone",
        "Dana Ñíguez": "gone",
        "No Address": "fresh",
    }
    assert_counted(browser)


def make_sender(browser: PlainBrowser, port: int) -> None:
    browser.open(f"{ADMIN}/senders/").follow("Add a sender" if "Add a sender" in browser.text else "New sender")
    browser.press(
        "Save sender",
        {
            "name": "Post",
            "host": "127.0.0.1",
            "port": str(port),
            "security": "none",
            "from_address": "us@people.example",
        },
    )
    assert nonce_clean(browser)


def write_template(browser: PlainBrowser) -> None:
    browser.open(f"{ADMIN}/templates/new")
    words = {"name": "Harvest", "subject": SUBJECT, "html": HTML.replace("household.town", "household.twon")}
    browser.press("Save template", words, expect=422)
    assert "Did you mean “contact.household.town”?" in browser.text
    browser.press("Save template", {"html": HTML})
    assert "“Harvest” was saved as version 1." in browser.text
    assert nonce_clean(browser)


def make_audience(browser: PlainBrowser) -> None:
    """A criterion by the builder's plain buttons, a list, and everybody whom the criterion finds on it."""
    browser.open(f"{ADMIN}/criteria/new")
    browser.press("Update", {"name": "Near", "rule-0-what": "field:household.town"})
    browser.press("Save criterion", {"rule-0-op": "is", "rule-0-value": "Nærby"})
    browser.follow("Count whom it finds")
    assert "5 of 9 contacts" in browser.text
    browser.open(f"{ADMIN}/lists/new").press("Save list", {"name": "Barn evenings"})
    browser.follow("By criterion").press("Count", {"criterion": "1"})
    browser.press("Add 5 contacts", {"evidence": "Asked at the barn"})
    assert "5 contacts were added to “Barn evenings”." in browser.text


def make_mailing(browser: PlainBrowser) -> None:
    browser.open(f"{ADMIN}/mailings/new").press("Make the draft", {"name": "Harvest home"})
    browser.press("Save and go on to Recipients", {"template_id": "1"})
    browser.press("Save", {"list_ids": ["1"], "criterion_id": "1"})
    assert "1 left out" in browser.text
    browser.press("Save and go on to Sender").press("Save and go on to Check", {"sender_id": "1"})
    assert "Nothing stands in the way" in browser.text
    assert nonce_clean(browser)


def preview_and_test(browser: PlainBrowser, second: Second, work: Callable[[], object]) -> None:
    browser.open(f"{ADMIN}/templates/1").press("Find", {"q": "Dana"})
    assert "Dana Ñíguez, the harvest is in" in browser.text
    browser.open(f"{ADMIN}/mailings/1/check")
    browser.press("Send the test", {"addresses": "colleague@people.example", "contact": "Cai"})
    work()
    (test,) = second.box.to("colleague@people.example")
    assert test.subject == "[TEST] Cai 中, the harvest is in"
    browser.open(test.one_click, method="POST", data={"List-Unsubscribe": "One-Click"})
    assert set(second.stages().values()) == {"fresh"}


def send(browser: PlainBrowser, second: Second, work: Callable[[], object]) -> None:
    browser.open(f"{ADMIN}/mailings/1/send").follow("Send to 4 contacts")
    assert "Send “Harvest home”?" in browser.text
    browser.press("Send to 4 contacts")
    assert "It is on its way." in browser.text
    browser.open(f"{ADMIN}/mailings/1/launch", method="POST", data={"csrf_token": token(browser), "expected": "4"})
    assert "It is not sent twice" in browser.text
    work()
    assert sorted(mail.subject for mail in second.box.mails[1:]) == [f"{name}, the harvest is in" for name in PEOPLE]
    assert len({mail.message["Message-ID"] for mail in second.box.mails}) == 5
    browser.open(f"{ADMIN}/mailings/1")
    assert "4 of 4 · 100 %" in browser.text
    assert "Finished" in browser.text


def answer_the_mails(second: Second, work: Callable[[], object]) -> None:
    """Ada reads and clicks, Bo reads, Cai's mailbox posts the one click, Dana opts out on the page."""
    reader = PlainBrowser(second.app)
    ada, bo, cai, dana = (second.box.to(f"{name.split()[0].lower()}@people.example")[0] for name in PEOPLE)
    reader.open(ada.pixel)
    reader.open(bo.pixel)
    assert f"<h1>Dear {PEOPLE[0]}</h1>" in ada.html.replace(' style=""', "")
    where = leads_to(second.app, ada.link("what there is"))
    assert where == SHOP
    reader.open(cai.one_click, method="POST", data={"List-Unsubscribe": "One-Click"})
    reader.open(dana.link("unsubscribe"))
    work()
    assert second.stages()["Dana Ñíguez"] == "mailed"
    assert "Unsubscribe from “Barn evenings”?" in reader.text
    reader.press("Unsubscribe")
    assert "You are unsubscribed" in reader.text
    work()


def leads_to(app: Flask, link: str) -> str:
    agent = {"User-Agent": "Mozilla/5.0 (X11; rv:140.0) Firefox/140.0", "Accept-Language": "en"}
    answer = app.test_client().get(re.sub("^https?://[^/]+", "", link), headers=agent)
    assert answer.status_code in (302, 303, 307)
    return answer.location


def assert_counted(browser: PlainBrowser) -> None:
    browser.open(f"{ADMIN}/mailings/1")
    tiles = {}
    for tile in browser.page.css(".mm-tile"):
        label, value = tile.css_first(".mm-tile-label"), tile.css_first(".mm-tile-value")
        tiles[label.text()] = value.text()
    names = ("Total", "Sent", "To send", "Failed", "Read", "Clicked", "Removed")
    shown = {name: tiles.get(name, "").split(" ")[0] for name in names}
    assert shown == {
        "Total": "4", "Sent": "4", "To send": "0", "Failed": "0", "Read": "2", "Clicked": "1", "Removed": "2",
    }  # fmt: skip
    browser.open(f"{ADMIN}/lists/1?state=unsubscribed")
    assert "Cai 中" in browser.text
    assert "Dana Ñíguez" in browser.text


def token(browser: PlainBrowser) -> str:
    browser.open(f"{ADMIN}/lists/new")
    found = browser.page.css_first("input[name=csrf_token]")
    assert found is not None
    return found.attributes["value"] or ""


def nonce_clean(browser: PlainBrowser) -> bool:
    """The page of ours needs nothing that the host's Content-Security-Policy forbids."""
    assert browser.answer is not None
    policy = browser.answer.headers["Content-Security-Policy"]
    nonce = policy.split("'nonce-")[1].split("'")[0]
    page = LexborHTMLParser(browser.answer.text)
    ours = page.css("main.massmail script, head script[src*=massmail], head link[rel=stylesheet][href*=massmail]")
    assert ours
    assert all(node.attributes.get("nonce") == nonce for node in ours)
    return not page.css("main.massmail [style], main.massmail [onclick], main.massmail [onsubmit]")


# --- Doors that are shut, though the host's own views are open to everybody ------------------------------------


SCREENS = ["", "mailings/", "campaigns/", "templates/", "lists/", "criteria/", "senders/", "suppressions/", "system/"]


@pytest.fixture
def sqlite_second(tmp_path: Path, redis_url: str) -> Iterator[Second]:
    with postbox() as box:
        yield Second(f"sqlite:///{tmp_path / 'people.sqlite3'}", redis_url, box)


def test_the_hosts_views_are_open_and_ours_are_not(sqlite_second: Second) -> None:
    visitor, stranger = sqlite_second.browser(""), sqlite_second.browser("stranger")
    for browser in (visitor, stranger):
        assert "Nærby" in browser.open("/admin/household/").text
        assert not browser.page.css("a[href*=massmail]")
    for screen in SCREENS:
        assert visitor.open(f"{ADMIN}/{screen}").text == "Say who you are."
        stranger.open(f"{ADMIN}/{screen}", expect=403)


def test_direct_posts_change_nothing(sqlite_second: Second) -> None:
    boss = sqlite_second.browser()
    make_sender(boss, sqlite_second.box.port)
    write_template(boss)
    make_audience(boss)
    make_mailing(boss)
    before = {model: sqlite_second.count(model) for model in (Sender, Template, List, Mailing)}
    posts = {
        f"{ADMIN}/mailings/1/launch": {"expected": "4"},
        f"{ADMIN}/mailings/1/delete": {},
        f"{ADMIN}/templates/1/delete": {},
        f"{ADMIN}/templates/new": {"name": "x", "subject": "x", "format": "text", "text": "x"},
        f"{ADMIN}/lists/new": {"name": "x"},
        f"{ADMIN}/senders/1/delete": {},
    }
    stranger, visitor = sqlite_second.browser("stranger"), sqlite_second.browser("")
    for path, data in posts.items():
        # A token of one's own session opens no door either: the host hands it out to everybody.
        stranger.open(path, method="POST", data={**data, "csrf_token": own_token(stranger)}, expect=403)
        visitor.open(path, method="POST", data={**data, "csrf_token": own_token(visitor)})
        assert visitor.text == "Say who you are."
        boss.open(path, method="POST", data=data, expect=400)
    assert {model: sqlite_second.count(model) for model in before} == before
    with sqlite_second.app.app_context():
        assert sqlite_second.db.session.scalars(select(Mailing.state)).all() == ["draft"]


def own_token(browser: PlainBrowser) -> str:
    return browser.open("/token").text
