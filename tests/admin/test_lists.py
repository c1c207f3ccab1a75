"""The screens of lists: make, deactivate or delete, members, adding by hand, by criterion and by file."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page
from sqlalchemy import select

from massmail_plugin.admin.frame import held_file
from massmail_plugin.admin.lists import rows as list_rows
from massmail_plugin.consent.subscriptions import subscribe, unsubscribe
from massmail_plugin.consent.suppression import suppress
from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import ImportRefused
from massmail_plugin.models import Criterion, List, Mailing, Subscription
from massmail_plugin.vocabulary import MailingState, SuppressionReason, SuppressionScope
from tests.admin.conftest import Catalogue, faults, form_of
from tests.consent.small_host import add_list, add_person, running_host

LISTS = "/admin/massmail/lists/"
ZOE, ADA = ContactRef("contact", "1"), ContactRef("contact", "2")
SEARCHES = {"": 2, "ZOE@": 1, "zoë": 1, "%": 1, "_": 0, "' OR 1=1 --": 0}
"""Text in the search field -> contacts it finds."""
FILE = "Name;E-mail\nZoë;ZOE@example.org\nNobody;who@example.org\nWrong;not an address\nSum;=1+1\n"


@pytest.fixture
def news(small_host: Catalogue) -> int:
    """A list with Zoë on it."""
    host = small_host.host
    row = List(name="News", description="Once a month.", created_at=host.clock())
    host.session.add(row)
    subscribe(host, row, [ZOE], evidence="Signed up at the fair")
    host.session.commit()
    return row.id


def post(client: FlaskClient, address: str, **data: Any) -> Any:
    """A form sent with the token of the page it stands on."""
    return client.post(address, data={**form_of(client.get(address).text), **data}, follow_redirects=True)


def on(small_host: Catalogue, list_id: int) -> dict[str, str]:
    """contact key -> state."""
    small_host.host.session.rollback()
    rows = small_host.host.session.execute(
        select(Subscription.contact_key, Subscription.state).where(Subscription.list_id == list_id)
    )
    return {row[0]: row[1] for row in rows}


def test_a_list_is_made_and_modified(small_host: Catalogue) -> None:
    client = small_host.client()
    assert "was saved" in post(client, LISTS + "new", name="Offers", public_name="Our offers", active="y").text
    row = small_host.host.session.scalars(select(List)).one()
    assert (row.name, row.title, row.active) == ("Offers", "Our offers", True)
    assert "was saved" in post(client, f"{LISTS}{row.id}/edit", name="Offers").text
    small_host.host.session.refresh(row)
    assert not row.active
    assert "inactive" in client.get(f"{LISTS}{row.id}").text


def test_a_name_is_needed_and_there_once(small_host: Catalogue, news: int) -> None:
    client = small_host.client()
    empty, twice = post(client, LISTS + "new", name=""), post(client, LISTS + "new", name="news")
    assert (empty.status_code, twice.status_code) == (422, 422)
    assert "Give the list a name." in empty.text
    assert "Another list has this name." in twice.text


def test_the_table_counts(small_host: Catalogue, news: int) -> None:
    host = small_host.host
    mailing = Mailing(
        name="One",
        state=MailingState.FINISHED,
        contact_source="contact",
        created_at=host.clock(),
        launched_at=host.clock(),
    )
    mailing.lists = [host.session.get_one(List, news)]
    host.session.add(mailing)
    unsubscribe(host, host.session.get_one(List, news), [ZOE], evidence="")
    subscribe(host, host.session.get_one(List, news), [ADA], evidence="")
    host.session.commit()
    text = " ".join(small_host.client().get(LISTS).text.split())
    assert '<td role="cell" data-label="Subscribed" class="mm-number">1</td>' in text
    assert '<td role="cell" data-label="Unsubscribed" class="mm-number">1</td>' in text
    assert "22 Nov 2026" in text


def test_only_a_list_without_history_is_deleted(small_host: Catalogue, news: int) -> None:
    client, host = small_host.client(), small_host.host
    assert "history of its contacts" in client.get(f"{LISTS}{news}/delete").text
    assert "is inactive now" in post(client, f"{LISTS}{news}/delete").text
    host.session.add(List(name="Empty", created_at=host.clock()))
    host.session.commit()
    empty = host.session.scalars(select(List.id).where(List.name == "Empty")).one()
    assert "“Empty” was deleted" in post(client, f"{LISTS}{empty}/delete").text
    host.session.expire_all()
    assert [(row.name, row.active) for row in host.session.scalars(select(List))] == [("News", False)]


def test_members_are_found_by_name_and_address(small_host: Catalogue, news: int) -> None:
    subscribe(small_host.host, small_host.host.session.get_one(List, news), [ADA], evidence="")
    small_host.host.session.commit()
    client = small_host.client()
    assert "ada@example.org" in client.get(f"{LISTS}{news}").text
    found = client.get(f"{LISTS}{news}?q=ZO").text
    assert "zoe@example.org" in found
    assert "Signed up at the fair" in found
    assert "ada@example.org" not in found
    assert "Nobody found" in client.get(f"{LISTS}{news}?q=%25").text


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_queries_run_on_both_databases(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> None:
    on_file = f"sqlite:///{tmp_path / 'host.sqlite3'}"
    with running_host(on_file if database == "sqlite" else request.getfixturevalue("postgres_url_with_tables")) as host:
        list_, session = add_list(host), host.session
        who = [add_person(host, "zoe@example.org", first="Zoë"), add_person(host, None, first="50%")]
        subscribe(host, list_, who, evidence="")
        found = {
            text: len(session.scalars(list_rows.members(host, list_, text, "subscribed")).all()) for text in SEARCHES
        }
        assert found == SEARCHES
        assert [tuple(row[1:]) for row in session.execute(list_rows.table())] == [(2, 0, None)]
        assert list_rows.standing_counts(host, list_) == {"subscribed": 2, "unsubscribed": 0}
        assert list_rows.standing_of(host, list_, who) == dict.fromkeys(who, "subscribed")
        assert list_rows.use(host, list_) == list_rows.Use(mailings=0, campaigns=0, contacts=4, others=0)
        assert len(session.scalars(list_rows.history(list_)).all()) == 2


def test_one_is_added_taken_off_and_comes_back(small_host: Catalogue, news: int) -> None:
    client, add = small_host.client(), f"{LISTS}{news}/add?q=example.org"
    who = {"contact_source": "contact", "contact_key": "2"}
    assert "Ada is on the list" in post(client, add, **who).text
    row = small_host.host.session.scalars(select(Subscription.id).where(Subscription.contact_key == "2")).one()
    assert "Ada was taken off" in post(client, f"{LISTS}{news}/unsubscribe/{row}").text
    assert "They asked to come back" in client.get(add).text
    assert "stays off" in post(client, add, **who).text
    assert on(small_host, news) == {"1": "subscribed", "2": "unsubscribed"}
    assert "Ada is on the list" in post(client, add, **who, again="1").text
    history = client.get(f"{LISTS}{news}/history").text
    assert "Wants mail again, entered by all" in history
    assert "Unsubscribed by all" in history


def test_who_opted_out_of_everything_is_not_added(small_host: Catalogue, news: int) -> None:
    scope, reason = SuppressionScope.ALL_BUT_TRANSACTIONAL, SuppressionReason.OPT_OUT
    suppress(small_host.host, contact=ADA, scope=scope, reason=reason)
    small_host.host.session.commit()
    said = post(small_host.client(), f"{LISTS}{news}/add?q=ada", contact_source="contact", contact_key="2", again="1")
    assert "opted out of every mailing" in said.text
    assert "2" not in on(small_host, news)


@pytest.mark.parametrize("key", ["3", "x", "1' OR 1=1 --", ""])
def test_a_contact_the_host_does_not_have_is_refused(small_host: Catalogue, news: int, key: str) -> None:
    said = post(small_host.client(), f"{LISTS}{news}/add?q=a", contact_source="contact", contact_key=key)
    assert "no longer there" in said.text
    assert on(small_host, news) == {"1": "subscribed"}


def test_a_criterion_counts_first_and_adds_then(small_host: Catalogue, news: int) -> None:
    host, client = small_host.host, small_host.client()
    rule = {"all": [{"field": "city", "op": "in", "value": ["Lyon", "Turin"]}]}
    now = host.clock()
    host.session.add(Criterion(name="Two", contact_source="contact", rule=rule, created_at=now, updated_at=now))
    host.session.commit()
    page = f"{LISTS}{news}/add-by-criterion?criterion=1"
    assert "Add 1 contact" in client.get(page).text
    assert on(small_host, news) == {"1": "subscribed"}
    assert "1 contact was added" in post(client, page, criterion="1", evidence="Signed up").text
    assert on(small_host, news) == {"1": "subscribed", "2": "subscribed"}
    evidence = host.session.scalars(select(Subscription.evidence).where(Subscription.contact_key == "2")).one()
    assert evidence == "Signed up – added by criterion “Two”, all"
    assert "There is nobody to add" in client.get(page).text


def upload(client: FlaskClient, news: int, data: bytes, name: str = "people.csv") -> Any:
    address = f"{LISTS}{news}/import"
    fields = {**form_of(client.get(address).text), "step": "upload", "file": (io.BytesIO(data), name)}
    return client.post(address, data=fields, content_type="multipart/form-data")


def step(client: FlaskClient, news: int, name: str, **more: Any) -> Any:
    held = held_file.packed(FILE.encode("cp1252"))
    address = f"{LISTS}{news}/import"
    fields = {"column": "E-mail", "source": "contact", "evidence": "", "name": "people.csv", "held": held, **more}
    fields |= {**form_of(client.get(address).text), "step": name}
    return client.post(address, data=fields, content_type="multipart/form-data")


def test_a_file_is_tried_before_it_is_imported(small_host: Catalogue, news: int) -> None:
    client = small_host.client()
    unsubscribe(small_host.host, small_host.host.session.get_one(List, news), [ZOE], evidence="by mail")
    small_host.host.session.commit()
    columns = upload(client, news, FILE.encode("cp1252")).text
    assert '<option selected value="E-mail">' in columns
    assert "Zoë" in columns
    tried = step(client, news, "check").text
    assert "4 rows" in tried
    assert "There is nobody to add" in tried
    assert "who@example.org" in tried
    step(client, news, "apply")
    assert on(small_host, news) == {"1": "unsubscribed"}


def test_a_file_adds_and_says_whom_not(small_host: Catalogue, news: int) -> None:
    offers = List(name="Offers", created_at=small_host.host.clock())
    small_host.host.session.add(offers)
    small_host.host.session.commit()
    client, number = small_host.client(), offers.id
    assert "Add 1 contact to “Offers”" in step(client, number, "check").text
    assert on(small_host, number) == {}
    done = step(client, number, "apply", evidence="Fair").text
    assert "1 contact was added" in done
    assert "Import finished" in done
    assert on(small_host, number) == {"1": "subscribed"}
    answer = step(client, number, "download")
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row[:2] for row in rows] == [
        ["row", "address"],
        ["3", "who@example.org"],
        ["4", "not an address"],
        ["5", "'=1+1"],
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"a@example.org\nb@example.org\n", "must name the columns"),
        (b"x" * (held_file.LARGEST + 1), "larger than 5 MB"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(small_host: Catalogue, news: int, data: bytes, words: str) -> None:
    answer = upload(small_host.client(), news, data)
    assert answer.status_code == 422
    assert words in answer.text


def test_without_a_file_nothing_happens(small_host: Catalogue, news: int) -> None:
    client, address = small_host.client(), f"{LISTS}{news}/import"
    answer = client.post(address, data={**form_of(client.get(address).text), "step": "apply"})
    assert answer.status_code == 422
    assert "No file was chosen" in answer.text


def test_a_held_file_comes_back_and_is_bounded() -> None:
    data = bytes(range(256)) * 5000
    pieces = held_file.packed(data)
    assert held_file.unpacked(pieces) == data
    assert max(map(len, pieces)) <= held_file.PIECE
    for bad in ([], ["%%"], ["AAAA"], held_file.packed(b"0" * (held_file.LARGEST + 1))):
        with pytest.raises(ImportRefused):
            held_file.unpacked(bad)


def test_an_export_runs_in_no_spreadsheet(small_host: Catalogue, news: int) -> None:
    zoe = small_host.host.session.get(small_host.contact, 1)
    zoe.first_name = "=cmd()"
    small_host.host.session.commit()
    answer = small_host.client().get(f"{LISTS}{news}/export", buffered=True)
    assert answer.mimetype == "text/csv"
    assert "'=cmd()" in answer.data.decode()


def test_changes_need_right_token_and_post(small_host: Catalogue, news: int) -> None:
    writer, nobody = small_host.client("writer"), small_host.client("nobody")
    assert nobody.get(LISTS).status_code == 403
    assert writer.get(f"{LISTS}{news}").status_code == 200
    assert writer.post(f"{LISTS}{news}/add", data={"contact_source": "contact", "contact_key": "2"}).status_code == 400
    assert writer.post(f"{LISTS}{news}/delete").status_code == 400
    assert writer.get(f"{LISTS}999").status_code == 404
    assert on(small_host, news) == {"1": "subscribed"}


def test_people_are_hidden_from_those_who_may_not_see_them(make_host: Callable[..., Catalogue]) -> None:
    built = make_host("discreet", permission=lambda user, act, subject: act != "people.view")
    with built.app.app_context():
        row = List(name="News", created_at=built.host.clock())
        built.host.session.add(row)
        subscribe(built.host, row, [ZOE], evidence="")
        built.host.session.commit()
        number = row.id
    client = built.client()
    shown = client.get(f"{LISTS}{number}").text
    assert "zoe@example.org" not in shown
    for page in ("add?q=zoe", "history", "export"):
        assert client.get(f"{LISTS}{number}/{page}").status_code == 403


@pytest.mark.parametrize("width", [1280, 390])
def test_the_screens_are_clean(small_host: Catalogue, news: int, open_page: Callable[..., Page], width: int) -> None:
    page = open_page(small_host, width=width)
    pages = [
        "",
        "new",
        f"{news}",
        f"{news}/edit",
        f"{news}/history",
        f"{news}/add?q=a",
        f"{news}/import",
        f"{news}/delete",
    ]
    for name in [*pages, f"{news}?state=unsubscribed", f"{news}/add-by-criterion"]:
        page.goto(LISTS + name)
        assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.troubles == []  # type: ignore[attr-defined]


def test_a_person_imports_a_file(small_host: Catalogue, news: int, open_page: Callable[..., Page]) -> None:
    page = open_page(small_host, width=390, scripts=False)
    page.goto(f"{LISTS}{news}/import")
    rows = "\n".join(["E-mail", "ada@example.org", "nobody"])
    page.get_by_label("CSV file").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    page.get_by_role("button", name="Upload").click()
    page.get_by_label("How do you know").fill("Paper form")
    page.get_by_role("button", name="Check the file").click()
    page.get_by_role("button", name="Add 1 contact").click()
    page.get_by_role("link", name="Go to the list").click()
    page.get_by_text("ada@example.org").wait_for()
    assert on(small_host, news) == {"1": "subscribed", "2": "subscribed"}


@pytest.mark.parametrize(("target", "shown"), [("contact", False), ("membership", True), ("both", True)])
def test_a_status_kept_with_the_membership_is_shown(
    make_host: Callable[..., Catalogue], target: str, shown: bool
) -> None:
    small = make_host("keeps", target=target)
    with small.app.app_context():
        now = small.host.clock()
        news = List(name="News", created_at=now)
        small.host.session.add(news)
        small.host.session.flush()
        on_it = {"list_id": news.id, "contact_source": "contact", "contact_key": "1", "since": now}
        small.host.session.add(Subscription(**on_it, status="interested"))
        small.host.session.commit()
        page = small.client().get(f"/admin/massmail/lists/{news.id}").text
    assert ("interested" in page) is shown
