"""Outcomes that failed: shown with the traceback and the contact, tried again one or all, set aside."""

from collections.abc import Callable
from typing import Any

import pytest

from massmail_plugin.models import OutcomeReport
from tests.admin.conftest import NOON, Catalogue, faults, form_of
from tests.admin.test_system import report

__all__ = ["report"]

OUTCOMES = "/admin/massmail/outcomes/"


def now(small_host: Catalogue, made: OutcomeReport) -> OutcomeReport:
    small_host.host.session.rollback()
    return small_host.host.session.get_one(OutcomeReport, made.id, populate_existing=True)


def test_nothing_failed_is_said(small_host: Catalogue) -> None:
    assert "No outcome has failed" in small_host.client().get(OUTCOMES).text


def test_a_failure_is_shown_with_contact_mailing_and_traceback(small_host: Catalogue, report: OutcomeReport) -> None:
    page = small_host.client().get(OUTCOMES).text
    assert "RuntimeError: &lt;script&gt;busy" in page
    assert "Zoë" in page
    assert "Winter fair" in page
    assert "Setting the status" in page
    detail = small_host.client().get(f"{OUTCOMES}{report.id}").text
    assert "Traceback" in detail


def test_one_is_tried_again_or_all(small_host: Catalogue, report: OutcomeReport) -> None:
    client = small_host.client()
    form = form_of(client.get(OUTCOMES).text)
    client.post(f"{OUTCOMES}{report.id}/retry", data=form)
    assert now(small_host, report).due_at == NOON
    client.post(f"{OUTCOMES}retry", data=form)
    assert small_host.woken == ["outcomes", "outcomes"]
    assert client.post(f"{OUTCOMES}retry").status_code == 400


def test_it_is_set_aside_after_a_question(small_host: Catalogue, report: OutcomeReport) -> None:
    client = small_host.client()
    address = f"{OUTCOMES}{report.id}/set-aside"
    page = client.get(address).text
    assert "Set this outcome aside?" in page
    assert now(small_host, report).state == "waiting"
    client.post(address, data=form_of(page))
    assert now(small_host, report).state == "set_aside"
    assert "It was set aside" in client.get(f"{OUTCOMES}{report.id}").text


@pytest.mark.parametrize("path", ["", "1", "1/set-aside"])
def test_it_is_not_for_writers(small_host: Catalogue, report: OutcomeReport, path: str) -> None:
    assert small_host.client("writer").get(OUTCOMES + path).status_code == 403


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["", "1", "1/set-aside"])
def test_the_pages_are_clean(
    small_host: Catalogue, report: OutcomeReport, open_page: Callable[..., Any], path: str, width: int
) -> None:
    page = open_page(small_host, width=width)
    page.goto(OUTCOMES + path)
    assert faults(page) == []
    assert page.troubles == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
