"""The screens of mailings: from a name to a finished run, what each person may do, and what bad input gets."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select

from massmail_plugin import mailings
from massmail_plugin.contracts import QueueState
from massmail_plugin.mailings import statistics
from massmail_plugin.models import Mailing, OutboxMessage
from massmail_plugin.vocabulary import EventKind, MailingKind, MailingState, MessageState
from tests.admin import mailing_rows as make
from tests.admin.conftest import Catalogue, form_of

AT = "/admin/massmail/mailings"
SECTIONS = ("message", "recipients", "schedule", "check", "send")


def post(client: Any, path: str, **values: Any) -> Any:
    """A POST as our own page makes it, followed to the page it leads to."""
    token = form_of(client.get(f"{AT}/new").text)
    return client.post(AT + path, data={**token, **values}, follow_redirects=True)


def fresh(built: Catalogue, mailing_id: int) -> Mailing:
    built.host.session.expire_all()
    return built.host.session.get_one(Mailing, mailing_id)


def count(built: Catalogue, mailing_id: int) -> int:
    query = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.mailing_id == mailing_id)
    return built.host.session.scalar(query) or 0


# --- drafts ---


def test_the_empty_list_offers_the_first_step(small_host: Catalogue) -> None:
    page = small_host.client().get(AT + "/").text
    assert "No mailings yet" in page
    assert "Prepare the first one" in page


def test_a_draft_is_made_section_by_section(small_host: Catalogue) -> None:
    sender, template, list_ = make.add_sender(small_host), make.add_template(small_host), make.add_list(small_host)
    client = small_host.client()
    assert "Needs attention" in post(client, "/new", name="Spring mailing").text
    mailing = small_host.host.session.scalars(select(Mailing)).one()
    assert mailing.address_roles == ["main"]
    said = post(client, f"/{mailing.id}/message", name="Spring", template_id=template.id, onward="1").text
    assert "Who will get it" in said, "the main button goes on to the next section"
    said = post(client, f"/{mailing.id}/recipients", list_ids=list_.id, criterion_id="", one_per_address="y").text
    assert "will get it" in said
    assert "Narrows the lists" in said, "the other button stays"
    said = post(client, f"/{mailing.id}/schedule", sender_id=sender.id, start="now", onward="1").text
    assert "Nothing stands in the way" in said
    assert "Send to 2 contacts" in client.get(f"{AT}/{mailing.id}/send").text


def test_send_stays_disabled_and_says_why(small_host: Catalogue) -> None:
    mailing = mailings.create(small_host.host, name="Empty", contact_source="contact", by="all")
    small_host.host.session.commit()
    page = small_host.client().get(f"{AT}/{mailing.id}/send").text
    assert "No list is chosen." in page
    assert '<button class="mm-button mm-button-main" disabled' in page
    said = post(small_host.client(), f"/{mailing.id}/launch", expected="0").text
    assert "No list is chosen." in said
    assert fresh(small_host, mailing.id).state == MailingState.DRAFT


def test_nobody_to_receive_it_is_said_with_a_way_out(small_host: Catalogue) -> None:
    mailing = make.ready_draft(small_host)
    nobody = make.add_list(small_host, "Nobody", people=False)
    said = post(small_host.client(), f"/{mailing.id}/recipients", list_ids=nobody.id, criterion_id="").text
    assert "Nobody would get it" in said
    assert "Nobody would receive it" in small_host.client().get(f"{AT}/{mailing.id}/send").text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("from_address", "a@b.example, c@d.example", "address"),
        ("from_name", "Us\r\nBcc: them@example.org", "control character"),
        ("name", "", "Give the mailing a name."),
        ("status-sent", "status:no such", "is not a status"),
        ("template_id", "999", "Not a valid choice"),
    ],
)
def test_a_bad_message_is_refused_in_words(small_host: Catalogue, field: str, value: str, words: str) -> None:
    mailing = make.ready_draft(small_host)
    given = {"name": "Other", "template_id": str(mailing.template_id), field: value}
    answer = post(small_host.client(), f"/{mailing.id}/message", **given)
    assert answer.status_code == 422
    assert words in answer.text
    assert fresh(small_host, mailing.id).name == "Spring mailing"


def test_statuses_are_the_hosts_as_usual_or_left(small_host: Catalogue) -> None:
    mailing = make.ready_draft(small_host)
    client = small_host.client()
    page = client.get(f"{AT}/{mailing.id}/message").text
    assert "As usual: mailed" in page
    assert "As usual: leave it" in page
    assert '<option value="status:removed">removed</option>' in page
    given = {"name": "M", "template_id": str(mailing.template_id), "status-sent": "leave", "status-read": "status:new"}
    post(client, f"/{mailing.id}/message", **given)
    assert fresh(small_host, mailing.id).statuses == {"sent": None, "read": "new"}


def test_tracking_is_switched_off_with_a_tick(small_host: Catalogue) -> None:
    mailing = make.ready_draft(small_host)
    client = small_host.client()
    given = {"name": "M", "template_id": str(mailing.template_id)}
    post(client, f"/{mailing.id}/message", **given, untracked="y")
    assert not fresh(small_host, mailing.id).tracking
    assert re.search(
        r'name="untracked"[^>]* checked|checked[^>]* name="untracked"', client.get(f"{AT}/{mailing.id}/message").text
    )
    assert "Tracking is off" in client.get(f"{AT}/{mailing.id}/check").text
    post(client, f"/{mailing.id}/message", **given)
    assert fresh(small_host, mailing.id).tracking


@pytest.mark.parametrize(
    ("day", "at", "zone", "moment"),
    [
        ("2026-12-01", "09:30", "Europe/Rome", datetime(2026, 12, 1, 8, 30, tzinfo=UTC)),
        ("2026-12-01", "09:30", "UTC", datetime(2026, 12, 1, 9, 30, tzinfo=UTC)),
        ("2027-07-01", "09:30", "America/New_York", datetime(2027, 7, 1, 13, 30, tzinfo=UTC)),
        ("2027-03-28", "02:30", "Europe/Rome", "the clocks go forward"),
        ("2026-12-01", "09:30", "Mars/Olympus", "does not know the time zone"),
        ("2026-11-22", "11:00", "UTC", "That moment is over"),
        ("", "11:00", "UTC", "Enter a date and a time"),
    ],
)
def test_a_time_is_taken_in_its_zone(small_host: Catalogue, day: str, at: str, zone: str, moment: Any) -> None:
    mailing = make.ready_draft(small_host)
    answer = post(small_host.client(), f"/{mailing.id}/schedule", sender_id="", start="at", day=day, at=at, zone=zone)
    if isinstance(moment, str):
        assert answer.status_code == 422
        assert moment in answer.text
    else:
        assert fresh(small_host, mailing.id).scheduled_at == moment
        assert f"{moment:%H:%M} UTC" in answer.text


def test_copy_and_delete(small_host: Catalogue) -> None:
    mailing = make.ready_draft(small_host)
    client = small_host.client()
    assert "This is a copy" in post(client, f"/{mailing.id}/copy").text
    assert client.get(f"{AT}/{mailing.id}/delete").text.count("Delete draft") == 1
    assert fresh(small_host, mailing.id), "asking deletes nothing"
    post(client, f"/{mailing.id}/delete")
    names = small_host.host.session.scalars(select(Mailing.name)).all()
    assert names == ["Copy of Spring mailing"]


def test_a_test_mail_is_a_mailing_of_its_own(small_host: Catalogue) -> None:
    mailing = make.ready_draft(small_host)
    client = small_host.client()
    assert "Nobody is called" in post(client, f"/{mailing.id}/test", addresses="me@example.org", contact="Nemo").text
    assert "me@" in post(client, f"/{mailing.id}/test", addresses="me@", contact="").text
    said = post(client, f"/{mailing.id}/test", addresses="me@example.org, you@example.org", contact="Ada").text
    assert "The test is on its way" in said
    test = small_host.host.session.scalars(select(Mailing).where(Mailing.kind == MailingKind.TEST)).one()
    assert [row.contact_key for row in make.rows(small_host, test)] == ["2", "2"]
    assert "Test of Spring letter" not in client.get(AT + "/").text
    assert "Test of Spring letter" in client.get(AT + "/?tests=1").text


# --- launch ---


def test_the_question_names_everything(small_host: Catalogue) -> None:
    mailing = make.ready_draft(small_host)
    for headers in ({}, {"X-Massmail-Dialog": "1"}):
        page = small_host.client().get(f"{AT}/{mailing.id}/launch", headers=headers).text
        for words in ("Spring mailing", "Spring is near", "news@fernhill.example", "Send to 2 contacts", "At once"):
            assert words in page
        assert ("<main" in page) is not bool(headers)


def test_two_clicks_make_one_run(small_host: Catalogue) -> None:
    mailing = make.ready_draft(small_host)
    client = small_host.client()
    assert "It is on its way" in post(client, f"/{mailing.id}/launch", expected="2").text
    assert small_host.woken == ["fill"]
    second = post(client, f"/{mailing.id}/launch", expected="2")
    assert second.status_code == 200
    assert "was launched already. It is not sent twice." in second.text
    assert mailings.fill_launched(small_host.host) == 1
    assert mailings.fill_launched(small_host.host) == 0
    assert count(small_host, mailing.id) == 2


def test_a_number_that_changed_is_asked_again(small_host: Catalogue) -> None:
    mailing = make.ready_draft(small_host)
    answer = post(small_host.client(), f"/{mailing.id}/launch", expected="5")
    assert answer.status_code == 422
    assert "it was 5, now it is 2" in answer.text
    assert fresh(small_host, mailing.id).state == MailingState.DRAFT


def test_a_large_number_is_typed(make_host: Callable[..., Catalogue]) -> None:
    built = make_host("large", MASSMAIL_CONFIRM_ABOVE=2)
    with built.app.app_context():
        mailing = make.ready_draft(built)
        client = built.client()
        assert "Type 2 to confirm" in client.get(f"{AT}/{mailing.id}/launch").text
        assert post(client, f"/{mailing.id}/launch", expected="2", typed="3").status_code == 422
        assert fresh(built, mailing.id).state == MailingState.DRAFT
        assert "It is on its way" in post(client, f"/{mailing.id}/launch", expected="2", typed=" 2 ").text


def test_what_was_launched_is_locked(small_host: Catalogue) -> None:
    mailing = make.running(small_host)
    for section in SECTIONS:
        said = small_host.client().get(f"{AT}/{mailing.id}/{section}", follow_redirects=True).text
        assert "was launched, so it can no longer be changed" in said
    assert "no longer be changed" in post(small_host.client(), f"/{mailing.id}/message", name="x").text


def test_a_scheduled_one_can_become_a_draft_again(small_host: Catalogue) -> None:
    mailing = make.ready_draft(small_host)
    mailing.scheduled_at = small_host.host.clock() + timedelta(hours=3)
    small_host.host.session.commit()
    client = small_host.client()
    assert "Schedule for 2 contacts" in client.get(f"{AT}/{mailing.id}/send").text
    assert "starts" in post(client, f"/{mailing.id}/launch", expected="2").text
    assert "It is a draft again" in post(client, f"/{mailing.id}/unschedule").text
    assert fresh(small_host, mailing.id).state == MailingState.DRAFT


# --- who may ---


def test_a_writer_prepares_and_reads_who_can_send(small_host: Catalogue) -> None:
    mailing = make.ready_draft(small_host)
    client = small_host.client("writer")
    page = client.get(f"{AT}/{mailing.id}/send").text
    assert "You cannot send this yourself" in page
    assert "whoever manages the accounts of Small host" in page
    assert "Send to 2" not in page
    assert client.get(f"{AT}/{mailing.id}/launch").status_code == 403
    assert post(client, f"/{mailing.id}/launch", expected="2").status_code == 403
    assert fresh(small_host, mailing.id).state == MailingState.DRAFT


@pytest.mark.parametrize("act", ["pause", "resume", "cancel", "retry", "unschedule"])
def test_a_writer_does_not_steer(small_host: Catalogue, act: str) -> None:
    mailing = make.running(small_host)
    assert post(small_host.client("writer"), f"/{mailing.id}/{act}").status_code == 403
    page = small_host.client("writer").get(f"{AT}/{mailing.id}").text
    assert "need the right to send" in page
    assert ">Pause<" not in page


@pytest.mark.parametrize("path", ["/", "/new", "/1", "/1/message", "/1/panel", "/1/people/sent", "/1/launch"])
def test_nobody_gets_nothing(small_host: Catalogue, path: str) -> None:
    make.ready_draft(small_host)
    assert small_host.client("nobody").get(AT + path).status_code == 403
    assert small_host.client("").get(AT + path).status_code == 302


@pytest.mark.parametrize(
    "act", ["launch", "pause", "resume", "cancel", "retry", "copy", "delete", "unschedule", "test"]
)
def test_a_post_needs_our_token_and_a_get_changes_nothing(small_host: Catalogue, act: str) -> None:
    mailing = make.ready_draft(small_host)
    client = small_host.client()
    assert client.post(f"{AT}/{mailing.id}/{act}", data={"expected": "2"}).status_code == 400
    assert client.get(f"{AT}/{mailing.id}/{act}").status_code in (200, 302, 405)
    assert fresh(small_host, mailing.id).state == MailingState.DRAFT


# --- the run ---


def test_the_panel_counts_and_links_to_people(small_host: Catalogue) -> None:
    mailing = make.running(small_host)
    make.settle(small_host, mailing, [MessageState.SENT] * 4 + [MessageState.REFUSED, MessageState.UNCERTAIN])
    first, second, *_ = make.rows(small_host, mailing)
    make.respond(small_host, first, EventKind.OPEN)
    make.respond(small_host, first, EventKind.CLICK)
    make.respond(small_host, second, EventKind.OPEN, machine=True)
    page = small_host.client().get(f"{AT}/{mailing.id}/panel?seen=sending-0").text
    assert "6 of 10 · 60 %" in page
    assert 'hx-trigger="every 2s"' in page
    assert "Mail programs and scanners opened mails once" in page
    assert f"{AT}/{mailing.id}/people/failed" in page
    assert "Sending, 50 percent done" in page
    assert 'id="mailing-head"' not in page, "the buttons come only when they change"


def test_the_panel_does_not_read_the_outbox(small_host: Catalogue) -> None:
    mailing = make.running(small_host)
    client, said = small_host.client(), []
    client.get(f"{AT}/{mailing.id}/panel")
    engine = small_host.host.db.engine
    event.listen(engine, "before_cursor_execute", lambda *a: said.append(a[2]))
    client.get(f"{AT}/{mailing.id}/panel?seen=sending-0")
    assert said
    assert not [statement for statement in said if "outbox_message" in statement]


def test_polling_ends_with_the_run(small_host: Catalogue) -> None:
    mailing = make.running(small_host)
    make.settle(small_host, mailing, [MessageState.SENT] * 10)
    page = small_host.client().get(f"{AT}/{mailing.id}/panel?seen=sending-0").text
    assert "hx-trigger" not in page
    assert 'hx-swap-oob="true"' in page, "the buttons of a running mailing are replaced"
    assert "10 of 10 · 100 %" in page


def test_what_holds_it_up_is_said(small_host: Catalogue) -> None:
    mailing = make.running(small_host)
    small_host.queue["now"] = QueueState(True, 0, 3)
    assert "No worker is running" in small_host.client().get(f"{AT}/{mailing.id}").text
    small_host.queue["now"] = QueueState(False, 0, 0, "Redis does not answer: refused")
    page = small_host.client().get(f"{AT}/{mailing.id}")
    assert page.status_code == 200
    assert "The job queue does not answer" in page.text
    small_host.queue["now"] = QueueState(True, 1, 0)
    sender = fresh(small_host, mailing.id).sender
    assert sender is not None
    sender.fault = "The mail server mail.fernhill.example does not answer."
    small_host.host.session.commit()
    page = small_host.client().get(f"{AT}/{mailing.id}")
    assert "mail.fernhill.example does not answer. The mails wait and none is lost." in page.text


def test_pause_resume_retry_cancel(small_host: Catalogue) -> None:
    mailing = make.running(small_host)
    make.settle(small_host, mailing, [MessageState.SENT] * 3 + [MessageState.REFUSED])
    client = small_host.client()
    assert "Nothing leaves until somebody resumes it" in post(client, f"/{mailing.id}/pause").text
    assert "only a running mailing can be paused" in post(client, f"/{mailing.id}/pause").text
    assert "Retry the failed one" in client.get(f"{AT}/{mailing.id}").text
    assert "1 failed mail is tried again" in post(client, f"/{mailing.id}/retry").text
    assert "It goes on where it stopped" in post(client, f"/{mailing.id}/resume").text
    question = client.get(f"{AT}/{mailing.id}/cancel").text
    assert "3 of 10 have gone" in question
    assert "7 still wait" in question
    assert fresh(small_host, mailing.id).state == MailingState.SENDING, "asking cancels nothing"
    said = post(client, f"/{mailing.id}/cancel").text
    assert "Cancelled. 3 mails had been sent; 7 are not sent any more." in said
    assert "3 of 10 · 30 %" in client.get(f"{AT}/{mailing.id}").text


def test_people_with_reasons_page_by_page(small_host: Catalogue) -> None:
    mailing = make.running(small_host, people=70)
    hostile = "5.1.1 <script>alert(1)</script> no such user"
    answers = {"reason": "refused_by_server", "reply_code": 550, "reply_text": hostile}
    make.settle(small_host, mailing, [MessageState.REFUSED] * 60 + [MessageState.SENT] * 12, **answers)
    statistics.catch_up(small_host.host, seconds=60)
    client = small_host.client()
    page = client.get(f"{AT}/{mailing.id}/people/failed").text
    assert page.count("What the server said") == 50
    assert "<strong>60</strong> refused by the mail server" in page
    assert "550 5.1.1 &lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    after = make.rows(small_host, mailing)[49].id
    assert f"after={after}" in page
    assert client.get(f"{AT}/{mailing.id}/people/failed?after={after}").text.count("What the server said") == 10
    assert client.get(f"{AT}/{mailing.id}/people/everybody").status_code == 404
    assert client.get(f"{AT}/{mailing.id}/people/failed?after=x%27--").status_code == 200


def test_who_came_back_is_no_longer_among_the_removed(small_host: Catalogue) -> None:
    mailing = make.running(small_host)
    make.settle(small_host, mailing, [MessageState.SENT] * 10)
    gone, back, *_ = make.rows(small_host, mailing)
    for row in (gone, back):
        make.respond(small_host, row, EventKind.OPT_OUT)
    make.respond(small_host, back, EventKind.OPT_BACK_IN)
    page = small_host.client().get(f"{AT}/{mailing.id}/people/removed").text
    assert "Removed 1" in page
    assert gone.address in page
    assert back.address not in page


def test_the_list_pages_downwards_and_filters(small_host: Catalogue) -> None:
    for number in range(30):
        mailings.create(small_host.host, name=f"Number {number:02}", contact_source="contact", by="all")
    small_host.host.session.commit()
    client = small_host.client()
    page = client.get(AT + "/").text
    assert "Number 29" in page
    assert "Number 04" not in page
    assert "before=6" in page
    assert "Number 04" in client.get(AT + "/?before=6").text
    assert "No mailing fits" in client.get(AT + "/?state=finished").text
    assert client.get(AT + "/?state=x&before=99999999999999999999").status_code == 200
