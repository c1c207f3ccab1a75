"""The system and overview screens: loud where nothing is sent, open with Redis down."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from massmail_plugin.contracts import QueueState
from massmail_plugin.models import Chunk, List, Mailing, OutboxMessage, OutcomeReport
from tests.admin.conftest import NOON, Catalogue, faults

OVERVIEW, SYSTEM = "/admin/massmail/", "/admin/massmail/system/"


@pytest.fixture
def report(small_host: Catalogue) -> OutcomeReport:
    """An outcome whose delivery failed twice."""
    session = small_host.host.session
    mailing = Mailing(name="Winter fair", contact_source="contact", created_at=NOON, state="sending", launched_at=NOON)
    session.add(mailing)
    session.flush()
    session.add(Chunk(mailing_id=mailing.id, number=0, sent=812, planned=472))
    message = OutboxMessage(
        mailing_id=mailing.id,
        chunk=0,
        contact_source="contact",
        contact_key="1",
        address_role="main",
        address="zoe@example.org",
    )
    session.add(message)
    session.flush()
    made = OutcomeReport(
        message_id=message.id,
        mailing_id=mailing.id,
        contact_source="contact",
        contact_key="1",
        outcome="read",
        at=NOON,
        attempts=2,
        due_at=NOON + timedelta(hours=1),
        problem="Traceback\nRuntimeError: <script>busy</script>",
    )
    session.add(made)
    session.commit()
    return made


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (QueueState(False, 0, 0, "Connection refused"), "The job queue does not answer"),
        (QueueState(True, 0, 3), "No worker is running"),
    ],
)
def test_nothing_being_sent_is_loud(small_host: Catalogue, state: QueueState, words: str) -> None:
    small_host.queue["now"] = state
    for address in (OVERVIEW, SYSTEM):
        assert small_host.client().get(address).status_code == 200
    assert words in small_host.client().get(OVERVIEW).text


def test_the_overview_counts_from_rows(small_host: Catalogue, report: OutcomeReport) -> None:
    page = small_host.client().get(OVERVIEW).text
    assert "812 of 1,284" in page
    small_host.host.session.add(List(name="News", created_at=NOON))
    small_host.host.session.commit()
    assert "1 of 4 done" in small_host.client().get(OVERVIEW).text


def test_links_lead_only_where_one_may_go(small_host: Catalogue) -> None:
    assert "/senders/new" in small_host.client("all").get(OVERVIEW).text
    assert "/senders/new" not in small_host.client("writer").get(OVERVIEW).text


def test_outcomes_on_their_way_are_counted(small_host: Catalogue, report: OutcomeReport) -> None:
    page = small_host.client().get(SYSTEM).text
    assert "1 waiting, 1 of them failed before" in page
    assert "/outcomes/" in page


def test_the_system_is_not_for_writers(small_host: Catalogue) -> None:
    assert small_host.client("writer").get(SYSTEM).status_code == 403


@pytest.mark.parametrize("width", [1280, 390])
def test_the_system_is_clean(
    small_host: Catalogue, report: OutcomeReport, open_page: Callable[..., Any], width: int
) -> None:
    page = open_page(small_host, width=width)
    page.goto(SYSTEM)
    assert faults(page) == []
    assert page.troubles == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
