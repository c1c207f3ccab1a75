"""Somebody signs up on the form, and confirms by the mail that a worker really sent; marketing sees the proof."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from massmail_plugin.models import List, SignUp, Subscription, SubscriptionEvent
from massmail_plugin.sign_ups.form import SECONDS_TO_FILL_IN
from massmail_plugin.signed_links.sign_up_links import sign_up_url
from sample_host.catcher import reading, store
from sample_host.crm.models import Contact, db
from sample_host.demo_mailing import EVERYBODY, host_here
from sample_host.reachable import wait_until
from sample_host.running import Running

pytestmark = pytest.mark.xdist_group("demo")

ADDRESS = "juniper.example-visitor@example.net"


@contextmanager
def fresh(demo: Running) -> Iterator[None]:
    """The database as it is now."""
    with demo.app.app_context():
        yield
        db.session.rollback()


def mails_to(demo: Running, address: str) -> list[str]:
    """Texts of the mails that were caught, oldest first."""
    folder = demo.folder / "caught"
    names = reversed(store.names_to(folder, address))
    return [reading.text_of(reading.read(store.content(folder, name))) or "" for name in names]


def test_from_the_form_to_the_list_and_the_proof(demo: Running, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    with fresh(demo):
        form = sign_up_url(host_here().config, db.session.scalars(select(List.id).where(List.name == EVERYBODY)).one())
    page.goto(form)
    page.get_by_label("Your e-mail address").fill(ADDRESS)
    page.get_by_label(re.compile("First name")).fill("Juniper")
    page.wait_for_timeout(1_000 * SECONDS_TO_FILL_IN)
    page.get_by_role("button", name="Sign up", exact=True).click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    assert wait_until(lambda: bool(mails_to(demo, ADDRESS)), 45.0, demo.check)
    (text,) = mails_to(demo, ADDRESS)
    page.goto(re.findall(r"http\S+/s/confirm/\S+", text)[0])
    page.get_by_role("button", name="Yes, I want it").click()
    expect(page.get_by_role("heading", name="You have confirmed")).to_be_visible()
    with fresh(demo):
        contact = db.session.scalars(select(Contact).where(Contact.email1 == ADDRESS)).one()
        assert (contact.first_name, contact.status) == ("Juniper", "new")
        key = str(contact.id)
        on = select(List.name).join(Subscription).where(Subscription.contact_key == key)
        assert db.session.scalars(on).all() == [EVERYBODY]
        event = db.session.scalars(select(SubscriptionEvent).where(SubscriptionEvent.contact_key == key)).one()
        assert (event.way, event.origin[:9]) == ("form", "127.0.0.1")
        sign_up = db.session.scalars(select(SignUp).where(SignUp.address == ADDRESS)).one()
        assert (sign_up.state, sign_up.contact_key) == ("confirmed", key)
    sign_in(page, demo)
    page.get_by_role("link", name="Mailing", exact=True).or_(page.get_by_role("button", name="Mailing")).first.click()
    page.get_by_role("link", name="Sign-ups", exact=True).click()
    page.get_by_role("link", name=EVERYBODY, exact=True).click()
    page.get_by_role("link", name=re.compile("^Confirmed")).click()
    page.get_by_role("link", name=ADDRESS, exact=True).click()
    expect(page.get_by_text(re.compile("may write to me about “The Fernhill catalogue”"))).to_be_visible()
    page.close()


def sign_in(page: Page, demo: Running) -> None:
    page.goto(demo.address + "/")
    page.get_by_label("Name").fill("marketing")
    page.get_by_label("Password").fill("marketing-demo")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1, name="Sign in")).not_to_be_visible()
