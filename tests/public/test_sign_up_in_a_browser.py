"""Signing up in a real Chromium: phone and desk, every state, axe; by keyboard alone without JavaScript."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from massmail_plugin.public.sign_up_pages import TRAP
from tests.public.signing_host import SigningHost, signing_host

PHONE = 320
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[SigningHost, str]]:
    app = Flask("signed")
    # A file, for the server's threads and the test must not share one connection.
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path / 'host.sqlite3'}"
    signing = signing_host(app)
    signing.host.hooks.page_context = lambda: {"organisation": "Fernhill Supplies", "accent": "#0b665c"}
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with app.app_context():
        yield signing, f"http://127.0.0.1:{server.port}"
    server.shutdown()
    server.server_close()


def look(page: Page, name: str, words: str) -> None:
    """The page that says `words`: nothing overflows, buttons are big enough, axe is content; a picture if wanted."""
    page.get_by_text(words, exact=True).first.wait_for()
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
    heights = page.eval_on_selector_all("button", "all => all.map(one => one.getBoundingClientRect().height)")
    assert all(height >= 44 for height in heights)
    width = page.viewport_size["width"] if page.viewport_size else 0
    if width == PHONE:
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
        assert found.violations_count == 0, found.generate_report()
    folder = os.environ.get("MASSMAIL_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"sign-up-{name}-{width}.png", full_page=True)


def test_every_state_on_phone_and_desk(site: tuple[SigningHost, str], browser: Browser) -> None:
    signing, root = site
    for width, address in ((PHONE, "phone"), (1280, "desk")):
        # axe needs scripts of its own; what the pages need is tested without any below.
        page = browser.new_page(viewport={"width": width, "height": 700}, bypass_csp=True)
        said: list[str] = []
        page.on("console", lambda message, said=said: said.append(message.text) if message.type == "error" else None)  # type: ignore[misc]
        page.goto(root + signing.form)
        assert not page.locator(f"#{TRAP}").is_visible() or page.locator(f"#{TRAP}").bounding_box()["x"] < 0  # type: ignore[index]
        look(page, "form", "Monthly news")
        signing.wait(seconds=20)
        page.get_by_role("button", name="Sign up").click()
        look(page, "faults", "Enter your e-mail address.")
        page.get_by_label("Your e-mail address").fill(f"{address}@gmial.com")
        page.get_by_label("Your name").fill("Zoë")
        page.get_by_role("button", name="Sign up").click()
        look(page, "slip", f"Did you mean {address}@gmail.com?")
        page.get_by_role("button", name="Yes, use this address").click()
        look(page, "mailbox", "Look into your mailbox")
        row = signing.rows()[-1]
        assert (row.address, row.values) == (f"{address}@gmail.com", {"name": "Zoë"})
        page.goto(root + signing.confirmation(row))
        look(page, "confirm", "Do you want “Monthly news”?")
        page.get_by_role("button", name="Yes, I want it").click()
        look(page, "confirmed", "You have confirmed")
        assert signing.rows()[-1].state == "confirmed"
        page.close()
        assert [text for text in said if "422" not in text and "404" not in text] == []


def test_by_keyboard_without_scripts(site: tuple[SigningHost, str], browser: Browser) -> None:
    signing, root = site
    context = browser.new_context(java_script_enabled=False, viewport={"width": PHONE, "height": 600})
    page = context.new_page()
    page.goto(root + signing.form)
    page.keyboard.press("Tab")
    page.keyboard.type("zoe@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type("Zoë")
    signing.wait(seconds=20)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Look into your mailbox").wait_for()
    (row,) = signing.rows()
    assert row.values == {"name": "Zoë"}
    page.goto(root + signing.confirmation(row))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="You have confirmed").wait_for()
    context.close()
