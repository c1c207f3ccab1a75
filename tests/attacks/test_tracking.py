"""Requests for the pixel and for links as nobody's mail program makes them: all are answered, none counts for more."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from massmail_plugin import feedback
from massmail_plugin.models import Event, OutboxMessage, OutcomeReport
from tests.attacks.crm import BROWSER, Crm

ANNA = "anna@example.org"
PERSON = {"User-Agent": BROWSER, "Accept-Language": "en"}
ODD = [
    ("HEAD", {}, 0),
    ("GET", {"Range": "bytes=0-10"}, 0),
    ("GET", {"Sec-Purpose": "prefetch;prerender"}, 0),
    ("GET", {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}, 0),
    ("GET", {"User-Agent": ""}, 0),
    ("GET", {"User-Agent": "x" * 50_000}, 1),
    ("GET", {"User-Agent": "\x7f\xff<script>alert(1)</script>'; DROP TABLE massmail_event; --"}, 1),
]
"""Method, headers, and how many hits count as a person's: mail programs may have any name, browsers may not."""


def addresses(crm: Crm) -> dict[str, int]:
    """Of the pixel and of a link, with the status each is answered with."""
    token = crm.token(ANNA)
    return {f"/m/o/{token}.gif": 200, f"/m/c/{token}/1": 302}


def drain(crm: Crm) -> None:
    with crm.app.app_context():
        feedback.drain(crm.host, wait=timedelta(0))


def by_people(crm: Crm) -> int:
    with crm.app.app_context():
        found = select(func.count()).select_from(Event).where(Event.by_machine.is_(False))
        return crm.host.session.scalar(found) or 0


def sent_long_ago(crm: Crm) -> None:
    """So that nothing comes too soon after the mail left."""
    with crm.app.app_context():
        at = crm.host.clock() - timedelta(days=1)
        crm.host.session.execute(update(OutboxMessage).values(handed_at=at))
        crm.host.session.commit()


@pytest.mark.parametrize(("method", "headers", "opens"), ODD)
def test_odd_requests_are_answered_and_no_click_counts(
    crm: Crm, method: str, headers: dict[str, str], opens: int
) -> None:
    sent_long_ago(crm)
    drain(crm)
    before = by_people(crm)
    for address, status in addresses(crm).items():
        answer = crm.app.test_client().open(address, method=method, headers={**PERSON, **headers})
        assert answer.status_code == status
    drain(crm)
    assert by_people(crm) == before + opens


def test_a_copy_in_hand_is_answered_all_the_same(crm: Crm) -> None:
    """Nothing of it may be kept, so there is nothing to be asked about."""
    for address, status in addresses(crm).items():
        asked = {**PERSON, "If-Modified-Since": "Mon, 02 Mar 2026 09:00:00 GMT", "If-None-Match": '"x"'}
        answer = crm.app.test_client().get(address, headers=asked)
        assert answer.status_code == status
        assert "no-store" in answer.headers["Cache-Control"]


def test_many_at_once_are_one_reader(crm: Crm) -> None:
    wanted = addresses(crm)
    answers: list[int] = []

    def visit() -> None:
        client = crm.app.test_client()
        answers.extend(client.get(address, headers=PERSON).status_code for address in wanted)

    threads = [threading.Thread(target=visit) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] * 10 + [302] * 10
    drain(crm)
    with crm.app.app_context():
        of_anna = OutboxMessage.address == ANNA, OutboxMessage.mailing_id == crm.ids["mailing_id"]
        reports = select(OutcomeReport.outcome).join(OutboxMessage, OutboxMessage.id == OutcomeReport.message_id)
        found = crm.host.session.scalars(reports.where(*of_anna, OutcomeReport.outcome.in_(["read", "clicked"])))
        assert sorted(found) == ["clicked", "read"]
