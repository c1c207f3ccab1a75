"""The recipients' pages in a real Chromium without JavaScript: every state, phone and desk, keyboard, axe."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page
from sqlalchemy import select
from werkzeug.serving import make_server

from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import List, OutboxMessage, Topic
from massmail_plugin.upkeep.contacts import retire_contact
from massmail_plugin.vocabulary import GONE
from tests.public.mailed_host import ANN, BEN, EVE, MailedHost, mailed_host

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[MailedHost, str]]:
    app = Flask("browsed")
    # A file, for the server's threads and the test must not share one connection.
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path / 'host.sqlite3'}"
    mailed = mailed_host(app)
    mailed.host.hooks.page_context = lambda: {
        "organisation": "Fernhill Supplies",
        "accent": "#0b665c",
        "postal_address": "Fernhill Supplies, 12 Mill Lane, Brookford",
    }
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with app.app_context():
        buying = Topic(name="buying", public_name="Buying at Fernhill", description="Prices, and what is new.")
        mailed.host.session.get_one(List, mailed.list_id("offers")).topic = buying
        mailed.host.session.commit()
        yield mailed, f"http://127.0.0.1:{server.port}/m"
    server.shutdown()
    server.server_close()


def look(page: Page, name: str, words: str) -> None:
    """As `sees`, and axe is content."""
    sees(page, name, words)
    page.wait_for_load_state()
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
    assert found.violations_count == 0, found.generate_report()


def sees(page: Page, name: str, words: str) -> None:
    """The page that says `words`: nothing overflows, buttons are big enough; a picture if wanted."""
    page.get_by_text(words, exact=True).wait_for()
    fits(page, name)


def fits(page: Page, name: str) -> None:
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    heights = page.eval_on_selector_all("button", "all => all.map(one => one.getBoundingClientRect().height)")
    assert all(height >= 44 for height in heights)
    folder = os.environ.get("MASSMAIL_SCREENSHOTS")
    if folder:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=Path(folder) / f"public-{name}-{width}.png", full_page=True)


WIDTHS = (1280, 390, 320)


def look_at_all_widths(page: Page, name: str, words: str) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 700})
        fits(page, name)
    look(page, name, words)


def test_every_state_of_the_pages(site: tuple[MailedHost, str], browser: Browser) -> None:
    mailed, root = site
    # axe needs scripts of its own; what the pages need is tested without any below.
    page = browser.new_page(bypass_csp=True)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    elsewhere: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(root) else elsewhere.append(request.url))
    page.goto(f"{root}/u/{mailed.token(ANN)}")
    look_at_all_widths(page, "ask", "Unsubscribe from “Monthly news” and “Offers & <deals>”?")
    page.get_by_role("button", name="Unsubscribe", exact=True).click()
    look_at_all_widths(page, "done", "You are unsubscribed")
    page.get_by_label("There are too many mails").check()
    page.get_by_label("What else you would like to say").fill("One a month would do.")
    page.get_by_role("button", name="Send the answer").click()
    sees(page, "thanks", "Thank you for your answer")
    page.goto(f"{root}/u/{mailed.token(ANN)}")
    look(page, "already-out", "You are already unsubscribed")
    page.get_by_role("button", name="Get these mails again").click()
    sees(page, "back", "You are subscribed again")
    page.get_by_role("link", name="Choose lists, get fewer mails, or take a break").click()
    look_at_all_widths(page, "preferences", "Your mails from Fernhill Supplies")
    page.get_by_label("Offers & <deals>").uncheck()
    page.get_by_label("At most one mail a month").check()
    page.get_by_role("button", name="Italiano").click()
    look_at_all_widths(page, "preferences-it", "Le tue email da Fernhill Supplies")
    page.get_by_role("button", name="Salva").click()
    sees(page, "saved", "Salvato. Ti scriveremo secondo le scelte qui sotto.")
    assert page.get_by_label("Al massimo un’email al mese").is_checked()
    page.get_by_label("Fai una pausa").select_option("3")
    page.get_by_role("button", name="Salva").click()
    sees(page, "paused", "Salvato. Non riceverai email da noi fino al giorno 10 giugno 2026.")
    page.get_by_role("button", name="English").click()
    page.get_by_role("button", name="Stop all mails").click()
    look(page, "stopped", "Saved. You will get no more mails from us.")
    page.get_by_role("button", name="Undo").click()
    sees(page, "back-from-everything", "You are subscribed again")
    page.goto(f"{root}/u/{mailed.token(BEN, test=True)}")
    sees(page, "ask-everything", "Stop all mails from Fernhill Supplies?")
    page.get_by_role("button", name="Stop all mails").click()
    sees(page, "test-mail", "This link came in a test mail, so nothing was changed.")
    page.goto(f"{root}/u/broken")
    look_at_all_widths(page, "broken", "This link does not work")
    page.get_by_label("Your e-mail address").fill("ann@example.org")
    page.get_by_role("button", name="Send me the link").click()
    look(page, "asked", "Look into your mailbox")
    retire_contact(mailed.host, EVE)
    mailed.host.session.commit()
    page.goto(f"{root}/u/{mailed.token(ContactRef('people', gone_key(mailed)))}")
    look(page, "gone", "Nothing is sent to you any more")
    page.close()
    assert [text for text in said if "404" not in text] == []
    assert [url for url in elsewhere if not url.endswith("/favicon.ico")] == []


def gone_key(mailed: MailedHost) -> str:
    """Under which the rows of the contact who is gone stand."""
    keys = select(OutboxMessage.contact_key).where(OutboxMessage.contact_key.startswith(GONE))
    return mailed.host.session.scalars(keys.distinct()).one()


def test_every_language_fits_a_small_screen(site: tuple[MailedHost, str], browser: Browser) -> None:
    mailed, root = site
    page = browser.new_page(viewport={"width": 320, "height": 700})
    for language in ("de", "es", "fr", "it"):
        for where in (f"u/{mailed.token(ANN)}", f"p/{mailed.token(ANN)}", f"u/{mailed.token(EVE)}", "u/broken"):
            page.goto(f"{root}/{where}?lang={language}")
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (language, where)
            assert page.locator("html").get_attribute("lang") == language
            if "u/" in where and page.get_by_role("button").count() > 1:
                heights = page.eval_on_selector_all(
                    ".sheet button", "all => all.map(one => one.getBoundingClientRect().height)"
                )
                assert all(height >= 44 for height in heights)
    page.close()


def test_inside_the_layout_of_the_host(tmp_path: Path, browser: Browser) -> None:
    """A layout with styles of its own, narrow and wide; the page keeps its shape, and axe is content."""
    (tmp_path / "shop.html").write_text(
        '<!doctype html><html lang="{{ _.tag }}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>{% block title %}{% endblock %}</title>"
        "<style>body { margin: 0; font: 15px serif } button { text-transform: uppercase; width: 33% } "
        "label { display: block; margin: 2rem } h1 { font-size: 4rem }</style>{% block head %}{% endblock %}</head>"
        "<body><header><p>The shop</p></header><main>{% block content %}{% endblock %}</main></body></html>"
    )
    app = Flask("dressed", template_folder=str(tmp_path))
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path / 'host.sqlite3'}"
    mailed = mailed_host(app, config={"public_layout": "shop.html"})
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with app.app_context():
        page = browser.new_page(bypass_csp=True)
        page.goto(f"http://127.0.0.1:{server.port}/m/p/{mailed.token(ANN)}?lang=de")
        page.get_by_text("The shop").wait_for()
        look_at_all_widths(page, "in-a-layout", "Ihre E-Mails von Fernhill Supplies")
        page.close()
    server.shutdown()
    server.server_close()


def test_leaving_and_coming_back_by_keyboard_without_scripts(site: tuple[MailedHost, str], browser: Browser) -> None:
    mailed, root = site
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 600})
    page = context.new_page()
    page.goto(f"{root}/u/{mailed.token(ANN)}")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="You are unsubscribed").wait_for()
    assert mailed.lists_of(ANN) == ["events"]
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="You are subscribed again").wait_for()
    mailed.host.session.expire_all()
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]
    page.goto(f"{root}/p/{mailed.token(ANN)}")
    for key in ("Tab", "Space", "Tab", "Tab", "Tab", "Tab", "ArrowDown"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.get_by_text("Saved. We write to you as chosen below.").wait_for()
    mailed.host.session.expire_all()
    assert mailed.lists_of(ANN) == ["events", "news"]
    assert page.get_by_label("At most one mail a week").is_checked()
    context.close()
