"""Senders: the password never comes back, a test shows its stages, a change of server asks for the password again."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select, text

from massmail_plugin.models import Mailing, Sender
from tests.admin.conftest import NOON, Catalogue, faults, form_of
from tests.admin.sender_posts import SENDERS, only, save

SECRET = "hunter2-of-the-news"


class Taker:
    """Takes what is sent; refuses one address."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nobody@"):
            return "550 5.1.1 <b>Who</b> is that?"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append(envelope.content)
        return "250 2.0.0 taken"


@pytest.fixture
def server() -> Iterator[Controller]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(Taker(), hostname="127.0.0.1", port=port)
    controller.start()
    yield controller
    controller.stop()


def test_the_password_is_kept_but_never_shown(small_host: Catalogue) -> None:
    save(small_host, username="news", secret=SECRET, security="starttls")
    sender = only(small_host)
    assert sender.secret == SECRET
    assert SECRET not in str(small_host.host.session.execute(text("SELECT secret FROM massmail_sender")).all())
    for path in ("", f"{sender.id}", f"{sender.id}/edit"):
        assert SECRET not in small_host.client().get(SENDERS + path).text
    save(small_host, f"{sender.id}/edit", username="news", name="Renamed", security="starttls")
    assert (only(small_host).name, only(small_host).secret) == ("Renamed", SECRET)


@pytest.mark.parametrize("change", [{"host": "mail.attacker.example"}, {"security": "none"}])
def test_a_password_does_not_follow_to_another_server(small_host: Catalogue, change: dict[str, str]) -> None:
    save(small_host, username="news", secret=SECRET, security="starttls")
    edit = f"{only(small_host).id}/edit"
    answer = save(small_host, edit, **{"username": "news", "security": "starttls", **change})
    assert answer.status_code == 422
    assert "Enter the password again" in answer.text
    assert (only(small_host).host, only(small_host).security) == ("127.0.0.1", "starttls")


def test_faults_are_named_at_their_fields(small_host: Catalogue) -> None:
    answer = save(small_host, name="", port="99999", from_address="News <news@example.org>")
    assert answer.status_code == 422
    for field in ("name", "port", "from_address"):
        assert f'href="#{field}"' in answer.text
        assert f'id="{field}-error"' in answer.text
    assert small_host.host.session.scalar(select(Sender)) is None


def test_a_test_shows_its_stages(small_host: Catalogue, server: Controller, open_page: Callable[..., Any]) -> None:
    save(small_host, port=str(server.port))
    page = open_page(small_host)
    page.goto(SENDERS)
    page.get_by_text("Untested").wait_for()
    page.get_by_role("link", name="News", exact=True).click()
    page.get_by_label("Send a test mail to").fill("me@example.org")
    page.get_by_role("button", name="Test this sender").click()
    page.get_by_text("Message accepted").wait_for()
    page.get_by_text("250 2.0.0 taken").wait_for()
    assert faults(page) == []
    assert b"Subject: [TEST] News" in server.handler.messages[0]
    assert only(small_host).tested_at is not None
    assert small_host.woken == ["send"]


def test_a_test_that_fails_says_where_and_what(small_host: Catalogue, server: Controller) -> None:
    save(small_host, port=str(server.port))
    client = small_host.client()
    show = f"{SENDERS}{only(small_host).id}"
    client.post(show + "/test", data={**form_of(client.get(show).text), "to": "nobody@example.org"})
    page = client.get(show).text
    assert "Test failed" in page
    assert "&lt;b&gt;Who&lt;/b&gt; is that?" in page
    assert only(small_host).tested_at is None


def test_one_in_use_cannot_be_deleted(small_host: Catalogue) -> None:
    save(small_host)
    small_host.host.session.add(
        Mailing(name="Winter fair", contact_source="contact", created_at=NOON, sender=only(small_host))
    )
    small_host.host.session.commit()
    asked = small_host.client().get(f"{SENDERS}{only(small_host).id}/delete").text
    assert "the mailing “Winter fair”" in asked
    assert "Delete sender</button>" not in asked


def test_writers_do_not_see_senders(small_host: Catalogue) -> None:
    assert small_host.client("writer").get(SENDERS).status_code == 403
    assert SENDERS not in small_host.client("writer").get("/admin/massmail/").text


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["", "new", "{id}", "{id}/edit", "{id}/keys", "{id}/delete"])
def test_screens_are_clean(small_host: Catalogue, open_page: Callable[..., Any], path: str, width: int) -> None:
    save(small_host)
    page = open_page(small_host, width=width)
    page.goto(SENDERS + path.format(id=only(small_host).id))
    assert faults(page) == []
    assert page.troubles == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
