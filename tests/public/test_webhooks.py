"""The door for providers, over HTTP: it takes what is signed, once, and refuses everything else fast and in words."""

import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update
from werkzeug.test import TestResponse

from massmail_plugin.models import EventFeed, EventTally, FeedNonce
from massmail_plugin.providers.request_files import LARGEST
from massmail_plugin.signed_links import message_id_field
from tests.cpu_time import best_of
from tests.feedback.provider_events.conftest import Listening, listening
from tests.providers.events.genuine import HMAC_KEY, MAKE, PASSWORD, hexadecimal, secret_of
from tests.providers.events.samples import MAIL, SAMPLES, TO, TOKEN
from tests.public.mailed_host import ANN

BOMB = zlib.compress(b"0" * 200_000_000, 9, 31)
"""200 MB in 200 kB."""


@pytest.fixture
def crm(database_url: str) -> Iterator[Listening]:
    yield from listening(database_url)


@pytest.fixture
def client(crm: Listening) -> FlaskClient:
    return crm.mailed.app.test_client()


def address(feed: EventFeed) -> str:
    return f"/m/events/{feed.path}"


def payload_of(crm: Listening, provider: str, **parts: str) -> Any:
    """The provider's sample of a delivery, about Ann's mail."""
    sample = next(one for one in SAMPLES[provider] if one.word.value == parts.get("word", "delivered"))
    token = crm.token(ANN) if sample.carries_token else ""
    written = json.dumps(sample.payload).replace(TOKEN, token)
    if not sample.carries_token:
        written = written.replace(MAIL, parts["message_id"])
    return json.loads(written)


def post(client: FlaskClient, crm: Listening, feed: EventFeed, payload: Any) -> TestResponse:
    request = crm.request(feed, payload)
    crm.host.session.rollback()
    return client.post(address(feed), data=request.body, headers=dict(request.headers))


@pytest.mark.parametrize("provider", sorted(MAKE))
def test_every_provider_is_heard_once_however_often_it_posts(
    crm: Listening, client: FlaskClient, provider: str
) -> None:
    feed = crm.feed(provider)
    left = message_id_field(crm.host.config, crm.mailed.message(ANN).id, "example.org")[1:33]
    payload = payload_of(crm, provider, message_id=left)
    for _ in range(10):
        assert post(client, crm, feed, payload).status_code == 200
    assert crm.kinds() == ["delivered"]
    hits = crm.host.session.scalar(select(func.sum(EventTally.hits)).where(EventTally.kind == "delivered"))
    assert hits == 1
    crm.host.session.refresh(feed)
    assert (feed.fault, feed.heard_at is not None) == ("", True)


@pytest.mark.parametrize("provider", sorted(MAKE))
def test_without_a_stored_key_nothing_is_accepted(crm: Listening, client: FlaskClient, provider: str) -> None:
    feed = crm.feed(provider)
    request = crm.request(feed, SAMPLES[provider][0].payload)
    crm.host.session.execute(update(EventFeed).values(secret=None))
    crm.host.session.commit()
    answer = client.post(address(feed), data=request.body, headers=dict(request.headers))
    assert (answer.status_code, crm.kinds()) == (401, [])


def test_nobody_listens_at_a_guessed_address(crm: Listening, client: FlaskClient) -> None:
    feed = crm.feed("postmark")
    path = address(feed)
    for wrong in (path[:-1], path + "x", path.swapcase(), path[:-1] + "\u00e9", "/m/events/" + "a" * 32):
        assert client.post(wrong, data=b"{}").status_code == 404
    crm.host.session.execute(update(EventFeed).values(active=False))
    crm.host.session.commit()
    assert client.post(path, data=b"{}").status_code == 404


def test_only_posts_are_taken(crm: Listening, client: FlaskClient) -> None:
    path = address(crm.feed("mandrill"))
    assert client.head(path).status_code == 200
    assert [client.get(path).status_code, client.put(path).status_code] == [405, 405]
    assert crm.kinds() == []


HOSTILE = {
    "nothing": b"",
    "noise": b"\xff\x00\xfe" * 100,
    "deep": b"[" * 10_000 + b"]" * 10_000,
    "deeper": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "repeated names": b'{"RecordType": "Delivery", "RecordType": "SpamComplaint"}',
    "long number": b"[" + b"9" * 100_000 + b"]",
    "not a number": b"[NaN]",
    "wrong encoding": '{"a": "ü"}'.encode("latin-1"),
}


@pytest.fixture
def light(tmp_path: Path) -> Iterator[Listening]:
    """For what never comes as far as the database."""
    yield from listening(f"sqlite:///{tmp_path / 'host.sqlite'}")


def refused_fast(crm: Listening, feed: EventFeed, body: bytes, headers: dict[str, str]) -> int:
    """The status; it must not take a second of this process."""
    client = crm.mailed.app.test_client()
    seconds, answer = best_of(3, 1, lambda: client.post(address(feed), data=body, headers=headers))
    assert seconds < 1
    assert crm.kinds() == []
    return answer.status_code


@pytest.mark.parametrize("provider", sorted(MAKE))
def test_hostile_bodies_are_refused_at_once(light: Listening, provider: str) -> None:
    """Also where the password is right, which says nothing about the body."""
    feed = light.feed(provider)
    proof = MAKE["postmark"]({}, light.host.clock(), PASSWORD)[1]
    for name, body in HOSTILE.items():
        for kind in ("application/json", "multipart/form-data; boundary=x"):
            assert 400 <= refused_fast(light, feed, body, {**proof, "Content-Type": kind}) < 500, name


def test_too_large_a_body_is_not_taken(light: Listening) -> None:
    assert refused_fast(light, light.feed("postmark"), b" " * 50_000_000, {"Content-Type": "application/json"}) == 413


def test_a_bomb_is_not_unpacked(light: Listening) -> None:
    assert refused_fast(light, light.feed("postmark"), BOMB, {"Content-Encoding": "gzip"}) == 413


def test_a_packed_body_is_read(crm: Listening, client: FlaskClient) -> None:
    feed = crm.feed("mailersend")
    request = crm.request(feed, payload_of(crm, "mailersend"))
    packed = {**request.headers, "content-encoding": "gzip"}
    assert client.post(address(feed), data=gzip.compress(request.body), headers=packed).status_code == 200
    assert crm.kinds() == ["delivered"]


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", b"not packed", 400),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-4], 400),
        ("br", b"x", 415),
        ("gzip, gzip", b"x", 415),
    ],
)
def test_what_cannot_be_unpacked_is_refused(light: Listening, encoding: str, body: bytes, status: int) -> None:
    assert refused_fast(light, light.feed("postmark"), body, {"Content-Encoding": encoding}) == status


def test_a_body_of_the_largest_size_is_worked_through_in_time(crm: Listening, client: FlaskClient) -> None:
    """Ten thousand events about nobody we know: kept within bounds, and the provider is thanked."""
    feed = crm.feed("sendgrid")
    events = [
        {"event": "bounce", "type": "bounce", "email": f"x{n}@example.net", "sg_event_id": f"e{n}"}
        for n in range(10_000)
    ]
    assert post(client, crm, feed, events).status_code == 200
    assert crm.kinds() == []
    padding = b" " * (LARGEST - 2)
    assert client.post(address(feed), data=b"[" + padding + b"]").status_code == 401
    assert client.post(address(feed), data=b"[ " + padding + b"]").status_code == 413


def test_a_signature_that_covers_no_body_serves_one_body_only(crm: Listening, client: FlaskClient) -> None:
    """Mailgun signs a time and a nonce. Whoever saw a request could put other events beside that signature."""
    feed = crm.feed("mailgun")
    request = crm.request(feed, payload_of(crm, "mailgun"))
    crm.host.session.rollback()
    kind = {"content-type": "application/json"}
    assert client.post(address(feed), data=request.body, headers=kind).status_code == 200
    stolen = json.dumps({**json.loads(request.body), "event-data": payload_of(crm, "mailgun", word="complaint")})
    assert client.post(address(feed), data=stolen, headers=kind).status_code == 401
    assert client.post(address(feed), data=request.body, headers=kind).status_code == 200
    assert crm.kinds() == ["delivered"]
    assert crm.host.session.scalar(select(func.count()).select_from(FeedNonce)) == 1


def test_a_stale_signature_is_refused_and_the_feed_says_why(crm: Listening, client: FlaskClient) -> None:
    feed = crm.feed("mailgun")
    stamp, nonce = str(int((crm.host.clock() - timedelta(days=3)).timestamp())), "n" * 50
    proof = {"timestamp": stamp, "token": nonce, "signature": hexadecimal(HMAC_KEY, (stamp + nonce).encode())}
    body = json.dumps({"signature": proof, "event-data": payload_of(crm, "mailgun")})
    answer = client.post(address(feed), data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, crm.kinds()) == (401, [])
    crm.host.session.refresh(feed)
    assert "too long ago" in feed.fault
    assert post(client, crm, feed, payload_of(crm, "mailgun")).status_code == 200
    crm.host.session.refresh(feed)
    assert feed.fault == ""


def test_while_the_database_is_out_of_order_the_provider_is_asked_to_come_again(
    crm: Listening, client: FlaskClient
) -> None:
    feed = crm.feed("postmark")
    request = crm.request(feed, payload_of(crm, "postmark"))
    crm.host.session.rollback()
    crm.host.session.execute(text("ALTER TABLE massmail_event RENAME TO massmail_event_away"))
    crm.host.session.commit()
    answer = client.post(address(feed), data=request.body, headers=dict(request.headers))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    crm.host.session.execute(text("ALTER TABLE massmail_event_away RENAME TO massmail_event"))
    crm.host.session.commit()
    assert client.post(address(feed), data=request.body, headers=dict(request.headers)).status_code == 200
    assert crm.kinds() == ["delivered"]


def test_nothing_secret_and_no_address_is_logged(
    crm: Listening, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    feed = crm.feed("mailersend")
    assert post(client, crm, feed, payload_of(crm, "mailersend")).status_code == 200
    client.post(address(feed), data=b"{}", headers={"Signature": "00", "Content-Type": "application/json"})
    assert secret_of("mailersend") not in caplog.text
    assert TO not in caplog.text
    assert feed.path not in caplog.text
    assert "refused" in caplog.text
