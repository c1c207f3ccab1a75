"""The screens of mailings in a real Chromium: a draft, a run watched to its end, times, and life without scripts."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from massmail_plugin import mailings
from massmail_plugin.vocabulary import MessageState
from tests.admin import mailing_rows as make
from tests.admin.conftest import Catalogue, faults
from tests.admin.test_mailings import AT, SECTIONS, fresh


@pytest.mark.parametrize("width", [1280, 390])
def test_the_screens_of_a_draft_are_clean(small_host: Catalogue, open_page: Callable[..., Any], width: int) -> None:
    mailing = make.ready_draft(small_host)
    page = open_page(small_host, width=width)
    for path in ("/", "/new", *(f"/{mailing.id}/{section}" for section in SECTIONS), f"/{mailing.id}/launch"):
        page.goto(AT + path)
        for part in page.query_selector_all("details"):
            part.evaluate("part => part.open = true")
        assert faults(page) == [], path
        assert page.troubles == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("width", [1280, 390])
def test_a_run_is_watched_to_its_end_without_reload(
    small_host: Catalogue, open_page: Callable[..., Any], width: int
) -> None:
    mailing = make.ready_draft(small_host)
    page = open_page(small_host, width=width)
    page.goto(f"{AT}/{mailing.id}/send")
    page.click("text=Send to 2 contacts")
    page.wait_for_selector("dialog[open]")
    assert faults(page) == []
    page.click("dialog >> text=Send to 2 contacts")
    page.wait_for_selector("text=The recipients are being gathered")
    page.evaluate("window.sameDocument = true")
    mailings.fill_launched(small_host.host)
    page.wait_for_selector("text=0 of 2 · 0 %")
    make.settle(small_host, fresh(small_host, mailing.id), [MessageState.SENT])
    page.wait_for_selector("text=1 of 2 · 50 %")
    page.wait_for_selector("#mm-announce:has-text('50 percent')", state="attached")
    page.wait_for_selector("text=Pause")
    assert faults(page) == []
    make.settle(small_host, fresh(small_host, mailing.id), [MessageState.SENT] * 2)
    page.wait_for_selector("text=2 of 2 · 100 %")
    page.wait_for_selector("#mailing-head >> text=Finished")
    assert not page.is_visible("#mailing-head >> text=Pause")
    assert page.get_attribute("#mailing-panel", "hx-trigger") is None
    assert page.evaluate("window.sameDocument"), "nothing was reloaded"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.troubles == []
    page.click("#tile-sent")
    page.wait_for_selector("text=zoe@example.org")
    assert faults(page) == []


def test_times_are_shown_and_taken_in_the_readers_zone(small_host: Catalogue, open_page: Callable[..., Any]) -> None:
    mailing = make.ready_draft(small_host)
    page = open_page(small_host)
    page.goto(f"{AT}/{mailing.id}/schedule")
    assert not page.is_visible("#day")
    page.check("text=At a date and time")
    page.fill("#day", "2026-12-01")
    page.fill("#at", "09:30")
    assert page.input_value("#zone") == "Europe/Rome"
    page.keyboard.press("Control+s")
    page.wait_for_selector("text=Saved: starts 1 Dec 2026, 09:30 CET")
    assert fresh(small_host, mailing.id).scheduled_at == datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
    assert page.input_value("#at") == "09:30"


def test_without_scripts_everything_is_a_page(small_host: Catalogue, open_page: Callable[..., Any]) -> None:
    mailing = make.ready_draft(small_host)
    page = open_page(small_host, scripts=False)
    page.goto(f"{AT}/{mailing.id}/send")
    page.click("text=Send to 2 contacts")
    page.wait_for_url("**/launch")
    page.click("text=Send to 2 contacts")
    page.wait_for_selector("text=It is on its way")
    page.wait_for_selector("text=Refresh")
