"""The screens of data protection: find a person, see all that is held, hand it out, erase it; and what is too old."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import select

from massmail_plugin.admin.privacy.columns import SHOWN
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.models import Chunk, Erasure, Event, Mailing, OutboxMessage, Received, Suppression
from massmail_plugin.upkeep.privacy.held import VALUES
from massmail_plugin.upkeep.privacy.holdings import HOLDINGS
from massmail_plugin.vocabulary import MessageState, SuppressionReason, SuppressionScope
from tests.admin.conftest import NOON, Catalogue, faults, form_of

PRIVACY = "/admin/massmail/privacy/"
ZOE = {"contact_source": "contact", "contact_key": "1"}
ADDRESS = "zoe@example.org"


@pytest.fixture
def mailed(small_host: Catalogue) -> Catalogue:
    """Zoë got a mail and answered; a stranger's bounce names another address."""
    session = small_host.host.session
    mailing = Mailing(name="Spring <i>news</i>", contact_source="contact", state="finished", created_at=NOON)
    session.add(mailing)
    session.flush()
    session.add(Chunk(mailing_id=mailing.id, number=1, sent=1))
    message = OutboxMessage(
        mailing_id=mailing.id,
        chunk=1,
        contact_source="contact",
        contact_key="1",
        address_role="main",
        address=ADDRESS,
        state=MessageState.SENT.value,
        settled_at=NOON,
        reply_text="250 <script>alert(1)</script>",
    )
    session.add(message)
    session.flush()
    event = Event(message_id=message.id, mailing_id=mailing.id, kind="reply", at=NOON, detail="Re: <b>hello</b>")
    stray = {"origin": "file", "kind": "bounce", "at": NOON - timedelta(days=400)}
    session.add_all([event, Received(origin_id="1", address="lost@example.net", subject="Undelivered", **stray)])
    suppress(
        small_host.host,
        address=ADDRESS,
        scope=SuppressionScope.ALL_BUT_TRANSACTIONAL,
        reason=SuppressionReason.BY_PERSON,
        note="She called",
    )
    session.commit()
    return small_host


def post(client: FlaskClient, path: str, **data: str):
    token = form_of(client.get(PRIVACY).text)
    return client.post(PRIVACY + path, data={**token, **data})


def test_every_table_has_its_columns() -> None:
    assert set(SHOWN) == {one.name for one in HOLDINGS} | {VALUES}
    for one in HOLDINGS:
        known = {*one.model.__table__.c.keys(), *one.beside}
        assert set(SHOWN[one.name]) <= known, one.name


@pytest.mark.parametrize(
    ("who", "found", "status"),
    [
        ("zoë", ["Zoë"], 200),
        (ADDRESS.upper(), ["Zoë"], 200),
        ("lost@example.net", ["This address alone"], 200),
        ("nobody at all", ["Nobody found"], 200),
        ("", ["Enter a name"], 422),
        ("x" * 300, ["At most 254"], 422),
    ],
)
def test_people_are_found(mailed: Catalogue, who: str, found: list[str], status: int) -> None:
    page = post(mailed.client(), "find", who=who)
    assert page.status_code == status
    assert all(one in page.text for one in found)
    assert "find?" not in page.request.url


def test_a_page_shows_it_all_and_a_download_hands_it_out(mailed: Catalogue) -> None:
    client = mailed.client()
    answer = client.get(PRIVACY + "contact", query_string=ZOE)
    assert answer.headers["Cache-Control"] == "no-store"
    for said in ("Spring &lt;i&gt;news&lt;/i&gt;", "250 &lt;script&gt;", "Re: &lt;b&gt;hello", "She called", ADDRESS):
        assert said in answer.text
    file = post(client, "download", **ZOE)
    assert file.headers["Content-Disposition"] == 'attachment; filename="person-2026-11-22.json"'
    assert file.headers["Cache-Control"] == "no-store"
    said = json.loads(file.text)
    assert (said["name"], said["addresses"]) == ("Zoë", [ADDRESS])
    assert set(said["held"]) == {"mails", "events", "suppressions"}


def test_an_address_without_a_contact_is_shown_and_erased(mailed: Catalogue) -> None:
    client = mailed.client()
    page = post(client, "address", address="lost@example.net").text
    assert "Undelivered" in page
    assert post(client, "erase", address="lost@example.net", sure="y").status_code == 302
    mailed.host.session.expire_all()
    row = mailed.host.session.scalars(select(Received)).one()
    assert (row.address, row.subject) == ("", "")


def test_erasing_asks_twice_and_is_recorded(mailed: Catalogue) -> None:
    client = mailed.client()
    refused = post(client, "erase", **ZOE)
    assert refused.status_code == 422
    assert "Tick this" in refused.text
    assert post(client, "erase", **ZOE, sure="y", note="file 12").headers["Location"].endswith(PRIVACY)
    after = client.get(PRIVACY).text
    assert "The person is erased: 3 rows." in after
    assert "file 12" in after
    mailed.host.session.expire_all()
    row = mailed.host.session.scalars(select(Erasure)).one()
    assert (row.by, json.loads(row.counts)) == ("all", {"mails": 1, "events": 1, "suppressions": 1})
    assert mailed.host.session.scalars(select(OutboxMessage.address)).all() == [""]
    assert mailed.host.session.scalars(select(Suppression.address)).all() == [None, None]
    assert "Nothing was held" in client.get(post(client, "erase", **ZOE, sure="y").headers["Location"]).text


def test_a_mail_in_a_workers_hands_is_said_at_the_form(mailed: Catalogue) -> None:
    session = mailed.host.session
    session.query(OutboxMessage).update({"state": "planned"})
    session.query(Chunk).update({"leased_by": "worker"})
    session.commit()
    answer = post(mailed.client(), "erase", **ZOE, sure="y")
    assert answer.status_code == 422
    assert "Try again in a minute" in answer.text
    session.expire_all()
    assert session.scalars(select(OutboxMessage.address)).all() == [ADDRESS]


def test_only_those_with_the_right_come_in_and_only_by_our_own_forms(mailed: Catalogue) -> None:
    nobody, everybody = mailed.client("nobody"), mailed.client()
    assert "privacy" not in nobody.get("/admin/").text
    for path in ("", "contact", "retention"):
        assert nobody.get(PRIVACY + path, query_string=ZOE).status_code == 403
    for path in ("find", "address", "download", "erase", "retention/run"):
        assert nobody.post(PRIVACY + path, data=ZOE).status_code == 403
        assert everybody.post(PRIVACY + path, data={**ZOE, "sure": "y", "who": "a"}).status_code == 400
        assert everybody.get(PRIVACY + path).status_code == 405
    assert mailed.host.session.scalar(select(Erasure)) is None


@pytest.mark.parametrize(
    "wrong",
    [{}, {"contact_source": "x", "contact_key": "1"}, {"contact_source": "contact", "contact_key": "gone:1"}],
)
def test_who_is_not_named_is_not_looked_for(mailed: Catalogue, wrong: dict[str, str]) -> None:
    client = mailed.client()
    assert client.get(PRIVACY + "contact", query_string=wrong).status_code == 409
    for path in ("download", "address"):
        assert post(client, path, **wrong).status_code == 409
    assert post(client, "address", address="' OR 1=1 --").status_code == 409


def test_whoever_may_see_some_contacts_only_is_told_of_no_others(mailed: Catalogue) -> None:
    source = mailed.host.sources["contact"]
    object.__setattr__(source, "limit", lambda user: mailed.contact.first_name == "Ada")
    client = mailed.client()
    assert client.get(PRIVACY + "contact", query_string=ZOE).status_code == 409
    assert post(client, "erase", **ZOE, sure="y").status_code == 409
    assert post(client, "address", address="lost@example.net").status_code == 409
    assert "Nobody found" in post(client, "find", who=ADDRESS).text
    assert client.get(PRIVACY + "contact", query_string={**ZOE, "contact_key": "2"}).status_code == 200
    assert mailed.host.session.scalar(select(Erasure)) is None


def test_what_is_too_old_is_counted_and_deleted(mailed: Catalogue) -> None:
    client = mailed.client()
    assert "not yet" in client.get(PRIVACY + "retention").text
    counted = client.get(PRIVACY + "retention?count=1").text
    assert 'class="mm-number">1</td>' in counted
    answer = client.get(post(client, "retention/run").headers["Location"]).text
    assert "1 rows deleted" in answer or "1 row deleted" in answer
    assert "not yet" not in answer
    mailed.host.session.expire_all()
    assert mailed.host.session.scalar(select(Received)) is None


def test_in_a_browser(mailed: Catalogue, open_page: Callable[..., Page]) -> None:
    """Without scripts, on a phone and on a desk: found, looked at, handed out, erased."""
    for width, scripts in ((390, True), (1280, False)):
        page = open_page(mailed, "all", width=width, scripts=scripts)
        page.goto(PRIVACY)
        checked(page, scripts)
        page.get_by_label("Name or address").fill("Zoë")
        page.get_by_role("button", name="Find").click()
        checked(page, scripts)
        page.get_by_role("link", name="What is held about Zoë").click()
        expect(page.get_by_role("heading", name="Mails 1")).to_be_visible()
        checked(page, scripts)
        page.goto(PRIVACY + "retention?count=1")
        checked(page, scripts)
        assert page.troubles == []  # type: ignore[attr-defined]
    page.goto(PRIVACY + "contact?contact_source=contact&contact_key=1")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as JSON").click()
    assert json.loads(download.value.path().read_text())["name"] == "Zoë"
    page.get_by_role("button", name="Erase").click()
    expect(page.get_by_role("alert")).to_contain_text("Tick this")
    page.get_by_label("Erase this person for good").check()
    page.get_by_label("Why").fill("file 12")
    page.get_by_role("button", name="Erase").click()
    expect(page.get_by_role("status").first).to_contain_text("The person is erased")
    expect(page.get_by_role("table", name="Erasures")).to_contain_text("file 12")


def checked(page: Page, scripts: bool) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") if scripts else True
    assert faults(page) == [] if scripts else True
