"""Who gets a mailing, on its screens: who is left out, the people behind each number, and why for any one of them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from massmail_plugin import mailings
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import List, Mailing
from massmail_plugin.vocabulary import (
    MailingState,
    MessageState,
    ResendOf,
    ResendWindow,
    SuppressionReason,
    SuppressionScope,
)
from tests.admin import mailing_rows as make
from tests.admin.conftest import Catalogue, faults
from tests.admin.test_mailings import AT, fresh, post

ZOE, ADA = ContactRef("contact", "1"), ContactRef("contact", "2")


def chosen(mailing: Mailing, **values: Any) -> dict[str, Any]:
    """What the form of the recipients posts, with these changed."""
    lists = [list_.id for list_ in mailing.lists]
    return {"list_ids": lists, "criterion_id": "", "one_per_address": "y", "resend_window": "none", **values}


def complained(built: Catalogue, contact: ContactRef) -> None:
    everything = SuppressionScope.ALL_BUT_TRANSACTIONAL
    suppress(built.host, contact=contact, scope=everything, reason=SuppressionReason.COMPLAINT, note="by post")
    built.host.session.commit()


def sent(built: Catalogue, mailing: Mailing, *, ago: timedelta) -> Mailing:
    """The mailing, filled and gone out some time ago."""
    mailings.launch(built.host, mailing, by="all")
    built.host.session.commit()
    mailings.fill_launched(built.host)
    make.settle(built, mailing, [MessageState.SENT] * 9, settled_at=built.host.clock() - ago)
    gone = fresh(built, mailing.id)
    gone.finished_at = built.host.clock() - ago
    built.host.session.commit()
    return gone


def test_whom_to_leave_out_is_saved_and_counted(small_host: Catalogue) -> None:
    mailing = make.ready_draft(small_host)
    staff = List(name="Staff", active=False, created_at=small_host.host.clock())
    small_host.host.session.add(staff)
    small_host.host.session.commit()
    said = post(
        small_host.client(),
        f"/{mailing.id}/recipients",
        **chosen(mailing, excluded_list_ids=staff.id, contact_statuses=["new", "mailed"], resend_window="week"),
        resend_of="any",
    ).text
    saved = fresh(small_host, mailing.id)
    assert [list_.name for list_ in saved.excluded_lists] == ["Staff"]
    assert (saved.contact_statuses, saved.resend_window, saved.resend_of) == (["new", "mailed"], "week", "any")
    for step in ("Have a chosen status", "On no excluded list", "Not mailed lately"):
        assert step in said
    assert "On an active list" not in said, "no chosen list is archived"
    again = post(small_host.client(), f"/{mailing.id}/recipients", **chosen(saved)).text
    assert "Have a chosen status" not in again
    assert fresh(small_host, mailing.id).excluded_lists == []


@pytest.mark.parametrize(
    "wrong", [{"resend_window": "fortnight"}, {"resend_of": "x"}, {"contact_statuses": "x"}, {"excluded_list_ids": "9"}]
)
def test_what_is_not_offered_is_refused(small_host: Catalogue, wrong: dict[str, str]) -> None:
    mailing = make.ready_draft(small_host)
    answer = post(small_host.client(), f"/{mailing.id}/recipients", **chosen(mailing, **wrong))
    assert answer.status_code == 422
    assert fresh(small_host, mailing.id).resend_window == ResendWindow.NONE


def test_each_number_leads_to_the_people_and_each_of_them_to_the_reason(small_host: Catalogue) -> None:
    mailing = make.ready_draft(small_host)
    complained(small_host, ADA)
    client, at = small_host.client(), f"{AT}/{mailing.id}"
    assert f"{at}/audience/allowed" in client.get(f"{at}/recipients").text
    out = client.get(f"{at}/audience/allowed").text
    assert "ada@example.org" in out
    assert "zoe@example.org" not in out
    assert f"{at}/why?source=contact&amp;contact={ADA.key}" in out
    assert "zoe@example.org" in client.get(f"{at}/audience/will_get").text
    why = client.get(f"{at}/why?contact={ADA.key}").text
    assert "Marked a mail as unwanted" in why
    assert "by post" in why
    assert "Will get it" in client.get(f"{at}/why?contact={ZOE.key}").text
    assert "Nobody here" in client.get(f"{at}/audience/paced").text


def test_people_come_page_by_page(small_host: Catalogue) -> None:
    make.add_people(small_host, 59)
    mailing = make.ready_draft(small_host)
    client = small_host.client()
    first = client.get(f"{AT}/{mailing.id}/audience/will_get").text
    assert first.count('role="row"') == 51
    rest = client.get(f"{AT}/{mailing.id}/audience/will_get?after=50").text
    assert rest.count('role="row"') == 12
    assert "To the start" in rest
    assert client.get(f"{AT}/{mailing.id}/audience/will_get?after=' OR 1 --").status_code == 200
    assert client.get(f"{AT}/{mailing.id}/audience/will_get?after=%00").status_code == 400


def test_any_contact_is_found_and_answered(small_host: Catalogue) -> None:
    mailing = make.ready_draft(small_host, on="Newsletter")
    small_host.host.session.add(small_host.contact(first_name="Mia", last_name="Late", email="mia@example.org"))
    small_host.host.session.commit()
    client, at = small_host.client(), f"{AT}/{mailing.id}/why"
    assert "mia@example.org" in client.get(f"{at}?q=mia").text
    assert "Nobody found" in client.get(f"{at}?q=%3Cb%3Enobody").text
    assert "<b>nobody" not in client.get(f"{at}?q=%3Cb%3Enobody").text
    assert "never was" in client.get(f"{at}?contact=3").text
    assert "There is no such contact" in client.get(f"{at}?contact=4711&source=elsewhere").text


def test_after_filling_the_row_answers_first(small_host: Catalogue) -> None:
    complained(small_host, ADA)
    mailing = sent(small_host, make.ready_draft(small_host), ago=timedelta(minutes=5))
    client = small_host.client()
    skipped = client.get(f"{AT}/{mailing.id}/why?contact={ADA.key}").text
    assert "is on the suppression list" in skipped
    assert "If the recipients were gathered now" in skipped
    assert f"{AT}/{mailing.id}/why" in client.get(f"{AT}/{mailing.id}/people/skipped").text
    moved = client.get(f"{AT}/{mailing.id}/audience/allowed")
    assert moved.location.endswith(f"/{mailing.id}/people/skipped")


def test_nobody_left_says_where_and_cannot_be_sent(small_host: Catalogue) -> None:
    mailing = make.ready_draft(small_host)
    for contact in (ADA, ZOE):
        complained(small_host, contact)
    page = small_host.client().get(f"{AT}/{mailing.id}/send").text
    assert "The last 2 contacts fall away at “not suppressed”: suppressed." in page
    assert '<button class="mm-button mm-button-main" disabled' in page
    assert "Nobody would get it" in small_host.client().get(f"{AT}/{mailing.id}/recipients").text
    post(small_host.client(), f"/{mailing.id}/launch", expected="0")
    assert fresh(small_host, mailing.id).state == MailingState.DRAFT


def test_the_resend_window_knows_copies_templates_and_the_rest(small_host: Catalogue) -> None:
    host = small_host.host
    first = sent(small_host, make.ready_draft(small_host), ago=timedelta(days=3))
    copied = mailings.copy(host, first, by="all")
    second_copy = mailings.copy(host, copied, by="all")
    assert {copied.origin_id, second_copy.origin_id} == {first.id}
    stranger = mailings.create(
        host, name="Another", contact_source="contact", by="all", list_ids=[one.id for one in first.lists]
    )
    get_it = {
        (draft, window, of): _will_get(small_host, draft, window, of)
        for draft in (second_copy, stranger)
        for window in (ResendWindow.NONE, ResendWindow.DAY, ResendWindow.WEEK, ResendWindow.EVER)
        for of in ResendOf
    }
    late = (ResendWindow.WEEK, ResendWindow.EVER)
    assert {key for key, number in get_it.items() if number == 0} == {
        *((second_copy, window, of) for window in late for of in ResendOf),
        *((stranger, window, ResendOf.ANY) for window in late),
    }


def _will_get(built: Catalogue, draft: Mailing, window: ResendWindow, of: ResendOf) -> int:
    mailings.change(built.host, draft, resend_window=window.value, resend_of=of.value)
    return mailings.will_get(built.host, draft)


def test_two_mailings_at_once_are_one_mail_for_each(small_host: Catalogue) -> None:
    first = make.running(small_host, people=0)
    other = mailings.copy(small_host.host, first, by="all")
    mailings.change(small_host.host, other, resend_window="hour", resend_of="any")
    assert mailings.will_get(small_host.host, other) == 0, "what still waits counts too"


def test_copies_of_a_deleted_draft_stay_copies_of_each_other(small_host: Catalogue) -> None:
    host = small_host.host
    original = make.ready_draft(small_host)
    copies = [mailings.copy(host, original, by="all") for _ in range(3)]
    mailings.remove(host, original)
    host.session.commit()
    left = host.session.scalars(select(Mailing).order_by(Mailing.id)).all()
    assert [one.origin_id for one in left] == [None, copies[0].id, copies[0].id]


def test_who_may_not_see_people_sees_numbers_alone(make_host: Callable[..., Catalogue]) -> None:
    built = make_host("blind", permission=lambda user, act, subject: act != "people.view")
    with built.app.app_context():
        mailing = make.ready_draft(built)
        client = built.client()
        page = client.get(f"{AT}/{mailing.id}/recipients").text
        assert "Will get it" in page
        assert "/audience/" not in page
        assert client.get(f"{AT}/{mailing.id}/audience/will_get").status_code == 403
        assert client.get(f"{AT}/{mailing.id}/why?contact=1").status_code == 403


@pytest.mark.parametrize("path", ["audience/nonsense", "audience/__class__"])
def test_steps_that_are_none(small_host: Catalogue, path: str) -> None:
    mailing = make.ready_draft(small_host)
    assert small_host.client().get(f"{AT}/{mailing.id}/{path}").status_code == 404


def test_in_a_browser(small_host: Catalogue, open_page: Callable[..., Any]) -> None:
    """By keyboard, at both widths, with scripts and without."""
    mailing = make.ready_draft(small_host)
    make.add_list(small_host, "Staff", people=False)
    complained(small_host, ADA)
    for width, scripts in ((1280, True), (390, False)):
        page = open_page(small_host, width=width, scripts=scripts)
        page.goto(f"{AT}/{mailing.id}/recipients")
        if scripts:
            page.focus("summary")
            page.keyboard.press("Enter")
        page.get_by_label("Leave out who got mail").select_option("month")
        page.get_by_role("group", name="Only contacts with status").get_by_label("new").check()
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_selector("text=Have a chosen status")
        seen = [page.url.removeprefix(page.url[: page.url.index(AT)])]
        page.get_by_role("link", name="1 left out").click()
        page.get_by_role("heading", name="Left out: suppressed").wait_for()
        seen.append(page.url)
        page.get_by_role("link", name="Why not? Ada").click()
        page.wait_for_selector("text=Marked a mail as unwanted")
        seen.append(page.url)
        page.get_by_label("Find a contact").fill("zoe")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Zoë").click()
        page.wait_for_selector("#answer")
        assert page.inner_text(".mm-why").count("yes") == 10
        for address in seen:
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
            if scripts:
                assert faults(page) == [], address
        assert page.troubles == []
