"""The screens of suppressions: found by address and contact, added by hand, released with a note."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import select

from massmail_plugin.consent.stops.address_hashes import address_hash
from massmail_plugin.consent.stops.suppression import release, suppress
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import List, Suppression, Topic
from massmail_plugin.vocabulary import ConsentWay, SuppressionReason, SuppressionScope
from tests.admin.conftest import Catalogue, faults, form_of

SUPPRESSIONS = "/admin/massmail/suppressions/"
EVERYTHING = SuppressionScope.ALL_BUT_TRANSACTIONAL


@pytest.fixture
def two(small_host: Catalogue) -> tuple[int, int]:
    """An address that does not exist, and Ada, who opted out."""
    host = small_host.host
    gone = suppress(
        host, address="gone@example.org", scope=EVERYTHING, reason=SuppressionReason.HARD_BOUNCE, note="550"
    )
    ada = suppress(host, contact=ContactRef("contact", "2"), scope=EVERYTHING, reason=SuppressionReason.OPT_OUT)
    host.session.commit()
    return gone.id, ada.id


def post(client: FlaskClient, url: str, **data: Any) -> Any:
    """A form sent with the token of the page it stands on."""
    return client.post(url, data={**form_of(client.get(url).text), **data}, follow_redirects=True)


def test_they_are_found_by_address_contact_and_reason(small_host: Catalogue, two: tuple[int, int]) -> None:
    client = small_host.client()
    everything = client.get(SUPPRESSIONS).text
    for words in ("gone@example.org", "Ada", "ada@example.org", "Opted out", "Address does not exist", "every mailing"):
        assert words in everything
    by_address = client.get(SUPPRESSIONS + "?q=GONE@").text
    assert "gone@example.org" in by_address
    assert "ada@example.org" not in by_address
    assert "ada@example.org" in client.get(SUPPRESSIONS + "?q=Ada").text
    by_reason = client.get(SUPPRESSIONS + "?reason=opt_out").text
    assert "ada@example.org" in by_reason
    assert "gone@example.org" not in by_reason
    assert "Nothing found" in client.get(SUPPRESSIONS + "?q=%25").text


def test_an_address_is_added(small_host: Catalogue) -> None:
    client = small_host.client()
    assert "Nobody is suppressed" in client.get(SUPPRESSIONS).text
    said = post(client, SUPPRESSIONS + "new", address="Old@Example.org ", scope="", note="Asked by phone")
    assert "No mail goes to old@example.org any more" in said.text
    row = small_host.host.session.scalars(select(Suppression)).one()
    assert (row.address, row.scope, row.reason) == ("old@example.org", EVERYTHING, SuppressionReason.BY_PERSON)
    assert (row.note, row.created_by) == ("Asked by phone", "all")
    row.created_at -= timedelta(days=1)
    small_host.host.session.commit()
    assert "suppressed already" in post(client, SUPPRESSIONS + "new", address="old@example.org", scope="").text
    assert len(small_host.host.session.scalars(select(Suppression.id)).all()) == 1


def test_a_contact_is_found_and_stopped_for_one_list(small_host: Catalogue) -> None:
    host, client = small_host.host, small_host.client()
    news = List(name="News", created_at=host.clock())
    host.session.add(news)
    host.session.commit()
    assert "contact_key=1" in client.get(SUPPRESSIONS + "new?q=zoe").text
    chosen = SUPPRESSIONS + "new?contact_source=contact&contact_key=1"
    said = post(client, chosen, contact_source="contact", contact_key="1", scope=str(news.id)).text
    assert "No mail goes to Zoë any more" in said
    assert "the list “News”" in said
    row = host.session.scalars(select(Suppression)).one()
    assert (row.contact_key, row.list_id, row.scope) == ("1", news.id, SuppressionScope.LIST)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"address": ""}, "find a contact above"),
        ({"address": "a@example.org, b@example.org"}, "Address</a>"),
        ({"address": "a@example.org", "scope": "99"}, "Not a valid choice"),
        ({"address": "", "contact_source": "contact", "contact_key": "77"}, "find a contact above"),
    ],
)
def test_what_cannot_be_stopped_is_said(small_host: Catalogue, data: dict[str, str], words: str) -> None:
    answer = post(small_host.client(), SUPPRESSIONS + "new", **{"scope": "", **data})
    assert answer.status_code == 422
    assert words in answer.text
    assert small_host.host.session.scalars(select(Suppression)).all() == []


def test_a_release_needs_a_note(small_host: Catalogue, two: tuple[int, int]) -> None:
    client, address = small_host.client(), f"{SUPPRESSIONS}{two[1]}/release"
    assert "They opted out themselves" in client.get(address).text
    refused = post(client, address, note="  ")
    assert refused.status_code == 422
    assert "Say why" in refused.text
    assert "Mail may go to Ada again" in post(client, address, note="Wrote to us on Monday").text
    small_host.host.session.expire_all()
    assert small_host.host.session.scalars(select(Suppression.id)).all() == [two[0]]


def test_what_was_released_stays_in_the_history(small_host: Catalogue, two: tuple[int, int]) -> None:
    client = small_host.client()
    assert "Nothing was released yet" in client.get(SUPPRESSIONS + "released").text
    post(client, f"{SUPPRESSIONS}{two[0]}/release", note="Works again")
    for words in ("gone@example.org", "Works again", "550", "Address does not exist"):
        assert words in client.get(SUPPRESSIONS + "released?q=gone@").text
    assert "Nothing found" in client.get(SUPPRESSIONS + "released?q=nobody").text
    again = suppress(
        small_host.host, address="gone@example.org", scope=EVERYTHING, reason=SuppressionReason.HARD_BOUNCE
    )
    small_host.host.session.commit()
    shown = client.get(f"{SUPPRESSIONS}{again.id}").text
    assert "Stopped and released before" in shown
    assert "Works again" in shown


def test_a_topic_is_stopped_for_a_while(small_host: Catalogue) -> None:
    host, client = small_host.host, small_host.client()
    wine = Topic(name="Wine")
    host.session.add(wine)
    host.session.commit()
    fields = {"address": "a@example.org", "scope": f"topic-{wine.id}", "until": "2199-05-01"}
    said = post(client, SUPPRESSIONS + "new", **fields).text
    assert "No mail goes to a@example.org before 1 May 2199" in said
    assert "the topic “Wine”" in said
    row = host.session.scalars(select(Suppression)).one()
    assert (row.topic_id, row.way, row.until) == (wine.id, "person", datetime(2199, 5, 1, tzinfo=UTC))
    over = post(client, SUPPRESSIONS + "new", **{**fields, "until": "2001-05-01"})
    assert over.status_code == 422
    assert "over already" in over.text


def test_they_are_found_by_how_far_they_reach_and_how_they_came_about(
    small_host: Catalogue, two: tuple[int, int]
) -> None:
    host, client = small_host.host, small_host.client()
    news = List(name="News", created_at=host.clock())
    host.session.add(news)
    host.session.flush()
    by_file = {"reason": SuppressionReason.BY_PERSON, "way": ConsentWay.FILE}
    suppress(host, address="filed@example.org", scope=SuppressionScope.LIST, list_id=news.id, **by_file)
    host.session.commit()
    for query, there in (
        ("?scope=list", {"filed@example.org"}),
        ("?scope=all_but_transactional", {"gone@example.org", "ada@example.org"}),
        ("?way=file", {"filed@example.org"}),
        ("?way=server", {"gone@example.org", "ada@example.org"}),
        ("?scope=list&way=server", set()),
    ):
        text = client.get(SUPPRESSIONS + query).text
        assert {who for who in ("filed@example.org", "gone@example.org", "ada@example.org") if who in text} == there


def test_an_erased_address_is_found_by_whoever_knows_it(small_host: Catalogue) -> None:
    host, client = small_host.host, small_host.client()
    digest = address_hash(host.config, "erased@example.org")
    made = suppress(host, address_hash=digest, scope=EVERYTHING, reason=SuppressionReason.ERASED)
    host.session.commit()
    assert "An erased address" in client.get(SUPPRESSIONS + "?q=Erased@example.org").text
    assert "Nothing found" in client.get(SUPPRESSIONS + "?q=erased@").text
    assert digest in client.get(f"{SUPPRESSIONS}{made.id}").text
    assert "came back themselves" in client.get(f"{SUPPRESSIONS}{made.id}/release").text


def test_a_long_list_is_leafed_through_from_the_newest(small_host: Catalogue) -> None:
    host, client = small_host.host, small_host.client()
    for number in range(60):
        suppress(host, address=f"p{number}@example.org", scope=EVERYTHING, reason=SuppressionReason.BY_PERSON)
    host.session.commit()
    first = client.get(SUPPRESSIONS).text
    assert ("p59@example.org" in first, "p9@example.org" in first) == (True, False)
    (following,) = {part for part in re.findall(r'href="([^"]*)"', first) if "after=" in part}
    assert "p9@example.org" in client.get(unescape(following)).text


def test_who_may_see_and_who_may_change(small_host: Catalogue, two: tuple[int, int]) -> None:
    writer = small_host.client("writer")
    seen = writer.get(SUPPRESSIONS)
    assert seen.status_code == 200
    assert f"{two[0]}/release" not in seen.text
    assert "New suppression" not in seen.text
    for name in ("new", f"{two[0]}/release"):
        assert writer.get(SUPPRESSIONS + name).status_code == 403
        assert writer.post(SUPPRESSIONS + name, data=form_of(seen.text)).status_code == 403
        assert small_host.client().post(SUPPRESSIONS + name, data={"note": "x"}).status_code == 400
    assert small_host.client("nobody").get(SUPPRESSIONS).status_code == 403


def test_names_are_hidden_from_those_who_may_not_see_people(make_host: Callable[..., Catalogue]) -> None:
    built = make_host("discreet", permission=lambda user, act, subject: act != "people.view")
    with built.app.app_context():
        suppress(built.host, contact=ContactRef("contact", "1"), scope=EVERYTHING, reason=SuppressionReason.OPT_OUT)
        built.host.session.commit()
    client = built.client()
    for page in ("new?q=zoe", "new?contact_source=contact&contact_key=1"):
        answer = client.get(SUPPRESSIONS + page)
        assert answer.status_code == 200
        assert "Zoë" not in answer.text
    assert client.get(SUPPRESSIONS + "1/release").status_code == 403


def test_what_servers_and_people_wrote_is_shown_as_text(small_host: Catalogue) -> None:
    script = "550 <script>alert(1)</script>"
    host = small_host.host
    suppress(host, address="a@example.org", scope=EVERYTHING, reason=SuppressionReason.HARD_BOUNCE, note=script)
    zoe = host.session.get(small_host.contact, 1)
    zoe.first_name = '"><svg onload=alert(1)>'
    suppress(host, contact=ContactRef("contact", "1"), scope=EVERYTHING, reason=SuppressionReason.BY_PERSON)
    host.session.commit()
    text = small_host.client().get(SUPPRESSIONS + "?q=%3Csvg").text + small_host.client().get(SUPPRESSIONS).text
    assert "<script>alert" not in text
    assert "<svg" not in text


def test_the_screens_are_clean(small_host: Catalogue, two: tuple[int, int], open_page: Callable[..., Page]) -> None:
    page = open_page(small_host)
    release(small_host.host, small_host.host.session.get_one(Suppression, two[0]), by="ann", note="Works again")
    back = suppress(
        small_host.host,
        address="gone@example.org",
        scope=EVERYTHING,
        reason=SuppressionReason.HARD_BOUNCE,
        until=small_host.host.clock() + timedelta(days=1),
    )
    small_host.host.session.commit()
    new = ("new?q=a", "new?contact_source=contact&contact_key=1")
    for name in ("", *new, f"{back.id}", f"{back.id}/release", "released", "?q=nothing"):
        page.goto(SUPPRESSIONS + name)
        assert faults(page) == []
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.troubles == []  # type: ignore[attr-defined]


def test_a_person_releases_in_a_dialog(
    small_host: Catalogue, two: tuple[int, int], open_page: Callable[..., Page]
) -> None:
    page = open_page(small_host)
    page.goto(SUPPRESSIONS)
    page.get_by_role("link", name="Release gone@example.org").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("this address does not exist")
    dialog.get_by_label("Why may mail go there again?").fill("Works again, tested")
    dialog.get_by_role("button", name="Release").click()
    expect(page.get_by_role("status").first).to_contain_text("Mail may go to gone@example.org again")
    assert page.troubles == []  # type: ignore[attr-defined]
