"""The screens of lists: make, archive or delete, members, adding by hand and by criterion."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page
from sqlalchemy import select

from massmail_plugin.admin.lists import rows as list_rows
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.consent.subscriptions.subscribing import subscribe, unsubscribe
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import Criterion, List, Subscription
from massmail_plugin.vocabulary import ConsentWay, SuppressionReason, SuppressionScope
from tests.admin.conftest import Catalogue, faults, form_of
from tests.consent.small_host import add_list, add_person, running_host

LISTS = "/admin/massmail/lists/"
ZOE, ADA = ContactRef("contact", "1"), ContactRef("contact", "2")
SEARCHES = {"": 2, "ZOE@": 1, "zoë": 1, "%": 1, "_": 0, "' OR 1=1 --": 0}
"""Text in the search field -> contacts it finds."""


@pytest.fixture
def news(small_host: Catalogue) -> int:
    """A list with Zoë on it."""
    host = small_host.host
    row = List(name="News", description="Once a month.", created_at=host.clock())
    host.session.add(row)
    subscribe(host, row, [ZOE], proof=Proof(ConsentWay.PERSON, evidence="Signed up at the fair"))
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
    assert "was saved" in post(client, LISTS + "new", name="Offers", public_name="Our offers", double_opt_in="y").text
    row = small_host.host.session.scalars(select(List)).one()
    assert (row.name, row.title, row.active, row.double_opt_in) == ("Offers", "Our offers", True, True)
    assert "was saved" in post(client, f"{LISTS}{row.id}/edit", name="Offers", description="Now and then").text
    small_host.host.session.refresh(row)
    assert (row.title, row.description, row.double_opt_in) == ("Offers", "Now and then", False)


def test_a_list_is_archived_and_brought_back(small_host: Catalogue, news: int) -> None:
    client, host = small_host.client(), small_host.host
    assert "is archived" in post(client, f"{LISTS}{news}/archive").text
    assert "This list is archived" in client.get(f"{LISTS}{news}").text
    assert "No lists yet" in client.get(LISTS).text
    assert "News" in client.get(LISTS + "?show=archived").text
    token = form_of(client.get(f"{LISTS}{news}").text)
    assert "in use again" in client.post(f"{LISTS}{news}/bring-back", data=token, follow_redirects=True).text
    host.session.expire_all()
    assert host.session.get_one(List, news).active


def test_a_name_is_needed_and_there_once(small_host: Catalogue, news: int) -> None:
    client = small_host.client()
    empty, twice = post(client, LISTS + "new", name=""), post(client, LISTS + "new", name="news")
    assert (empty.status_code, twice.status_code) == (422, 422)
    assert "Give the list a name." in empty.text
    assert "Another list has this name." in twice.text


def test_the_table_counts(small_host: Catalogue, news: int) -> None:
    host = small_host.host
    host.session.get_one(List, news).last_mailed_at = host.clock()
    unsubscribe(host, host.session.get_one(List, news), [ZOE], proof=Proof(ConsentWay.PERSON, evidence=""))
    subscribe(host, host.session.get_one(List, news), [ADA], proof=Proof(ConsentWay.PERSON, evidence=""))
    host.session.commit()
    text = " ".join(small_host.client().get(LISTS).text.split())
    assert '<td role="cell" data-label="Subscribed" class="mm-number">1</td>' in text
    assert '<td role="cell" data-label="Unsubscribed" class="mm-number">1</td>' in text
    assert "22 Nov 2026" in text


def test_only_a_list_without_history_is_deleted(small_host: Catalogue, news: int) -> None:
    client, host = small_host.client(), small_host.host
    assert "history of its contacts" in client.get(f"{LISTS}{news}/delete").text
    assert "history of its contacts" in post(client, f"{LISTS}{news}/delete").text
    host.session.add(List(name="Empty", created_at=host.clock()))
    host.session.commit()
    empty = host.session.scalars(select(List.id).where(List.name == "Empty")).one()
    assert "“Empty” was deleted" in post(client, f"{LISTS}{empty}/delete").text
    host.session.expire_all()
    assert [(row.name, row.active) for row in host.session.scalars(select(List))] == [("News", True)]


def test_members_are_found_by_name_and_address(small_host: Catalogue, news: int) -> None:
    subscribe(
        small_host.host, small_host.host.session.get_one(List, news), [ADA], proof=Proof(ConsentWay.PERSON, evidence="")
    )
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
        subscribe(host, list_, who, proof=Proof(ConsentWay.PERSON, evidence=""))
        found = {
            text: len(session.scalars(list_rows.members(host, list_, text, "subscribed")).all()) for text in SEARCHES
        }
        assert found == SEARCHES
        assert list_rows.lists(host, archived=False, text="new") == [list_]
        assert list_rows.lists(host, archived=True) == []
        assert list_rows.standing_of(host, list_, who) == dict.fromkeys(who, "subscribed")
        assert "history of its contacts" in list_rows.use_words(host, list_)
        assert list_rows.waiting_words(host, list_) == []
        assert len(session.scalars(list_rows.history(host, list_)).all()) == 2


def test_one_is_added_taken_off_and_comes_back(small_host: Catalogue, news: int) -> None:
    client, add = small_host.client(), f"{LISTS}{news}/add?q=example.org"
    who = {"contact_source": "contact", "contact_key": "2"}
    assert "Ada is on the list" in post(client, add, **who).text
    ada = f"{LISTS}{news}/person{{}}?contact_source=contact&contact_key=2"
    assert "Ada was taken off" in post(client, ada.format("/unsubscribe")).text
    assert "They asked to come back" in client.get(add).text
    token = form_of(client.get(f"{LISTS}{news}/edit").text)
    assert "stays off" in client.post(add, data={**token, **who}, follow_redirects=True).text
    assert on(small_host, news) == {"1": "subscribed", "2": "unsubscribed"}
    back = ada.format("/subscribe-again")
    assert "Say how you know" in post(client, back).text
    assert "on the list again" in post(client, back, evidence="Called on Monday").text
    assert on(small_host, news) == {"1": "subscribed", "2": "subscribed"}
    for page in (f"{LISTS}{news}/history", ada.format("")):
        history = client.get(page).text
        assert "Called on Monday, entered by all" in history
        assert "Unsubscribed by all" in history
        assert "By a colleague, all" in history


def test_who_opted_out_of_everything_is_not_added(small_host: Catalogue, news: int) -> None:
    scope, reason = SuppressionScope.ALL_BUT_TRANSACTIONAL, SuppressionReason.OPT_OUT
    suppress(small_host.host, contact=ADA, scope=scope, reason=reason)
    small_host.host.session.commit()
    who = {"contact_source": "contact", "contact_key": "2"}
    said = post(small_host.client(), f"{LISTS}{news}/add?q=ada", **who)
    assert "opted out of every mailing" in said.text
    address = f"{LISTS}{news}/person/subscribe-again?contact_source=contact&contact_key=2"
    assert "wants no mail at all" in small_host.client().get(address).text
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
    page = f"{LISTS}{news}/by-criterion?criterion=1"
    assert "Add 1 contact" in client.get(page).text
    assert on(small_host, news) == {"1": "subscribed"}
    assert "1 contact was added" in post(client, page, criterion="1", evidence="Signed up").text
    assert on(small_host, news) == {"1": "subscribed", "2": "subscribed"}
    evidence = host.session.scalars(select(Subscription.evidence).where(Subscription.contact_key == "2")).one()
    assert evidence == "Signed up – added by criterion “Two”, all"
    assert "There is nobody to add" in client.get(page).text
    assert "Take off 2 contacts" in client.get(page + "&what=off").text
    off = {"criterion": "1", "what": "off", "evidence": "They moved"}
    assert "2 contacts were taken off" in post(client, page + "&what=off", **off).text
    assert on(small_host, news) == {"1": "unsubscribed", "2": "unsubscribed"}
    history = client.get(f"{LISTS}{news}/history").text
    assert "They moved – taken off by criterion “Two”, all" in history


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
        subscribe(built.host, row, [ZOE], proof=Proof(ConsentWay.PERSON, evidence=""))
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
        f"{news}/delete",
    ]
    for name in [*pages, f"{news}?state=unsubscribed", f"{news}/by-criterion"]:
        page.goto(LISTS + name)
        assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.troubles == []  # type: ignore[attr-defined]


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
