"""The pages of signing up, as browsers and programs use them: only a person's own presses of buttons do anything."""

from collections.abc import Iterator, Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from massmail_plugin.models import List, Sender
from massmail_plugin.public.sign_up_pages import TRAP
from tests.public.signing_host import ADDRESS, SigningHost, signing_host

ZOE = {"email": "zoe@example.org", "field-name": "Zoë"}


@pytest.fixture
def signing() -> Iterator[SigningHost]:
    app = Flask("signing")
    made = signing_host(app)
    with app.app_context():
        yield made


@pytest.fixture
def visitor(signing: SigningHost) -> FlaskClient:
    return signing.mailed.app.test_client()


def fill_in(signing: SigningHost, visitor: FlaskClient, given: Mapping[str, str], query: str = "") -> TestResponse:
    """As a person does: open the form, take a while, press the button."""
    shown = ADDRESS.findall(visitor.get(signing.form + query).text)[0]
    signing.wait(seconds=20)
    return visitor.post(signing.form + query, data={**given, "shown": shown})


def test_from_the_form_to_the_list(signing: SigningHost, visitor: FlaskClient) -> None:
    answer = fill_in(signing, visitor, ZOE)
    assert answer.status_code == 303
    assert "Look into your mailbox" in visitor.get(answer.location).text
    (row,) = signing.rows()
    (mail,) = signing.mails()
    link = signing.confirmation(row)
    assert f"https://crm.example.org{link}" in mail
    assert "Do you want “Monthly news”?" in visitor.get(link).text
    assert visitor.post(link).status_code == 303
    assert "You have confirmed" in visitor.get(link).text
    assert signing.rows()[0].contact_key == "4"


def test_the_answer_is_the_same_for_known_and_unknown(signing: SigningHost, visitor: FlaskClient) -> None:
    answers = [fill_in(signing, visitor, {**ZOE, "email": one}) for one in ("ann@example.org", "new@example.org")]
    assert len({(one.status_code, one.location, one.text) for one in answers}) == 1


def test_a_program_that_fills_in_everything_gets_thanks_and_is_forgotten(
    signing: SigningHost, visitor: FlaskClient
) -> None:
    answer = fill_in(signing, visitor, {**ZOE, TRAP: "https://buy.example"})
    assert answer.location == fill_in(signing, visitor, ZOE).location
    assert len(signing.rows()) == 1


def test_a_program_that_is_too_quick_is_asked_once_more(signing: SigningHost, visitor: FlaskClient) -> None:
    shown = ADDRESS.findall(visitor.get(signing.form).text)[0]
    answer = visitor.post(signing.form, data={**ZOE, "shown": shown})
    assert "Please look through this once more" in answer.text
    assert signing.rows() == []
    assert ADDRESS.findall(answer.text) == [shown]
    signing.wait(seconds=3)
    assert visitor.post(signing.form, data={**ZOE, "shown": shown}).status_code == 303


def test_a_form_on_another_web_site_leads_to_ours_filled_in(signing: SigningHost, visitor: FlaskClient) -> None:
    elsewhere = {"Origin": "https://shop.example", "Referer": "https://shop.example/"}
    answer = visitor.post(signing.form, data={"email": "zoe@example.org"}, headers=elsewhere)
    assert answer.status_code == 200
    assert 'value="zoe@example.org"' in answer.text
    assert signing.rows() == []
    signing.wait(seconds=5)
    shown = ADDRESS.findall(answer.text)[0]
    assert visitor.post(signing.form, data={**ZOE, "shown": shown}).status_code == 303


def test_what_is_wrong_is_said_at_the_field_and_what_was_typed_stays(
    signing: SigningHost, visitor: FlaskClient
) -> None:
    answer = fill_in(signing, visitor, {"email": "<b>zoe", "field-name": ""})
    assert answer.status_code == 422
    assert 'value="&lt;b&gt;zoe"' in answer.text
    assert 'aria-describedby="email-fault"' in answer.text
    assert 'id="field-name-fault"' in answer.text
    assert signing.rows() == []


def test_a_slip_is_asked_about_and_the_visitor_decides(signing: SigningHost, visitor: FlaskClient) -> None:
    slip = {**ZOE, "email": "zoe@gmial.com"}
    assert "Did you mean zoe@gmail.com?" in fill_in(signing, visitor, slip).text
    assert signing.rows() == []
    fill_in(signing, visitor, {**slip, "meant": "suggested"})
    fill_in(signing, visitor, {**slip, "meant": "typed"})
    assert [row.address for row in signing.rows()] == ["zoe@gmail.com", "zoe@gmial.com"]


def test_too_many_from_one_network_are_told_so(signing: SigningHost, visitor: FlaskClient) -> None:
    answers = [fill_in(signing, visitor, {**ZOE, "email": f"n{n}@example.org"}) for n in range(22)]
    assert [one.status_code for one in answers] == [303] * 20 + [429] * 2
    assert answers[-1].headers["Retry-After"] == "3600"
    assert len(signing.rows()) == 20


def test_without_a_sender_the_visitor_is_told_to_come_again(signing: SigningHost, visitor: FlaskClient) -> None:
    signing.host.session.query(Sender).delete()
    signing.host.session.commit()
    answer = fill_in(signing, visitor, ZOE)
    assert answer.status_code == 503
    assert "You are not signed up yet" in answer.text
    assert signing.rows() == []


def test_a_closed_form_and_a_broken_link_say_so(signing: SigningHost, visitor: FlaskClient) -> None:
    fill_in(signing, visitor, ZOE)
    link = signing.confirmation(signing.rows()[0])
    signing.wait(days=15)
    assert "Sign up again" in visitor.get(link).text
    signing.host.session.get_one(List, signing.list_id).sign_up = False
    signing.host.session.commit()
    closed = visitor.get(signing.form)
    assert (closed.status_code, "Nobody can sign up here" in closed.text) == (404, True)
    assert visitor.post(link).status_code == 200
    assert "Sign up again" not in visitor.get(link).text
    assert visitor.get(signing.form[:-1]).status_code == visitor.post(link[:-1]).status_code == 404
    assert [row.state for row in signing.rows()] == ["waiting"]


def test_pages_speak_the_language_of_the_link_and_of_the_sign_up(signing: SigningHost, visitor: FlaskClient) -> None:
    assert "Ihr Name" in visitor.get(f"{signing.form}?lang=de").text
    answer = fill_in(signing, visitor, ZOE, query="?lang=de")
    assert answer.location.endswith("/thanks?lang=de")
    (row,) = signing.rows()
    assert row.locale == "de"
    assert '<html lang="de">' in visitor.get(signing.confirmation(row)).text


def test_a_huge_form_is_not_read(signing: SigningHost, visitor: FlaskClient) -> None:
    assert visitor.post(signing.form, data={**ZOE, "more": "x" * 100_000}).status_code == 413
    assert signing.rows() == []
