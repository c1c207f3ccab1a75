"""The recipients' pages in a real Chromium without JavaScript: every state, phone and desk, keyboard, axe."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

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
        yield mailed, f"http://127.0.0.1:{server.port}/m"
    server.shutdown()
    server.server_close()


def look(page: Page, name: str, words: str) -> None:
    """The page that says `words`: nothing overflows, buttons are big enough, axe is content; a picture if wanted."""
    page.get_by_text(words, exact=True).wait_for()
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    heights = page.eval_on_selector_all("button", "all => all.map(one => one.getBoundingClientRect().height)")
    assert all(height >= 44 for height in heights)
    page.wait_for_load_state()
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
    assert found.violations_count == 0, found.generate_report()
    folder = os.environ.get("MASSMAIL_SCREENSHOTS")
    if folder:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=Path(folder) / f"public-{name}-{width}.png", full_page=True)


@pytest.mark.parametrize("width", [320, 1280])
def test_every_state_of_the_pages(site: tuple[MailedHost, str], browser: Browser, width: int) -> None:
    mailed, root = site
    # axe needs scripts of its own; what the pages need is tested without any below.
    page = browser.new_page(viewport={"width": width, "height": 700}, bypass_csp=True)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    elsewhere: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(root) else elsewhere.append(request.url))
    page.goto(f"{root}/u/{mailed.token(ANN)}")
    look(page, "ask", "Unsubscribe from “Monthly news” and “Offers & <deals>”?")
    page.get_by_role("button", name="Unsubscribe", exact=True).click()
    look(page, "done", "You are unsubscribed")
    page.goto(f"{root}/u/{mailed.token(ANN)}")
    look(page, "already-out", "You are already unsubscribed")
    page.get_by_role("button", name="Get these mails again").click()
    look(page, "back", "You are subscribed again")
    page.get_by_role("link", name="Choose which mails you get").click()
    look(page, "preferences", "Your mails from Fernhill Supplies")
    page.get_by_label("Offers & <deals>").uncheck()
    page.get_by_role("button", name="Save").click()
    look(page, "saved", "Saved. We write to you as ticked below.")
    page.get_by_role("button", name="Stop all mails").click()
    look(page, "stopped", "Saved. You will get no more mails from us.")
    page.goto(f"{root}/u/{mailed.token(ANN)}")
    look(page, "already-out-of-everything", "You are already unsubscribed")
    page.goto(f"{root}/u/{mailed.token(BEN, test=True)}")
    look(page, "ask-everything", "Stop all mails from Fernhill Supplies?")
    page.get_by_role("button", name="Stop all mails").click()
    look(page, "test-mail", "This link came in a test mail, so nothing was changed.")
    page.goto(f"{root}/p/{mailed.token(EVE, test=True)}")
    look(page, "preferences-test-mail", "Your mails from Fernhill Supplies")
    page.goto(f"{root}/u/broken")
    look(page, "broken", "This link does not work")
    page.close()
    assert [text for text in said if "404" not in text] == []
    assert [url for url in elsewhere if not url.endswith("/favicon.ico")] == []


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
    context.close()
