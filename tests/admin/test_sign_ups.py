"""The screens of sign-ups: who waits and who confirmed with all that proves it, and the form for web sites."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from massmail_plugin.models import ConsentText, List, OutboxMessage, Sender, SignUp
from massmail_plugin.vocabulary import SignUpState
from tests.admin.conftest import NOON, Catalogue, faults, form_of

SIGN_UPS = "/admin/massmail/sign-ups/"


@pytest.fixture
def news(small_host: Catalogue) -> List:
    """A list with a form: somebody waits, somebody confirmed, somebody expired."""
    session = small_host.host.session
    list_ = List(name="News", sign_up=True, texts={"en": {"sign_up": "Send me <b>news</b>."}}, created_at=NOON)
    session.add_all([list_, Sender(name="Post", from_address="us@example.org", created_at=NOON)])
    session.flush()
    text = ConsentText(list_id=list_.id, locale="en", number=2, words="Send me <b>news</b>.", created_at=NOON)
    session.add(text)
    session.flush()
    for state in SignUpState:
        session.add(
            SignUp(
                list_id=list_.id,
                address=f"{state}@example.org",
                state=state.value,
                values={"name": "<script>alert(1)</script>"},
                locale="en",
                consent_text_id=text.id,
                origin="198.51.100.7 <img src=x>",
                created_at=NOON,
                asked_at=NOON,
                times_asked=2,
                confirmed_at=NOON if state is SignUpState.CONFIRMED else None,
                contact_source="contact" if state is SignUpState.CONFIRMED else None,
                contact_key="1" if state is SignUpState.CONFIRMED else None,
            )
        )
    session.commit()
    return list_


def sign_up(small_host: Catalogue, state: SignUpState) -> SignUp:
    return small_host.host.session.query(SignUp).filter_by(state=state.value).one()


def test_lists_with_forms_and_their_numbers(small_host: Catalogue, news: List) -> None:
    page = small_host.client().get(SIGN_UPS).text
    assert "News" in page
    assert "Open" in page


def test_sign_ups_are_listed_by_state_and_found_by_the_beginning_of_the_address(
    small_host: Catalogue, news: List
) -> None:
    client = small_host.client()
    for question, found in (
        ("", ["waiting"]),
        ("?state=confirmed", ["confirmed"]),
        ("?state=expired", ["expired"]),
        ("?state=waiting&q=WAIT", ["waiting"]),
        ("?state=waiting&q=%25", []),
        ("?state=waiting&q=aiting", []),
    ):
        page = client.get(f"{SIGN_UPS}{news.id}{question}").text
        assert [state for state in SignUpState if f">{state}@example.org</a>" in page] == found, question
    assert "Zoë" in client.get(f"{SIGN_UPS}{news.id}?state=confirmed").text


def test_one_shows_what_proves_it_and_strangers_words_are_text(small_host: Catalogue, news: List) -> None:
    row = sign_up(small_host, SignUpState.CONFIRMED)
    page = small_host.client().get(f"{SIGN_UPS}{news.id}/{row.id}").text
    assert "Send me &lt;b&gt;news&lt;/b&gt;." in page
    assert "Version 2, en" in page
    assert "198.51.100.7 &lt;img src=x&gt;" in page
    assert "<script>alert" not in page
    assert small_host.client().get(f"{SIGN_UPS}{news.id + 1}/{row.id}").status_code == 404


def test_asking_once_more_and_deleting(small_host: Catalogue, news: List) -> None:
    client, session = small_host.client(), small_host.host.session
    waiting, confirmed = (sign_up(small_host, state).id for state in (SignUpState.WAITING, SignUpState.CONFIRMED))
    token = form_of(client.get(f"{SIGN_UPS}{news.id}/{waiting}/ask").text)
    assert client.post(f"{SIGN_UPS}{news.id}/{waiting}/ask", data=token).status_code == 302
    session.expire_all()
    assert sign_up(small_host, SignUpState.WAITING).times_asked == 3
    assert session.query(OutboxMessage.address).all() == [("waiting@example.org",)]
    assert client.post(f"{SIGN_UPS}{news.id}/{confirmed}/ask", data=token).status_code == 409
    for one, left in ((confirmed, 3), (waiting, 2)):
        client.post(f"{SIGN_UPS}{news.id}/{one}/delete", data=token)
        session.expire_all()
        assert session.query(SignUp).count() == left


def test_the_form_page_says_what_is_missing(small_host: Catalogue, news: List) -> None:
    client = small_host.client()
    page = client.get(f"{SIGN_UPS}{news.id}/form").text
    assert "has not passed its test" in page
    assert "massmail.create_contact" in page
    assert "&lt;form action=" in page
    small_host.host.session.query(Sender).delete()
    small_host.host.session.query(List).update({"sign_up": False})
    small_host.host.session.commit()
    page = client.get(f"{SIGN_UPS}{news.id}/form").text
    assert "There is no sender to ask with" in page
    assert "The form is closed" in page


def test_the_file_is_for_those_who_may_see_people(small_host: Catalogue, news: List) -> None:
    assert "waiting@example.org" in small_host.client().get(f"{SIGN_UPS}{news.id}/export", buffered=True).text
    assert small_host.client("nobody").get(f"{SIGN_UPS}{news.id}/export").status_code == 403


def test_in_a_browser_on_phone_and_desk(small_host: Catalogue, news: List, open_page: Callable[..., Page]) -> None:
    row = sign_up(small_host, SignUpState.CONFIRMED)
    for width in (390, 1280):
        page = open_page(small_host, width=width)
        for address in ("", f"{news.id}", f"{news.id}/{row.id}", f"{news.id}/form"):
            page.goto(SIGN_UPS + address)
            expect(page.locator("h1")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
            if width == 390:
                assert faults(page) == [], address
        assert page.troubles == []  # type: ignore[attr-defined]
