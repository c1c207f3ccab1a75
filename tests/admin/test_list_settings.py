"""Topics, segments, words by language, who is found, and opt-outs in bulk: what stands around the people of a list."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_login import login_user
from playwright.sync_api import Page
from sqlalchemy import select

from massmail_plugin.admin.contacts.panel import contact_panel
from massmail_plugin.admin.lists import in_bulk
from massmail_plugin.audience import imports
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.subscriptions.subscribing import subscribe, unsubscribe
from massmail_plugin.consent.wishes.preferences import opted_out_of_everything
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import (
    ConsentText,
    Criterion,
    Import,
    List,
    Mailing,
    Segment,
    Suppression,
    Template,
    Topic,
)
from massmail_plugin.vocabulary import Act, ConsentWay, MailingState
from tests.admin.conftest import Catalogue, User, faults, form_of

LISTS = "/admin/massmail/lists/"
ZOE, ADA = ContactRef("contact", "1"), ContactRef("contact", "2")
IN_LYON = {"all": [{"field": "city", "op": "is", "value": "Lyon"}]}


def post(client: FlaskClient, address: str, **data: Any) -> Any:
    """A form sent with the token of the page it stands on."""
    return client.post(address, data={**form_of(client.get(address).text), **data}, follow_redirects=True)


@pytest.fixture
def news(small_host: Catalogue) -> int:
    """A list that the criterion “Lyon” keeps; Ada was put on it by hand and has left."""
    host = small_host.host
    criterion = Criterion(
        name="Lyon", contact_source="contact", rule=IN_LYON, created_at=host.clock(), updated_at=host.clock()
    )
    row = List(name="News", created_at=host.clock(), criterion=criterion)
    host.session.add(row)
    host.session.flush()
    text = ConsentText(list_id=row.id, locale="en", number=3, words="I want the news.", created_at=host.clock())
    host.session.add(text)
    host.session.flush()
    signed_up = Proof(
        ConsentWay.FORM, evidence="Signed up and confirmed", origin="192.0.2.7, Firefox", consent_text_id=text.id
    )
    subscribe(host, row, [ADA], proof=signed_up)
    unsubscribe(host, row, [ADA], proof=Proof(ConsentWay.ONE_CLICK, evidence="One click", message_id=77))
    host.session.commit()
    return row.id


@pytest.mark.parametrize(("kind", "model"), [("topics", Topic), ("segments", Segment)])
def test_a_topic_is_made_used_and_kept_from_being_deleted(small_host: Catalogue, kind: str, model: Any) -> None:
    client, host = small_host.client(), small_host.host
    assert "was saved" in post(client, f"{LISTS}{kind}/new", name="Prices", active="y").text
    assert "has this name" in post(client, f"{LISTS}{kind}/new", name="prices").text
    row = host.session.scalars(select(model)).one()
    field = "topic_id" if kind == "topics" else "segment_id"
    assert "was saved" in post(client, LISTS + "new", name="Offers", **{field: str(row.id)}).text
    assert "Prices" in client.get(LISTS).text
    assert "one list belongs to it" in client.get(f"{LISTS}{kind}/{row.id}/delete").text
    post(client, f"{LISTS}{kind}/{row.id}/edit", name="Old prices")
    host.session.expire_all()
    assert (row.name, row.active) == ("Old prices", False)
    assert "Old prices" in client.get(LISTS + "1/edit").text, "it stays where it was chosen"
    assert "Old prices" not in client.get(LISTS + "new").text
    host.session.delete(host.session.scalars(select(List)).one())
    host.session.commit()
    assert "was deleted" in post(client, f"{LISTS}{kind}/{row.id}/delete").text
    assert host.session.scalars(select(model.id)).all() == []


def test_a_template_takes_a_topic_and_finds_it(small_host: Catalogue) -> None:
    client, host = small_host.client(), small_host.host
    host.session.add_all([Topic(name="Prices", public_name="Our prices"), Segment(name="Schools")])
    host.session.commit()
    words = {"name": "Spring", "subject": "Hello", "format": "text", "text": "Hello {{ mailing.topic }}"}
    assert "was saved" in post(client, "/admin/massmail/templates/new", **words, topic_id="1", segment_id="1").text
    template = host.session.scalars(select(Template)).one()
    assert (template.topic_title, template.segment.name if template.segment else "") == ("Our prices", "Schools")
    assert "Spring" in client.get("/admin/massmail/templates/?q=price").text
    assert "Hello Our prices" in client.get(f"/admin/massmail/templates/{template.id}?view=text").text


def test_words_by_language(small_host: Catalogue, news: int) -> None:
    client, host = small_host.client(), small_host.host
    given = {"de-name": "Neuigkeiten", "de-sign_up": "Ich möchte Neuigkeiten.", "fr-description": "Une fois par mois"}
    assert "were saved" in post(client, f"{LISTS}{news}/words", **given).text
    host.session.expire_all()
    row = host.session.get_one(List, news)
    assert (row.title_in("de"), row.title_in("fr"), row.description_in("fr")) == (
        "Neuigkeiten",
        "News",
        "Une fois par mois",
    )
    assert row.sign_up_words_in("de") == "Ich möchte Neuigkeiten."
    assert "Neuigkeiten" in client.get(f"{LISTS}{news}/words").text
    too_long = post(client, f"{LISTS}{news}/words", **{"de-name": "x" * 201})
    assert (too_long.status_code, "at most 200" in too_long.text) == (422, True)


def test_words_of_a_topic_by_language(small_host: Catalogue) -> None:
    client, host = small_host.client(), small_host.host
    topic = Topic(name="Prices")
    host.session.add(topic)
    host.session.commit()
    address = f"{LISTS}topics/{topic.id}/words"
    assert address in client.get(f"{LISTS}topics/{topic.id}/edit").text
    given = {"de-name": "Preise", "fr-description": "Ce qui change"}
    assert "were saved" in post(client, address, **given).text
    host.session.expire_all()
    assert (topic.title_in("de"), topic.title_in("it"), topic.description_in("fr")) == (
        "Preise",
        "Prices",
        "Ce qui change",
    )
    assert "Preise" in client.get(address).text
    assert post(client, address, **{"de-name": "x" * 201}).status_code == 422


def test_whom_its_criterion_finds(small_host: Catalogue, news: int) -> None:
    client = small_host.client()
    shown = client.get(f"{LISTS}{news}/found").text
    assert "zoe@example.org" in shown
    assert "ada@example.org" not in shown
    address = f"{LISTS}{news}/person/unsubscribe?contact_source=contact&contact_key=1"
    assert "was taken off" in post(client, address).text
    assert "Unsubscribed" in client.get(f"{LISTS}{news}/found").text
    small_host.host.session.expire_all()
    small_host.host.session.scalars(select(Criterion)).one().rule = {"all": [{"field": "gone", "op": "is", "value": 1}]}
    small_host.host.session.commit()
    assert "The criterion cannot be used" in client.get(f"{LISTS}{news}/found").text


def test_a_list_cannot_be_kept_by_a_criterion_that_asks_for_it(small_host: Catalogue, news: int) -> None:
    host, client = small_host.host, small_host.client()
    criterion = host.session.scalars(select(Criterion)).one()
    criterion.rule = {"all": [{"list": "on", "lists": [news]}]}
    host.session.commit()
    answer = post(client, f"{LISTS}{news}/edit", name="News", criterion_id=str(criterion.id))
    assert answer.status_code == 422
    host.session.expire_all()
    assert post(client, f"{LISTS}{news}/edit", name="News").status_code == 200


def test_the_history_of_one_person_says_who_how_and_to_which_words(small_host: Catalogue, news: int) -> None:
    client = small_host.client()
    shown = client.get(f"{LISTS}{news}/person?contact_source=contact&contact_key=2").text
    for said in (
        "Signed up and confirmed",
        "From 192.0.2.7, Firefox",
        "The words they agreed to (en, version 3)",
        "I want the news.",
        "Pressed the button of the mail program",
        "/mailings/received/77",
    ):
        assert said.lower() in shown.lower(), said
    assert client.get(f"{LISTS}{news}/person?contact_source=contact&contact_key=999").status_code == 404


@pytest.mark.parametrize("many", [False, True])
def test_opt_outs_in_bulk(small_host: Catalogue, news: int, monkeypatch: pytest.MonkeyPatch, many: bool) -> None:
    """Few at once, many by the workers; counted before."""
    host, client = small_host.host, small_host.client()
    if many:
        monkeypatch.setattr(in_bulk, "AT_ONCE", 0)
    page = LISTS + "opt-outs?criterion=1"
    assert "1 contact</strong>" in client.get(page).text
    assert host.session.scalars(select(Suppression)).all() == []
    form = {"criterion": "1", "what": "out", "topic": ""}
    assert "Say how you know" in post(client, page, **form).text
    done = post(client, page, **form, evidence="Letters of May").text
    host.session.expire_all()
    if many:
        row = host.session.scalars(select(Import)).one()
        assert (row.purpose, row.state, row.dry_run, row.evidence) == ("opt_out", "waiting", False, "Letters of May")
        assert not imports.run(host, row.id)
        assert opted_out_of_everything(host, ZOE)
        assert not opted_out_of_everything(host, ADA)
        return
    assert "1 contact was opted out" in done
    assert opted_out_of_everything(host, ZOE)
    stop = host.session.scalars(select(Suppression)).one()
    assert (stop.note, stop.created_by) == ("Letters of May – opted out by criterion “Lyon”, all", "all")
    assert "nobody for whom" in client.get(page).text
    back = {"criterion": "1", "what": "in", "topic": ""}
    assert "1 contact was let have mail again" in post(client, page + "&what=in", **back, evidence="They called").text
    host.session.expire_all()
    assert not opted_out_of_everything(host, ZOE)
    assert small_host.client("writer").get(page).status_code == 403


def test_a_right_for_each_list(make_host: Callable[..., Catalogue]) -> None:
    """Who may not manage a list does not see it, and who may not send to one of a mailing's lists cannot send it."""

    def may(user: Any, act: Act, subject: Any) -> bool:
        return not (isinstance(subject, List) and subject.name == "Secret")

    built = make_host("rights", permission=may)
    with built.app.app_context():
        host = built.host
        lists = [List(name=name, created_at=host.clock()) for name in ("News", "Secret")]
        mailing = Mailing(
            name="Spring", state=MailingState.DRAFT, contact_source="contact", created_at=host.clock(), lists=lists
        )
        host.session.add(mailing)
        host.session.flush()
        subscribe(host, lists[1], [ZOE], proof=Proof(ConsentWay.PERSON, evidence="by hand"))
        host.session.commit()
        secret, number = lists[1].id, mailing.id
    client = built.client()
    shown = client.get(LISTS).text
    assert ("News" in shown, "Secret" in shown) == (True, False)
    who = "?contact_source=contact&contact_key=1"
    doors = [
        "",
        "/edit",
        "/words",
        "/found",
        "/history",
        "/export",
        "/add?q=zoe",
        "/by-criterion",
        "/archive",
    ]
    doors += ["/delete", f"/person{who}", f"/person/unsubscribe{who}", f"/person/subscribe-again{who}"]
    assert {door: client.get(f"{LISTS}{secret}{door}").status_code for door in doors} == dict.fromkeys(doors, 403)
    assert "to “Secret”" in client.get(f"/admin/massmail/mailings/{number}/send").text
    assert client.get(f"/admin/massmail/mailings/{number}/launch").status_code == 403
    with built.app.app_context():
        built.host.session.get_one(Mailing, number).lists = [built.host.session.get_one(List, 1)]
        built.host.session.commit()
    assert client.get(f"/admin/massmail/mailings/{number}/launch").status_code == 200


def test_the_record_of_a_contact_tells_the_history(small_host: Catalogue, news: int) -> None:
    with small_host.app.test_request_context():
        login_user(User("all"))
        shown = str(contact_panel(small_host.host, ADA))
    for said in ("Pressed the button of the mail program", "From 192.0.2.7, Firefox", "words of version 3 (en)"):
        assert said.lower() in shown.lower(), said


def test_the_screens_are_clean(small_host: Catalogue, news: int, open_page: Callable[..., Page]) -> None:
    """One walk over every screen here: axe looks at it on a phone, and it fits on both widths."""
    host = small_host.host
    host.session.add_all([Topic(name="Prices"), Segment(name="Schools")])
    host.session.commit()
    who = "?contact_source=contact&contact_key=2"
    pages = [
        "topics/",
        "topics/new",
        "segments/",
        "segments/1/edit",
        "topics/1/delete",
        "topics/1/words",
        "opt-outs?criterion=1",
    ]
    pages += [
        f"{news}{name}" for name in ("/words", "/found", "/archive", f"/person{who}", "/by-criterion?criterion=1")
    ]
    pages += [f"{news}/person/subscribe-again{who}", f"{news}/by-criterion?criterion=1&what=off", "?show=archived"]
    for width in (1280, 390):
        page = open_page(small_host, width=width)
        for name in pages:
            page.goto(LISTS + name)
            assert width == 1280 or faults(page) == [], name
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.troubles == []  # type: ignore[attr-defined]


def test_without_scripts_and_by_keyboard_a_topic_is_made(small_host: Catalogue, open_page: Callable[..., Page]) -> None:
    page = open_page(small_host, width=390, scripts=False)
    page.goto(LISTS)
    page.get_by_role("link", name="Topics").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="New topic").press("Enter")
    page.get_by_label("Name", exact=False).first.fill("Prices")
    page.get_by_role("button", name="Save topic").press("Enter")
    page.get_by_text("The topic “Prices” was saved").wait_for()
    assert small_host.host.session.scalars(select(Topic.name)).all() == ["Prices"]
