"""The form for a lost link, over HTTP: the same answer for everybody, and only its POST does anything."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from massmail_plugin import mailings
from massmail_plugin.models import LinkRequest
from tests.public.mailed_host import MailedHost


@pytest.fixture
def client(mailed: MailedHost) -> FlaskClient:
    return mailed.app.test_client()


def asked(mailed: MailedHost) -> list[tuple[str, str, str]]:
    rows = mailed.host.session.scalars(select(LinkRequest).order_by(LinkRequest.id))
    return [(row.address, row.locale, row.network) for row in rows]


def test_the_answer_is_the_same_for_known_and_unknown_addresses(mailed: MailedHost, client: FlaskClient) -> None:
    answers = [client.post("/m/lost", data={"address": one}) for one in ("ann@example.org", "who@example.org")]
    for answer in answers:
        assert (answer.status_code, answer.headers["Location"]) == (303, "/m/lost/asked")
    assert answers[0].data == answers[1].data
    assert "If mails from us go to this address" in client.get("/m/lost/asked").text
    assert [address for address, _, _ in asked(mailed)] == ["ann@example.org", "who@example.org"]


def test_more_than_enough_requests_get_the_same_answer_and_no_mail(mailed: MailedHost, client: FlaskClient) -> None:
    answers = [client.post("/m/lost", data={"address": "ann@example.org"}) for _ in range(5)]
    assert {(answer.status_code, answer.headers["Location"]) for answer in answers} == {(303, "/m/lost/asked")}
    assert len(asked(mailed)) == 1


def test_language_and_network_are_kept(mailed: MailedHost, client: FlaskClient) -> None:
    address = {"REMOTE_ADDR": "2001:db8:1:2:3:4:5:6"}
    answer = client.post("/m/lost?lang=it", data={"address": "ann@example.org"}, environ_overrides=address)
    assert answer.headers["Location"] == "/m/lost/asked?lang=it"
    assert asked(mailed) == [("ann@example.org", "it", "2001:db8:1:2::/64")]


@pytest.mark.parametrize("address", ["", "ann", "ann@example.org\r\nBcc: eve@example.org", "\0", "a" * 300 + "@x.org"])
def test_what_is_no_address_is_asked_for_again(mailed: MailedHost, client: FlaskClient, address: str) -> None:
    answer = client.post("/m/lost", data={"address": address})
    assert answer.status_code == 422
    assert "This is no e-mail address." in answer.text
    assert asked(mailed) == []


def test_looking_asks_for_nothing(mailed: MailedHost, client: FlaskClient) -> None:
    for path in ("/m/lost", "/m/lost/asked", "/m/lost?address=ann@example.org"):
        assert client.get(path).status_code == 200
        assert client.head(path).status_code == 200
    assert client.post("/m/lost", data={"address": "x" * 100_000}).status_code == 413
    assert asked(mailed) == []


def test_the_form_of_a_broken_link_asks(mailed: MailedHost, client: FlaskClient) -> None:
    assert 'action="/m/lost"' in client.get("/m/u/broken").text
    assert 'name="address" type="email"' in client.get("/m/u/broken").text


def test_it_is_answered_by_the_scheduler(mailed: MailedHost, client: FlaskClient) -> None:
    client.post("/m/lost", data={"address": "ann@example.org"})
    assert mailings.answer_lost_links(mailed.host) == 1
    assert mailings.answer_lost_links(mailed.host) == 0
