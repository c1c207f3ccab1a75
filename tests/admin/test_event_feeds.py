"""The screens of event feeds: a provider chosen, its key kept unseen, the address to enter there, the exchange."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import select

from massmail_plugin.models import EventFeed, FeedNonce, ProviderListEntry
from tests.admin.conftest import Catalogue, faults, form_of

FEEDS = "/admin/massmail/feeds/"
KEY = "a-signing-key-nobody-may-see"
API_KEY = "an-api-key-nobody-may-see"


def post(client: FlaskClient, url: str, **data: Any) -> Any:
    """A form sent with the token of the page it stands on."""
    return client.post(url, data={**form_of(client.get(url).text), **data}, follow_redirects=True)


@pytest.fixture
def feed(small_host: Catalogue) -> EventFeed:
    """Mailgun, which exchanges its list."""
    client = small_host.client()
    entered = {"name": "Our Mailgun", "active": "y", "secret": KEY, "exchanges": "y", "account": "mg.example.org"}
    post(client, FEEDS + "new?provider=mailgun", **entered, api_key=API_KEY)
    return small_host.host.session.scalars(select(EventFeed)).one()


def test_a_feed_is_added_and_says_what_to_enter_at_the_provider(small_host: Catalogue) -> None:
    client = small_host.client()
    assert "No event feed yet" in client.get(FEEDS).text
    offered = client.get(FEEDS + "new").text
    for name in ("Amazon SES", "SendGrid", "Mailgun", "Postmark", "Unisender Go", "Other (signed JSON)"):
        assert name in offered
    asked = client.get(FEEDS + "new?provider=sendgrid").text
    assert "Verification key" in asked
    said = post(client, FEEDS + "new?provider=sendgrid", name="Our SendGrid", active="y", secret=KEY).text
    row = small_host.host.session.scalars(select(EventFeed)).one()
    assert (row.provider, row.secret, len(row.path)) == ("sendgrid", KEY, 32)
    assert f"https://crm.example.org/m/events/{row.path}" in said
    assert "Not heard yet" in said


def test_without_a_key_no_feed_is_saved(small_host: Catalogue) -> None:
    answer = post(small_host.client(), FEEDS + "new?provider=brevo", name="Brevo", active="y")
    assert (answer.status_code, "forged" in answer.text) == (422, True)
    answer = post(small_host.client(), FEEDS + "new?provider=brevo", name="B", secret="a:b", exchanges="y")
    assert (answer.status_code, "only be read and changed with a key" in answer.text) == (422, True)
    assert small_host.host.session.scalars(select(EventFeed)).all() == []


def test_keys_are_stored_encrypted_kept_and_never_shown(small_host: Catalogue, feed: EventFeed) -> None:
    client, host = small_host.client(), small_host.host
    for page in (FEEDS, f"{FEEDS}{feed.id}", f"{FEEDS}{feed.id}/edit"):
        text = client.get(page).text
        assert KEY not in text
        assert API_KEY not in text
    assert client.get(f"{FEEDS}{feed.id}/edit").text.count("One is stored and never shown") == 2
    raw = host.session.connection().exec_driver_sql("SELECT secret, api_key FROM massmail_event_feed").one()
    assert KEY not in raw[0]
    assert API_KEY not in raw[1]
    post(client, f"{FEEDS}{feed.id}/edit", name="Mailgun EU", active="y", account="eu:mg.example.org", exchanges="y")
    host.session.expire_all()
    assert (feed.name, feed.secret, feed.api_key, feed.account) == ("Mailgun EU", KEY, API_KEY, "eu:mg.example.org")


def test_a_name_is_given_once(small_host: Catalogue, feed: EventFeed) -> None:
    answer = post(small_host.client(), FEEDS + "new?provider=brevo", name=feed.name, active="y", secret="a:b")
    assert (answer.status_code, "of this name already" in answer.text) == (422, True)


def test_a_fault_is_shown_as_text(small_host: Catalogue, feed: EventFeed) -> None:
    feed.fault = feed.exchange_fault = "<script>alert(1)</script>"
    small_host.host.session.commit()
    text = small_host.client().get(f"{FEEDS}{feed.id}").text
    assert text.count("&lt;script&gt;alert(1)") == 2
    assert "<script>alert(1)" not in text


def test_a_new_address_and_an_exchange_are_asked_for(small_host: Catalogue, feed: EventFeed) -> None:
    client, host, before = small_host.client(), small_host.host, feed.path
    post(client, f"{FEEDS}{feed.id}/address")
    host.session.expire_all()
    assert feed.path != before
    assert (
        "as soon as a worker is free"
        in client.post(
            f"{FEEDS}{feed.id}/exchange", data=form_of(client.get(f"{FEEDS}{feed.id}").text), follow_redirects=True
        ).text
    )
    assert small_host.woken == ["stop_lists"]


def test_a_deleted_feed_leaves_nothing_of_itself(small_host: Catalogue, feed: EventFeed) -> None:
    host = small_host.host
    now = host.clock()
    host.session.add(FeedNonce(feed_id=feed.id, nonce="n", body_hash="h", at=now))
    host.session.add(ProviderListEntry(feed_id=feed.id, address="a@example.org", ours=True, at=now))
    host.session.commit()
    post(small_host.client(), f"{FEEDS}{feed.id}/delete")
    for table in (EventFeed, FeedNonce, ProviderListEntry):
        assert host.session.scalars(select(table)).all() == []


@pytest.mark.parametrize("name", ["writer", "nobody"])
def test_only_who_manages_senders_may_enter(small_host: Catalogue, feed: EventFeed, name: str) -> None:
    client = small_host.client(name)
    for page in ("", "new", "new?provider=ses", f"{feed.id}", f"{feed.id}/edit", f"{feed.id}/delete"):
        assert client.get(FEEDS + page).status_code == 403, page
    assert client.post(f"{FEEDS}{feed.id}/exchange").status_code in (400, 403)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_screens_in_a_browser(
    small_host: Catalogue, feed: EventFeed, open_page: Callable[..., Page], width: int, tmp_path: Path
) -> None:
    feed.fault = "The signature is missing or wrong."
    feed.heard_at = small_host.host.clock()
    small_host.host.session.commit()
    page = open_page(small_host, width=width)
    for path in ("", "new", "new?provider=ses", f"{feed.id}", f"{feed.id}/edit"):
        page.goto(FEEDS + path)
        assert faults(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        page.screenshot(path=tmp_path / f"feeds-{width}-{path.replace('/', '-').replace('?', '-')}.png", full_page=True)
    page.goto(FEEDS)
    page.get_by_role("link", name="New event feed").first.click()
    page.get_by_role("link", name="Postmark").click()
    page.get_by_role("button", name="Save feed").click()
    expect(page.get_by_role("alert").or_(page.locator(".mm-error")).first).to_be_visible()
    page.get_by_label("User and password").fill("feed:a long password")
    page.get_by_role("button", name="Save feed").click()
    expect(page.get_by_label("Enter this address as the webhook")).to_have_value(
        "https://crm.example.org/m/events/"
        + small_host.host.session.scalars(select(EventFeed.path).where(EventFeed.provider == "postmark")).one()
    )
    said = [one for one in page.troubles if "422" not in one]  # type: ignore[attr-defined]
    assert said == []
