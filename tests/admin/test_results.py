"""The screens of results and statistics: what they say, who may see it, and how they look."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from massmail_plugin.mailings import statistics
from massmail_plugin.models import Link, Mailing
from massmail_plugin.opt_out import tell_why
from massmail_plugin.outcomes import NewEvent, keep_events
from massmail_plugin.vocabulary import EventKind, MessageState, OptOutWhy
from tests.admin import mailing_rows as make
from tests.admin.conftest import Catalogue, faults, form_of

ROOT = "/admin/massmail"


def busy(built: Catalogue, name: str = "Spring mailing") -> Mailing:
    """Ten people got it: some read, two followed links, one left, one bounced, programs looked too."""
    mailing = make.running(built, name)
    make.settle(
        built, mailing, [*[MessageState.SENT] * 7, MessageState.REFUSED, MessageState.SKIPPED, MessageState.SENT]
    )
    mailing.launched_at = built.host.clock() - timedelta(hours=3)
    rows = make.rows(built, mailing)
    for row, kind in zip(
        rows, (EventKind.CLICK, EventKind.CLICK, EventKind.OPEN, EventKind.OPEN, EventKind.REPLY), strict=False
    ):
        make.respond(built, row, kind)
    for row in rows[2:6]:
        make.respond(built, row, EventKind.OPEN, machine=True)
    make.respond(built, rows[1], EventKind.OPT_OUT)
    make.respond(built, rows[6], EventKind.BOUNCE)
    second = built.host.session.scalars(select(Link).where(Link.mailing_id == mailing.id, Link.number == 2)).one()
    at = built.host.clock() - timedelta(minutes=2)
    keep_events(built.host, [NewEvent(message_id=rows[0].id, kind=EventKind.CLICK, at=at, link_id=second.id)])
    built.host.session.commit()
    statistics.catch_up(built.host, seconds=60)
    return mailing


def pages(mailing: Mailing) -> dict[str, str]:
    own = f"{ROOT}/mailings/{mailing.id}"
    return {
        "run": own,
        "map": f"{own}/map",
        "breakdown": f"{own}/breakdown",
        "download": f"{own}/download",
        "people": f"{own}/people/replied",
        "failed": f"{own}/people/failed",
        "compare": f"{ROOT}/mailings/compare?mailing={mailing.id}&mailing={mailing.id - 1}",
        "statistics": f"{ROOT}/statistics/",
        **{by: f"{ROOT}/statistics/?by={by}" for by in ("sender", "template", "list", "domain")},
        "log": f"{ROOT}/statistics/templates/{mailing.template_id}",
        "record": f"{ROOT}/statistics/contacts/contact/1",
        "received": f"{ROOT}/mailings/received/1",
    }


def test_the_run_says_it_in_numbers(small_host: Catalogue) -> None:
    mailing = busy(small_host)
    page = small_host.client().get(f"{ROOT}/mailings/{mailing.id}").text
    for words in ("62 %", "25 %", "opened mails 4 times", "The first 48 hours", "Mails read and clicked by the hour"):
        assert words in page, words
    assert page.count("Links on the mail") == 1


def test_people_behind_a_link(small_host: Catalogue) -> None:
    mailing = busy(small_host)
    link = small_host.host.session.scalars(select(Link).where(Link.mailing_id == mailing.id)).first()
    assert link is not None
    url = f"{ROOT}/mailings/{mailing.id}/links/{link.id}"
    assert url in small_host.client().get(f"{ROOT}/mailings/{mailing.id}").text
    page = small_host.client().get(url).text
    assert page.count('data-label="When"') == 2
    assert small_host.client("writer").get(url).status_code == 200
    assert small_host.client().get(f"{ROOT}/mailings/{mailing.id + 1}/links/{link.id}").status_code == 404


def test_the_map_writes_numbers_beside_the_links(small_host: Catalogue) -> None:
    mailing = busy(small_host)
    client = small_host.client()
    once, every = (client.get(f"{ROOT}/mailings/{mailing.id}/map?count={count}").text for count in ("once", "all"))
    assert "2 · 67 %" in once
    assert "1 · 33 %" in once
    assert "2 · 67 %" in every
    assert "/m/c/" not in once, "links are inert"


def test_nobody_has_clicked_yet(small_host: Catalogue) -> None:
    mailing = make.running(small_host)
    for name, url in pages(mailing).items():
        answer = small_host.client().get(url)
        assert answer.status_code == 200, (name, answer.text)


def test_domains_lists_and_reasons(small_host: Catalogue) -> None:
    mailing = busy(small_host)
    page = small_host.client().get(f"{ROOT}/mailings/{mailing.id}/breakdown").text
    for words in ("example.org", "Newsletter", "Skipped, and why", "Read by people"):
        assert words in page


def test_why_people_opted_out(small_host: Catalogue) -> None:
    mailing = busy(small_host)
    url = f"{ROOT}/mailings/{mailing.id}/breakdown"
    assert "Why people opted out" not in small_host.client().get(url).text
    for row, why, words in zip(
        make.rows(small_host, mailing), ("too_many", "other", "too_many"), ("", "<i>Too loud</i>", ""), strict=False
    ):
        tell_why(small_host.host, row.id, OptOutWhy(why), words)
    small_host.host.session.commit()
    page = small_host.client().get(url).text
    assert "<dt>2</dt><dd>There are too many mails</dd><dt>1</dt><dd>Another reason</dd>" in page
    assert "&lt;i&gt;Too loud&lt;/i&gt;" in page


@pytest.mark.parametrize("sheet", ["recipients", "events", "links", "hours", "domains"])
def test_every_table_comes_in_both_forms_with_the_same_cells(small_host: Catalogue, sheet: str) -> None:
    mailing = busy(small_host)
    client, url = small_host.client(), f"{ROOT}/mailings/{mailing.id}/download/{sheet}"
    plain, made = client.get(f"{url}.csv", buffered=True), client.get(f"{url}.xlsx", buffered=True)
    lines = list(csv.reader(io.StringIO(plain.data.decode("utf-8-sig"))))
    cells = [list(row) for row in openpyxl.load_workbook(io.BytesIO(made.data)).active.values]
    assert cells[0] == lines[0]
    assert len(cells) == len(lines) > 1
    for row, line in zip(cells[1:], lines[1:], strict=True):
        told = ["" if cell is None else cell for cell in row]
        same = [
            str(cell) == text.lstrip("'") or text.startswith(str(cell)[:10])
            for cell, text in zip(told, line, strict=True)
        ]
        assert all(same), (row, line)


def test_downloads_are_made_for_those_who_may_see_people(
    small_host: Catalogue, make_host: Callable[..., Catalogue]
) -> None:
    def may(user: Any, act: str, subject: Any) -> bool:
        return act == "results.view"

    other = make_host("narrow", permission=may)
    with other.app.app_context():
        mailing = busy(other)
        client, url = other.client(), f"{ROOT}/mailings/{mailing.id}/download"
        assert "Recipients" not in client.get(url).text
        assert client.get(f"{url}/links.csv", buffered=True).status_code == 200
        for closed in (f"{url}/recipients.csv", f"{url}/events.xlsx", f"{ROOT}/statistics/contacts/contact/1"):
            assert client.get(closed).status_code == 403
    assert small_host.client("").get(f"{ROOT}/statistics/").status_code == 302


@pytest.mark.parametrize("wrong", ["recipients.pdf", "secrets.csv", "..csv"])
def test_there_are_no_other_downloads(small_host: Catalogue, wrong: str) -> None:
    mailing = make.running(small_host)
    assert small_host.client().get(f"{ROOT}/mailings/{mailing.id}/download/{wrong}").status_code == 404


def test_a_name_is_never_a_formula(small_host: Catalogue) -> None:
    small_host.host.session.query(small_host.contact).update({"first_name": '=HYPERLINK("http://x.example")'})
    mailing = busy(small_host)
    url = f"{ROOT}/mailings/{mailing.id}/download/recipients"
    text = small_host.client().get(f"{url}.csv", buffered=True).data.decode("utf-8-sig")
    names = [row[2] for row in csv.reader(io.StringIO(text)) if "HYPERLINK" in row[2]]
    assert [name[:2] for name in names] == ["'=", "'="]
    sheet = openpyxl.load_workbook(io.BytesIO(small_host.client().get(f"{url}.xlsx", buffered=True).data)).active
    assert {cell.data_type for cell in list(sheet.columns)[2]} == {"s"}


def test_mailings_side_by_side(small_host: Catalogue) -> None:
    one = busy(small_host)
    other = make.running(small_host, "Autumn mailing", sender="Second", letter="Autumn letter", on="Autumn list")
    page = small_host.client().get(f"{ROOT}/mailings/compare?mailing={one.id}&mailing={other.id}").text
    assert "62.5 %" in page
    assert page.count('scope="col"') == 2
    for odd in ("?mailing=x", "?mailing=-1", "?mailing=99999999999999999999", ""):
        assert small_host.client().get(f"{ROOT}/mailings/compare{odd}").status_code == 200


def test_a_time_without_mailings(small_host: Catalogue) -> None:
    busy(small_host)
    assert (
        "No mailing in this time"
        in small_host.client().get(f"{ROOT}/statistics/?since=2001-01-01&until=2001-02-01").text
    )
    assert small_host.client().get(f"{ROOT}/statistics/?since=nonsense&until=0000-00-00&by=x").status_code == 200


def test_the_log_of_a_template_names_tests_too(small_host: Catalogue) -> None:
    mailing = busy(small_host)
    page = small_host.client().get(f"{ROOT}/statistics/templates/{mailing.template_id}").text
    assert "Spring mailing" in page
    assert (
        f"{ROOT}/statistics/templates/{mailing.template_id}"
        in small_host.client().get(f"{ROOT}/templates/{mailing.template_id}").text
    )


def test_the_record_leads_to_what_was_sent(small_host: Catalogue) -> None:
    mailing = busy(small_host)
    row = make.rows(small_host, mailing)[0]
    page = small_host.client().get(f"{ROOT}/statistics/contacts/contact/{row.contact_key}").text
    url = f"{ROOT}/mailings/received/{row.id}"
    assert url in page
    mail = small_host.client().get(url).text
    assert "Spring is near" in mail
    assert "the contact’s values are today’s" in mail
    assert "/m/" not in mail.partition("<main")[2].replace(ROOT, ""), "no link of it works, and no pixel"
    assert small_host.client().get(f"{ROOT}/mailings/received/99999999999999999999").status_code == 404


def test_every_hit_of_a_mail_is_shown_with_who_made_it(small_host: Catalogue) -> None:
    mailing = busy(small_host)
    row = make.rows(small_host, mailing)[0]
    hidden = NewEvent(
        message_id=row.id,
        kind=EventKind.CLICK,
        at=small_host.host.clock(),
        machine_reason="hidden_link",
        user_agent="<b>Filter/1.0",
    )
    keep_events(small_host.host, [hidden])
    small_host.host.session.commit()
    page = small_host.client().get(f"{ROOT}/mailings/received/{row.id}").text
    hits = page.partition('id="hits"')[2]
    assert hits.count("A person") == 2
    assert "it followed the hidden link" in hits
    assert "&lt;b&gt;Filter/1.0" in hits


def test_a_contact_that_is_gone_keeps_its_record(small_host: Catalogue) -> None:
    assert "does not have this contact" in small_host.client().get(f"{ROOT}/statistics/contacts/contact/999").text
    assert small_host.client().get(f"{ROOT}/statistics/contacts/nowhere/1").status_code == 404


def test_results_are_sent_to_whom_the_draft_names(small_host: Catalogue) -> None:
    draft = make.ready_draft(small_host)
    client, url = small_host.client(), f"{ROOT}/mailings/{draft.id}/schedule"
    token = form_of(client.get(url).text)
    given = {**token, "sender_id": str(draft.sender_id), "start": "now", "zone": "UTC", "retries": "yes"}
    assert client.post(url, data={**given, "digest_to": "a@example.org b@"}).status_code == 422
    assert client.post(url, data={**given, "digest_to": "a@example.org; b@example.org"}).status_code == 302
    small_host.host.session.expire_all()
    assert small_host.host.session.get_one(Mailing, draft.id).digest_to == "a@example.org, b@example.org"
    assert "a@example.org, b@example.org" in client.get(url).text


NAMES = list(pages(Mailing(id=1, template_id=1)))


@pytest.mark.parametrize("name", NAMES)
def test_pages_are_clean_on_a_desk_and_on_a_phone(
    small_host: Catalogue, open_page: Callable[..., Any], name: str
) -> None:
    if name == "compare":
        busy(small_host, "Winter mailing")
        one = make.running(small_host, sender="Second", letter="Autumn letter", on="Autumn list")
    else:
        one = busy(small_host)
    for width in (1280, 390):
        page = open_page(small_host, width=width)
        page.goto(pages(one)[name])
        assert faults(page) == []
        assert page.troubles == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["run", "map", "statistics", "compare"])
def test_pages_work_without_scripts(small_host: Catalogue, open_page: Callable[..., Any], name: str) -> None:
    mailing = busy(small_host)
    page = open_page(small_host, scripts=False)
    page.goto(pages(mailing)[name])
    if name == "run":
        page.get_by_text("The same as a table").click()
        assert page.get_by_role("cell", name="UTC").first.is_visible()
        page.get_by_role("link", name="Links on the mail").click()
        assert page.locator("iframe.mm-mail").is_visible()
    elif name == "map":
        page.get_by_role("link", name="All clicks").click()
        assert "count=all" in page.url
    elif name == "statistics":
        page.get_by_label("From").fill("2026-01-01")
        page.get_by_role("button", name="Show").click()
        assert "since=2026-01-01" in page.url
        page.get_by_role("link", name="By domain").click()
        assert page.get_by_text("example.org").is_visible()
    else:
        assert page.get_by_role("heading", name="Compare mailings").is_visible()
