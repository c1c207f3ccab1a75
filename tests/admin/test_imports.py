"""Bringing a file on screen: uploaded, looked at, checked by a worker, then done; and who may do and see that."""

import csv
import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page
from sqlalchemy import select

from massmail_plugin.audience import imports
from massmail_plugin.jobs import functions
from massmail_plugin.models import Criterion, Import, List, Subscription, Suppression
from massmail_plugin.vocabulary import Act, ImportPurpose
from tests.admin.conftest import Catalogue, faults, form_of

IMPORTS = "/admin/massmail/imports/"
FILE = "Name;E-mail\r\nZoë;zoe@example.org\r\nWho;who@example.org\r\nBad;not an address\r\nRun;=1+1\r\n"


@pytest.fixture
def news(small_host: Catalogue) -> int:
    row = List(name="News", created_at=small_host.host.clock())
    small_host.host.session.add(row)
    small_host.host.session.commit()
    return row.id


def upload(client: FlaskClient, data: bytes, name: str = "people.csv", **fields: Any) -> Any:
    given = {"purpose": "subscribe", "source": "contact", "list_id": "", **form_of(client.get(f"{IMPORTS}new").text)}
    given |= {"file": (io.BytesIO(data), name), **fields}
    return client.post(f"{IMPORTS}new", data=given, content_type="multipart/form-data")


def choose(client: FlaskClient, number: int, **fields: Any) -> Any:
    page = client.get(f"{IMPORTS}{number}/columns").text
    given = {"encoding": "cp1252", "delimiter": ";", "quote": '"', "header": "y", "by": "address", "column": "1"}
    given |= {"step": "check", "evidence": "", **form_of(page), **fields}
    return client.post(f"{IMPORTS}{number}/columns", data=given)


def work(small_host: Catalogue) -> None:
    """What a worker does when it is called."""
    small_host.host.session.rollback()
    functions.import_files()
    small_host.host.session.expire_all()


def on(small_host: Catalogue, list_id: int) -> dict[str, str]:
    small_host.host.session.expire_all()
    rows = select(Subscription.contact_key, Subscription.state).where(Subscription.list_id == list_id)
    return dict(small_host.host.session.execute(rows).all())


def test_a_file_is_checked_and_then_imported(small_host: Catalogue, news: int) -> None:
    client = small_host.client()
    brought = upload(client, FILE.encode("cp1252"), list_id=str(news))
    assert brought.location.endswith(f"{IMPORTS}1")
    looked = client.get(brought.location).text
    assert "Western European (Windows-1252)" in looked
    assert "Zoë" in looked
    assert '<option selected value="1">E-mail</option>' in looked
    assert choose(client, 1, evidence="Fair").location.endswith(f"{IMPORTS}1")
    assert "Waiting" in client.get(IMPORTS).text
    assert small_host.woken == ["imports"]
    work(small_host)
    counted = client.get(f"{IMPORTS}1").text
    assert "Nothing has been changed yet" in counted
    assert "Add 1 contact to the list" in counted
    assert on(small_host, news) == {}
    rows = list(csv.reader(io.StringIO(client.get(f"{IMPORTS}1/errors.csv", buffered=True).data.decode("utf-8-sig"))))
    assert [row[:2] for row in rows] == [
        ["row", "value"], ["3", "who@example.org"], ["4", "not an address"], ["5", "'=1+1"],
    ]  # fmt: skip
    client.post(f"{IMPORTS}1/run", data=form_of(counted))
    work(small_host)
    assert "The import is finished" in client.get(f"{IMPORTS}1").text
    assert on(small_host, news) == {"1": "subscribed"}
    event = small_host.host.session.scalars(select(Subscription)).one()
    assert event.evidence == "Fair – by the file “people.csv”, all"


def test_an_xlsx_file_has_sheets_to_choose_from(small_host: Catalogue, news: int) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Read me first"])  # type: ignore[union-attr]
    book.create_sheet("Members").append(["ada@example.org"])
    stream, client = io.BytesIO(), small_host.client()
    book.save(stream)
    upload(client, stream.getvalue(), "people.xlsx", list_id=str(news))
    read = choose(client, 1, encoding="utf-8", delimiter=",", sheet="Members", header="", column="0", step="read").text
    assert "The file is read differently now" in read
    assert "ada@example.org" in read
    choose(client, 1, encoding="utf-8", delimiter=",", sheet="Members", header="", column="0")
    work(small_host)
    assert "Add 1 contact to the list" in client.get(f"{IMPORTS}1").text


def test_a_file_can_be_read_otherwise(small_host: Catalogue, news: int) -> None:
    client = small_host.client()
    upload(client, FILE.encode("cp1252"), list_id=str(news))
    assert "ZoÙ" in choose(client, 1, encoding="cp850", step="read").text
    wrong = choose(client, 1, encoding="utf-8", step="read")
    assert (wrong.status_code, "The file cannot be read like this" in wrong.text) == (422, True)
    assert "Windows-1252" in choose(client, 1, step="read").text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"PK\x03\x04 no archive", "damaged"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "old format"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(small_host: Catalogue, news: int, data: bytes, words: str) -> None:
    answer = upload(small_host.client(), data, list_id=str(news))
    assert (answer.status_code, words in answer.text) == (422, True)
    assert small_host.host.session.scalars(select(Import)).all() == []


def test_nothing_happens_without_a_file_or_list(small_host: Catalogue, news: int) -> None:
    client = small_host.client()
    assert "Choose the list" in upload(client, b"email\n").text
    token = form_of(client.get(f"{IMPORTS}new").text)
    answer = client.post(f"{IMPORTS}new", data={"purpose": "subscribe", "source": "contact", "list_id": news, **token})
    assert "No file was chosen" in answer.text


def test_addresses_are_suppressed_until_a_day(small_host: Catalogue) -> None:
    client = small_host.client()
    upload(client, b"email\nx@example.org\n", purpose="suppress", until="2027-01-01")
    choose(client, 1, encoding="utf-8", delimiter=",", column="0")
    work(small_host)
    client.post(f"{IMPORTS}1/run", data=form_of(client.get(f"{IMPORTS}1").text))
    work(small_host)
    row = small_host.host.session.scalars(select(Suppression)).one()
    assert (row.address, str(row.until), row.created_by) == ("x@example.org", "2027-01-01 00:00:00+00:00", "all")


def test_it_is_cancelled_and_deleted(small_host: Catalogue, news: int) -> None:
    client = small_host.client()
    upload(client, FILE.encode("cp1252"), list_id=str(news))
    choose(client, 1)
    assert "Nothing has been done yet" in client.get(f"{IMPORTS}1/cancel").text
    assert client.post(f"{IMPORTS}1/delete", data=form_of(client.get(f"{IMPORTS}new").text)).status_code == 409
    client.post(f"{IMPORTS}1/cancel", data=form_of(client.get(f"{IMPORTS}1/cancel").text))
    work(small_host)
    assert "was cancelled" in client.get(f"{IMPORTS}1").text
    client.post(f"{IMPORTS}1/delete", data=form_of(client.get(f"{IMPORTS}1/delete").text))
    assert client.get(f"{IMPORTS}1").status_code == 404


def test_each_purpose_needs_its_right(make_host: Callable[..., Catalogue]) -> None:
    built = make_host("strict", permission=_may)
    with built.app.app_context():
        rows = [List(name=name, created_at=built.host.clock()) for name in ("Mine", "Theirs")]
        built.host.session.add_all(rows)
        built.host.session.commit()
        mine, theirs = (row.id for row in rows)
        lists, stops, nobody = (built.client(name) for name in ("lists", "stops", "nobody"))
        assert nobody.get(IMPORTS).status_code == 403
        assert "Suppress addresses" not in lists.get(f"{IMPORTS}new").text
        assert "Put contacts on a list" not in stops.get(f"{IMPORTS}new").text
        assert "Theirs" not in lists.get(f"{IMPORTS}new").text
        assert upload(lists, b"email\na@x.test\n", list_id=str(theirs)).status_code == 422
        assert upload(lists, b"email\na@x.test\n", purpose="suppress").status_code == 422
        assert upload(lists, b"email\na@x.test\n", list_id=str(mine)).status_code == 302
        assert upload(stops, b"email\na@x.test\n", purpose="suppress").status_code == 302
        source = built.host.sources["contact"]
        file = io.BytesIO(b"email\na@x.test\n")
        imports.bring(built.host, file, purpose=ImportPurpose.SUBSCRIBE, source=source, list_id=theirs)
        built.host.session.commit()
        for client, own in ((lists, 1), (stops, 2)):
            for number in (1, 2, 3):
                assert client.get(f"{IMPORTS}{number}").status_code == (200 if number == own else 403)
                assert client.get(f"{IMPORTS}{number}/errors.csv", buffered=True).status_code == (
                    200 if number == own else 403
                )
            assert client.get(IMPORTS).text.count("mm-name") == 1


def test_rows_of_a_file_are_for_those_who_see_all_contacts(
    small_host: Catalogue, news: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a file that somebody else brought; how far it is and its numbers may be seen."""
    host, client = small_host.host, small_host.client()
    for _ in range(2):
        assert upload(client, b"email\nzoe@example.org\nwho@example.org\n", list_id=str(news)).status_code == 302
    choose(client, 1, encoding="utf-8", delimiter=",", column="0")
    work(small_host)
    monkeypatch.setitem(host.sources["contact"].__dict__, "limit", lambda user: small_host.contact.city == "Turin")
    refused = upload(client, b"email\nzoe@example.org\n", list_id=str(news))
    shown, form = client.get(f"{IMPORTS}1").text, form_of(client.get(f"{IMPORTS}new").text)
    answers = [refused, client.post(f"{IMPORTS}1/run", data=form)]
    answers += [client.get(IMPORTS + path, buffered=True) for path in ("1/columns", "1/errors.csv", "2", "2/columns")]
    for answer in answers:
        assert (answer.status_code, "You see only some" in answer.text) == (409, True)
        assert "@example.org" not in answer.text
    assert "Nothing has been changed yet" in shown
    assert "errors.csv" not in shown
    assert on(small_host, news) == {}


def _may(user: Any, act: Act, subject: Any) -> bool:
    if act is Act.PEOPLE_VIEW:
        return user.name != "nobody"
    if act is Act.LIST_MANAGE:
        return user.name == "lists" and (subject is None or subject.name == "Mine")
    return act is Act.SUPPRESSION_MANAGE and user.name == "stops"


def test_a_person_imports_a_file_without_scripts(
    small_host: Catalogue, news: int, open_page: Callable[..., Page]
) -> None:
    page = open_page(small_host, width=390, scripts=False)
    page.goto(f"{IMPORTS}new?list_id={news}")
    buffer = "\n".join(["E-mail", "ada@example.org", "nobody"]).encode()
    page.get_by_label("File", exact=True).set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": buffer})
    page.get_by_role("button", name="Upload").click()
    page.get_by_label("How do you know").fill("Paper form")
    page.get_by_role("button", name="Check the file").click()
    page.get_by_text("No worker is running").wait_for(state="detached")
    work(small_host)
    page.get_by_role("link", name="Refresh").click()
    page.get_by_role("button", name="Add 1 contact").click()
    work(small_host)
    page.get_by_role("link", name="Refresh").click()
    page.get_by_text("The import is finished").wait_for()
    assert on(small_host, news) == {"2": "subscribed"}


def test_the_screens_are_clean_and_bring_themselves_up_to_date(
    small_host: Catalogue, news: int, open_page: Callable[..., Page]
) -> None:
    page = open_page(small_host)
    widths = (1280, 390)

    def clean() -> None:
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            assert faults(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width

    for name in ("", "new"):
        page.goto(IMPORTS + name)
        clean()
    page.get_by_label("List", exact=True).select_option("News")
    file = {"name": "p.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    page.get_by_text("Does it look wrong?").click()
    clean()
    page.get_by_role("button", name="Check the file").click()
    page.get_by_text("0 percent of the file").wait_for()
    clean()
    work(small_host)
    page.get_by_role("button", name="Add 1 contact").wait_for()
    clean()
    page.get_by_role("button", name="Add 1 contact").click()
    work(small_host)
    page.get_by_text("The import is finished").wait_for()
    clean()
    page.goto(IMPORTS)
    clean()
    assert page.troubles == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_criteria_and_suppressions_can_be_downloaded(small_host: Catalogue, form: str) -> None:
    host, client = small_host.host, small_host.client()
    rule = {"all": [{"field": "city", "op": "is", "value": "Lyon"}]}
    times = {"created_at": host.clock(), "updated_at": host.clock()}
    host.session.add(Criterion(name="Lyon", contact_source="contact", rule=rule, **times))
    host.session.commit()
    assert "/criteria/1/export?form=xlsx" in client.get("/admin/massmail/criteria/1").text
    for path, words in (("criteria/1/export", "zoe@example.org"), ("suppressions/export", "address")):
        answer = client.get(f"/admin/massmail/{path}?form={form}", buffered=True)
        assert answer.headers["Content-Disposition"].endswith(f'.{form}"')
        assert words in answer.text if form == "csv" else answer.data.startswith(b"PK")
        assert small_host.client("nobody").get(f"/admin/massmail/{path}").status_code == 403
        assert client.get(f"/admin/massmail/{path}?form=exe").status_code == 404


def test_a_criterion_one_may_not_see_cannot_be_downloaded(make_host: Callable[..., Catalogue]) -> None:
    built = make_host("strict", permission=lambda user, act, subject: act is Act.PEOPLE_VIEW)
    with built.app.app_context():
        times = {"created_at": built.host.clock(), "updated_at": built.host.clock()}
        built.host.session.add(Criterion(name="All", contact_source="contact", rule={}, **times))
        built.host.session.commit()
        for path in ("", "/export"):
            assert built.client().get(f"/admin/massmail/criteria/1{path}").status_code == 403
