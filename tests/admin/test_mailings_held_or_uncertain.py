"""Screens where a person decides: uncertain mails, failed ones, mailings that were held; and modes for staging."""

import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from massmail_plugin.mailings import statistics
from massmail_plugin.models import Campaign, Chunk, Mailing, OutboxMessage
from massmail_plugin.vocabulary import HoldReason, MailingKind, MailingState, MessageState
from tests.admin import mailing_rows as make
from tests.admin.conftest import NOON, Catalogue, faults
from tests.admin.test_mailings import AT, fresh, post

EVIDENCE = "The mail was handed over and no answer came <at all>."


@pytest.fixture
def unsure(small_host: Catalogue) -> Mailing:
    """A run of which three mails are uncertain and the others sent."""
    mailing = make.running(small_host)
    states = [MessageState.UNCERTAIN] * 3 + [MessageState.SENT] * 7
    make.settle(small_host, mailing, states, reply_text=EVIDENCE, handed_at=NOON, due_at=None)
    return mailing


def row(built: Catalogue, mailing: Mailing, position: int) -> OutboxMessage:
    built.host.session.expire_all()
    return make.rows(built, mailing)[position]


# --- uncertain mails ---


def test_the_panel_asks_and_leads_to_what_is_known(small_host: Catalogue, unsure: Mailing) -> None:
    client = small_host.client()
    assert "3 mails are uncertain" in client.get(f"{AT}/{unsure.id}/panel").text
    assert "3 mails are uncertain" in client.get(AT + "/").text
    page = client.get(f"{AT}/{unsure.id}/uncertain").text
    assert page.count("no answer came &lt;at all&gt;") == 3
    for words in ("Zoë", "zoe@example.org", "22 Nov 2026, 12:00 UTC", "Post room", "gets it a second time"):
        assert words in page
    overall = client.get(f"{AT}/uncertain").text
    assert "Spring mailing" in overall
    assert overall.count('name="message"') == 6


def test_one_is_sent_again_and_one_left(small_host: Catalogue, unsure: Mailing) -> None:
    client = small_host.client()
    ids = [one.id for one in make.rows(small_host, unsure)]
    assert "1 mail is sent again." in post(client, f"/{unsure.id}/uncertain/resend", message=ids[0]).text
    assert "send" in small_host.woken
    assert "1 mail is left as it is." in post(client, f"/{unsure.id}/uncertain/leave?all=1", message=ids[1]).text
    assert (row(small_host, unsure, 0).state, row(small_host, unsure, 0).reason) == ("planned", "resent")
    assert row(small_host, unsure, 1).reply_text.endswith("Left as it is by all on 22 Nov 2026 at 12:00 UTC.")
    assert fresh(small_host, unsure.id).state == MailingState.SENDING
    assert "1 mail is uncertain" in client.get(f"{AT}/{unsure.id}").text
    page = client.get(f"{AT}/{unsure.id}/uncertain").text
    assert "Left as it is" in page
    assert "is sent again" in client.get(f"{AT}/{unsure.id}/people/waiting").text
    assert "waits for this decision" in post(client, f"/{unsure.id}/uncertain/resend", message=ids[1]).text


@pytest.mark.parametrize(("choice", "reason"), [("resend", "resent"), ("leave", "left")])
def test_all_of_a_mailing_after_a_question(small_host: Catalogue, unsure: Mailing, choice: str, reason: str) -> None:
    client = small_host.client()
    question = client.get(f"{AT}/{unsure.id}/uncertain/{choice}").text
    assert "all 3 uncertain mails" in question
    assert row(small_host, unsure, 0).reason == "", "asking decides nothing"
    assert "3 mails are" in post(client, f"/{unsure.id}/uncertain/{choice}").text
    assert [row(small_host, unsure, n).reason for n in range(4)] == [reason] * 3 + [""]
    assert "are uncertain" not in client.get(AT + "/").text
    assert client.get(f"{AT}/{unsure.id}/uncertain/{choice}").status_code == 302, "nothing is left to ask"


def test_deciding_is_for_those_who_may_send(small_host: Catalogue, unsure: Mailing) -> None:
    client = small_host.client("writer")
    page = client.get(f"{AT}/{unsure.id}/uncertain").text
    assert "needs the right to send" in page
    assert 'name="message"' not in page
    for choice in ("resend", "leave"):
        assert post(client, f"/{unsure.id}/uncertain/{choice}").status_code == 403
        assert small_host.client().post(f"{AT}/{unsure.id}/uncertain/{choice}").status_code == 400, "no token"
    assert small_host.client("nobody").get(f"{AT}/uncertain").status_code == 403


@pytest.mark.parametrize("message", ["x", "-1", "1 or 1=1", "9" * 40])
def test_a_mail_that_cannot_be_one_decides_nothing(small_host: Catalogue, unsure: Mailing, message: str) -> None:
    answer = post(small_host.client(), f"/{unsure.id}/uncertain/leave", message=message)
    assert answer.status_code in (200, 409)
    assert row(small_host, unsure, 0).reason == ""
    assert post(small_host.client(), f"/{unsure.id}/uncertain/forget").status_code == 404


def test_of_a_cancelled_mailing_one_can_only_leave_them(small_host: Catalogue, unsure: Mailing) -> None:
    unsure.state = MailingState.CANCELLED.value
    small_host.host.session.commit()
    page = small_host.client().get(f"{AT}/{unsure.id}/uncertain").text
    assert "Send all again" not in page
    assert "Cancelled: nothing of it is sent again." in page
    assert "was cancelled" in post(small_host.client(), f"/{unsure.id}/uncertain/resend").text


def test_where_nothing_is_uncertain_the_page_says_what_it_is_for(small_host: Catalogue) -> None:
    assert "Nothing is uncertain" in small_host.client().get(f"{AT}/uncertain").text


@pytest.mark.parametrize("width", [1280, 390])
def test_the_screens_are_clean_and_worked_by_keyboard(
    small_host: Catalogue, unsure: Mailing, open_page: Callable[..., Any], width: int
) -> None:
    page = open_page(small_host, width=width)
    for path in ("/uncertain", f"/{unsure.id}/uncertain", f"/{unsure.id}", f"/{unsure.id}/uncertain/resend"):
        page.goto(AT + path)
        assert faults(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(f"{AT}/{unsure.id}/uncertain")
    page.focus("text=Leave all")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    assert faults(page) == []
    page.focus("dialog >> text=Leave: 3 mails")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=3 mails are left as it is.")
    assert page.troubles == []


# --- failed mails ---


def test_the_failed_are_shown_by_reason_and_exactly_they_are_retried(small_host: Catalogue) -> None:
    mailing = make.running(small_host)
    states = [MessageState.REFUSED] * 5 + [MessageState.SENT] * 5
    make.settle(small_host, mailing, states, reason="refused_by_server", due_at=None)
    for number in range(2):
        row(small_host, mailing, number).reason = "not_retried"
        small_host.host.session.commit()
    statistics.catch_up(small_host.host)
    client = small_host.client()
    page = client.get(f"{AT}/{mailing.id}/people/failed").text
    assert "<strong>3</strong> refused by the mail server" in page
    assert "<strong>2</strong> put off by the server, and not to be tried again by itself" in page
    assert "Retry the 5 failed" in page
    assert "Retry the 5 failed" not in small_host.client("writer").get(f"{AT}/{mailing.id}/people/failed").text
    assert "5 failed mails are tried again" in post(client, f"/{mailing.id}/retry").text
    assert [one.state for one in make.rows(small_host, mailing)] == ["planned"] * 5 + ["sent"] * 5


def test_whether_refusals_are_tried_again_is_a_choice_of_the_draft(small_host: Catalogue) -> None:
    mailing = make.ready_draft(small_host)
    client = small_host.client()
    assert fresh(small_host, mailing.id).retries
    given = {"sender_id": str(mailing.sender_id), "start": "now", "retries": "no", "onward": "1"}
    said = post(client, f"/{mailing.id}/schedule", **given).text
    assert "it counts as failed until you retry it" in said
    assert not fresh(small_host, mailing.id).retries
    form = client.get(f"{AT}/{mailing.id}/schedule").text
    assert re.search(r'<input checked[^>]* name="retries"[^>]* value="no"', form)
    post(client, f"/{mailing.id}/launch", expected="2")
    assert "is not tried again by itself" in client.get(f"{AT}/{mailing.id}").text
    answer = post(client, f"/{mailing.id}/copy").text
    assert "This is a copy" in answer
    copied = small_host.host.session.query(Mailing).order_by(Mailing.id.desc()).first()
    assert copied is not None
    assert not copied.retries


# --- held mailings ---


def held(built: Catalogue, reason: HoldReason, note: str) -> Mailing:
    mailing = make.running(built)
    mailing.state, mailing.hold_reason, mailing.hold_note = MailingState.PAUSED.value, reason.value, note
    built.host.session.commit()
    return mailing


def test_what_is_late_is_said_on_every_screen_and_asks(small_host: Catalogue) -> None:
    mailing = held(small_host, HoldReason.LATE, "Nothing ran from 08:00 to 11:00. Resume it or cancel it.")
    client = small_host.client()
    for path in ("/admin/massmail/", AT + "/", "/admin/massmail/templates/", "/admin/massmail/system/"):
        page = client.get(path).text
        assert "Held: nothing ran when it was due" in page, path
        assert f'href="{AT}/{mailing.id}"' in page, path
    page = client.get(f"{AT}/{mailing.id}").text
    assert "Held: nothing ran" not in page, "on its own page the panel says it"
    assert "Paused: nothing ran when it was due" in page
    assert "Nothing ran from 08:00 to 11:00." in page
    assert ">Resume<" in page
    assert "Cancel the mailing" in page
    assert "Held: nothing ran" not in small_host.client("nobody").get(AT + "/").text
    post(client, f"/{mailing.id}/resume")
    assert "Held: nothing ran" not in client.get(AT + "/").text


def test_a_late_campaign_leads_to_the_campaign(small_host: Catalogue) -> None:
    mailing = held(small_host, HoldReason.LATE, "Nothing ran.")
    campaign = Campaign(name="Welcome", contact_source="contact", created_at=NOON, state="paused")
    small_host.host.session.add(campaign)
    small_host.host.session.flush()
    mailing.kind, mailing.campaign_id = MailingKind.STEP.value, campaign.id
    small_host.host.session.commit()
    page = small_host.client().get(AT + "/").text
    assert f'href="/admin/massmail/campaigns/{campaign.id}">Welcome</a> (campaign)' in page
    assert "<li>Nothing ran.</li>" in small_host.client().get(f"/admin/massmail/campaigns/{campaign.id}").text


def test_crashes_say_what_to_do(small_host: Catalogue) -> None:
    mailing = held(small_host, HoldReason.CRASHED, "A worker died 3 times while it prepared chunk 7 of this mailing.")
    page = small_host.client().get(f"{AT}/{mailing.id}").text
    assert "Paused: workers crashed over it" in page
    assert "chunk 7 of this mailing. Look into the worker" in page


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"MASSMAIL_DRY_RUN": True}, "Dry run: no mail leaves"),
        ({"MASSMAIL_OVERRIDE_RECIPIENT": "qa@example.org"}, "All mail goes to qa@example.org"),
    ],
)
def test_modes_for_staging_are_loud_on_every_screen(
    make_host: Callable[..., Catalogue], setting: dict[str, Any], words: str
) -> None:
    built = make_host("staging", **setting)
    with built.app.app_context():
        mailing = make.running(built)
        for path in ("/admin/massmail/", AT + "/", f"{AT}/{mailing.id}", "/admin/massmail/senders/"):
            assert words in built.client().get(path).text, path
        panel = built.client().get(f"{AT}/{mailing.id}/panel").text
        assert ("reached nobody" in panel) is ("MASSMAIL_DRY_RUN" in setting)


@pytest.mark.parametrize("width", [1280, 390])
def test_banners_are_clean(small_host: Catalogue, open_page: Callable[..., Any], width: int) -> None:
    mailing = held(small_host, HoldReason.LATE, "Nothing ran from 08:00 to 11:00. Resume it or cancel it.")
    page = open_page(small_host, width=width)
    for path in (AT + "/", f"{AT}/{mailing.id}"):
        page.goto(path)
        assert faults(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert page.troubles == []


# --- stopping ---


def test_stopping_waits_until_the_workers_let_go_and_then_knows_the_numbers(small_host: Catalogue) -> None:
    mailing = make.running(small_host)
    small_host.host.session.execute(update(Chunk).values(leased_by="a worker:1"))
    small_host.host.session.commit()

    def let_go() -> None:
        time.sleep(0.3)
        with small_host.app.app_context():
            make.settle(small_host, mailing, [MessageState.SENT])
            small_host.host.session.execute(update(Chunk).values(leased_by=None))
            small_host.host.session.commit()

    mailing_id = mailing.id
    small_host.host.session.commit()
    worker = threading.Thread(target=let_go)
    worker.start()
    said = post(small_host.client(), f"/{mailing_id}/pause").text
    worker.join(10)
    assert "Paused. 1 mail had been sent; 9 wait." in said


def test_a_worker_that_does_not_let_go_is_said(small_host: Catalogue) -> None:
    mailing = make.running(small_host)
    small_host.host.session.execute(update(Chunk).values(leased_by="a worker:1"))
    small_host.host.session.commit()
    began = time.monotonic()
    said = post(small_host.client(), f"/{mailing.id}/pause").text
    assert time.monotonic() - began < 5
    assert "Paused. 0 mails had been sent; up to 10 more are on their way and still get their answer." in said
