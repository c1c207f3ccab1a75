"""Pixel and clicks over HTTP: what is answered, what is counted, and what counts nothing."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from massmail_plugin.feedback.tracking.spool import writing
from massmail_plugin.models import Event
from massmail_plugin.public.quick_door import QuickDoor
from massmail_plugin.signed_links import message_token
from tests.public.mailed_host import ANN, BEN, BROWSER, EVE, MailedHost, mailed_host

AGENT = {"User-Agent": BROWSER}


@pytest.fixture
def client(mailed: MailedHost) -> FlaskClient:
    return mailed.app.test_client()


def test_pixel_is_a_small_gif_that_nobody_keeps(mailed: MailedHost, client: FlaskClient) -> None:
    answer = client.get(f"/m/o/{mailed.token(ANN)}.gif", headers=AGENT)
    assert (answer.status_code, answer.mimetype, len(answer.data)) == (200, "image/gif", 43)
    assert answer.data.startswith(b"GIF89a")
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers
    assert mailed.reports() == [("1", "read", 0)]


def test_click_leads_to_the_stored_target(mailed: MailedHost, client: FlaskClient) -> None:
    answer = client.get(f"/m/c/{mailed.token(ANN)}/1?url=https://evil.example/&next=//evil.example", headers=AGENT)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "https://shop.example/autumn?a=1&b=2"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer.headers["Cache-Control"]
    assert mailed.reports() == [("1", "read", 0), ("1", "clicked", 0)]


@pytest.mark.parametrize("number", [3, 5, 6, 7])
def test_target_that_is_no_web_page_gets_a_page_instead(mailed: MailedHost, client: FlaskClient, number: int) -> None:
    answer = client.get(f"/m/c/{mailed.token(ANN)}/{number}", headers=AGENT)
    assert answer.status_code == 404
    assert "Location" not in answer.headers
    assert "does not lead to a web page" in answer.text
    assert "alert" not in answer.text
    assert mailed.events() == []


def test_head_is_kept_as_a_machines_visit_and_changes_nothing(mailed: MailedHost, client: FlaskClient) -> None:
    token = mailed.token(ANN)
    assert client.head(f"/m/o/{token}.gif", headers=AGENT).status_code == 200
    assert client.head(f"/m/c/{token}/1", headers=AGENT).headers["Location"].startswith("https://shop.example/")
    assert client.head(f"/m/u/{token}", headers=AGENT).status_code == 200
    assert client.head(f"/m/p/{token}", headers=AGENT).status_code == 200
    assert (mailed.events(), mailed.reports()) == ([("open", True), ("click", True)], [])
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]


def test_robot_gets_its_answer_and_is_flagged(mailed: MailedHost, client: FlaskClient) -> None:
    token = mailed.token(ANN)
    assert client.get(f"/m/o/{token}.gif", headers={"User-Agent": "Googlebot/2.1"}).status_code == 200
    assert client.get(f"/m/c/{token}/1", headers={"User-Agent": ""}).status_code == 302
    assert mailed.events() == [("open", True), ("click", True)]
    assert mailed.reports() == []


def test_links_of_a_test_mail_work_and_count_nothing(mailed: MailedHost, client: FlaskClient) -> None:
    token = mailed.token(ANN, test=True)
    assert client.get(f"/m/o/{token}.gif", headers=AGENT).status_code == 200
    assert client.get(f"/m/c/{token}/1", headers=AGENT).status_code == 302
    assert (mailed.events(), mailed.reports()) == ([], [])


@pytest.mark.parametrize("wrong", ["x", "preview", "A" * 32, "A" * 5000, "%00", "é", "{token}x", "..%2f..%2fetc"])
def test_wrong_token_changes_nothing_and_never_asks_the_database(
    mailed: MailedHost, client: FlaskClient, wrong: str
) -> None:
    wrong = wrong.replace("{token}", mailed.token(ANN)[:-1])
    mailed.host.session.remove()
    asked: list[str] = []
    event.listen(mailed.host.db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    for method, path in [
        ("GET", f"/m/o/{wrong}.gif"),
        ("GET", f"/m/c/{wrong}/1"),
        ("GET", f"/m/u/{wrong}"),
        ("POST", f"/m/u/{wrong}"),
        ("POST", f"/m/u/{wrong}/undo"),
        ("GET", f"/m/p/{wrong}"),
        ("POST", f"/m/p/{wrong}"),
    ]:
        data = {"List-Unsubscribe": "One-Click", "act": "stop"} if method == "POST" else None
        assert client.open(path, method=method, data=data).status_code == 404
    assert asked == []


def test_pixel_of_a_wrong_token_still_is_an_image(client: FlaskClient) -> None:
    answer = client.get("/m/o/nonsense.gif")
    assert (answer.status_code, answer.mimetype, len(answer.data)) == (404, "image/gif", 43)


def test_links_of_a_mail_whose_row_is_gone_still_lead_there_and_count_nothing(
    mailed: MailedHost, client: FlaskClient
) -> None:
    """A mail outlives what is kept about it."""
    token = message_token(mailed.host.config, 4711, mailed.message(ANN).mailing_id)
    assert client.get(f"/m/o/{token}.gif").status_code == 200
    assert client.get(f"/m/c/{token}/1").headers["Location"] == "https://shop.example/autumn?a=1&b=2"
    assert client.get(f"/m/u/{token}").status_code == 404
    assert client.post(f"/m/u/{token}", data={"List-Unsubscribe": "One-Click"}).status_code == 404
    assert (mailed.events(), mailed.reports()) == ([], [])


def test_links_of_a_mailing_that_is_gone(mailed: MailedHost, client: FlaskClient) -> None:
    token = message_token(mailed.host.config, 4711, 4711)
    assert client.get(f"/m/o/{token}.gif").status_code == 200
    assert client.get(f"/m/c/{token}/1").status_code == 404
    assert mailed.events() == []


def test_the_hidden_link_leads_nowhere_and_is_kept(mailed: MailedHost, client: FlaskClient) -> None:
    answer = client.get(f"/m/c/{mailed.token(ANN)}/0", headers=AGENT)
    assert (answer.status_code, answer.data) == (204, b"")
    assert (mailed.events(), mailed.reports()) == ([("click", True)], [])


def test_link_with_a_field_leads_where_the_recipient_belongs(mailed: MailedHost, client: FlaskClient) -> None:
    leads = [client.get(f"/m/c/{mailed.token(who)}/2").headers["Location"] for who in (BEN, ANN, BEN)]
    assert [address.rpartition("/")[2] for address in leads] == ["Ben", "Ann", "Ben"]
    assert client.get(f"/m/c/{mailed.token(ANN)}/4").headers["Location"] == "https://shop.example/caf%C3%A9"


# --- The quick door -------------------------------------------------------------------------------------------

PLACES = ["o/{}.gif", "c/{}/1", "c/{}/4", "c/{}/1?x=1", "c/{}/2", "c/{}/3", "c/{}/0", "c/{}/99"]


@contextmanager
def behind(mailed: MailedHost) -> Iterator[None]:
    """The application without the quick door."""
    door = mailed.app.wsgi_app
    assert isinstance(door, QuickDoor)
    mailed.app.wsgi_app = door._behind  # type: ignore[method-assign]
    yield
    mailed.app.wsgi_app = door  # type: ignore[method-assign]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("agent", [BROWSER, "Googlebot/2.1", ""])
def test_both_ways_in_answer_and_keep_the_same(mailed: MailedHost, method: str, agent: str) -> None:
    headers, client = {"User-Agent": agent, "Sec-Purpose": "prefetch"}, mailed.app.test_client()
    for place in PLACES:
        path = f"/m/{place.format(mailed.token(ANN))}"
        client.get(path, headers=headers)
        mailed.drain()
        before = len(mailed.events())
        quick = client.open(path, method=method, headers=headers)
        with behind(mailed):
            ordinary = client.open(path, method=method, headers=headers)
        assert (quick.status, quick.data, dict(quick.headers)) == (
            *(ordinary.status, ordinary.data, dict(ordinary.headers)),
        )
        mailed.drain()
        what = select(Event.kind, Event.link_id, Event.user_agent, Event.request).order_by(Event.id).offset(before)
        kept = mailed.host.session.execute(what).all()
        assert kept in ([], [kept[0]] * 2 if kept else [])
        assert bool(kept) == (quick.status_code < 400)


def test_what_does_not_belong_to_the_quick_door_goes_on(mailed: MailedHost, client: FlaskClient) -> None:
    token = mailed.token(ANN)
    for path in ("/m/c/", "/m/o/", "/m/o/.gif", f"/m/c/{token}", f"/m/c/{token}/", f"/m/c/{token}/1/2", "/m/c/x/1"):
        assert client.get(path).status_code == 404
    assert client.post(f"/m/o/{token}.gif").status_code == 405
    assert client.post(f"/m/c/{token}/1").status_code == 405
    assert mailed.events() == []


def test_known_links_ask_nobody(mailed: MailedHost, client: FlaskClient) -> None:
    tokens = [mailed.token(who) for who in (ANN, BEN)]
    paths = [f"/m/o/{token}.gif" for token in tokens] + [f"/m/c/{token}/1" for token in tokens]
    client.get(paths[-1])
    asked: list[str] = []
    event.listen(mailed.host.db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    assert [client.get(path).status_code for path in paths] == [200, 200, 302, 302]
    assert asked == []


def test_a_host_can_have_its_own_functions_called_for_every_visit() -> None:
    app, visits = Flask("all_through"), []
    app.before_request(lambda: visits.append(request.path))
    mailed = mailed_host(app, config={"quick_door": False})
    with app.app_context():
        paths = [f"/m/o/{mailed.token(ANN)}.gif", f"/m/c/{mailed.token(ANN)}/1"]
        for path in paths * 2:
            app.test_client().get(path, headers=AGENT)
        assert visits == paths * 2
        assert len(mailed.events()) == 4


# --- What fails -----------------------------------------------------------------------------------------------


def down(*args: object) -> None:
    raise OperationalError("SELECT", {}, Exception("the server is gone"))


def test_a_database_that_is_down_keeps_nobody_from_a_known_link(mailed: MailedHost, client: FlaskClient) -> None:
    tokens = [mailed.token(who) for who in (ANN, BEN, EVE)]
    client.get(f"/m/c/{tokens[0]}/1", headers=AGENT)
    event.listen(mailed.host.db.engine, "before_cursor_execute", down)
    assert client.get(f"/m/c/{tokens[1]}/1", headers=AGENT).status_code == 302
    assert client.get(f"/m/o/{tokens[1]}.gif", headers=AGENT).status_code == 200
    unknown = client.get(f"/m/c/{tokens[2]}/4", headers=AGENT)
    assert (unknown.status_code, unknown.headers["Retry-After"]) == (503, "60")
    assert "try again" in unknown.text
    event.remove(mailed.host.db.engine, "before_cursor_execute", down)
    assert mailed.events() == [("click", False), ("click", False), ("open", False), ("click", False)]


def test_a_spool_that_cannot_be_written_keeps_nobody_waiting_and_loses_nothing(
    mailed: MailedHost, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    (mailed.host.state_dir / "spool").write_text("in the way")
    assert client.get(f"/m/c/{mailed.token(ANN)}/1", headers=AGENT).status_code == 302
    assert client.get(f"/m/o/{mailed.token(BEN)}.gif", headers=AGENT).status_code == 200
    (mailed.host.state_dir / "spool").unlink()
    assert mailed.events() == [("click", False), ("open", False)]
    assert "cannot be written" in caplog.text


def test_neither_spool_nor_database(mailed: MailedHost, client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    token = mailed.token(ANN)
    client.get(f"/m/c/{token}/1", headers=AGENT)
    mailed.host.session.remove()
    writing._writers.pop(mailed.host.state_dir).close()
    shutil.rmtree(mailed.host.state_dir / "spool")
    (mailed.host.state_dir / "spool").write_text("in the way")
    event.listen(mailed.host.db.engine, "before_cursor_execute", down)
    assert client.get(f"/m/c/{token}/1", headers=AGENT).status_code == 302
    event.remove(mailed.host.db.engine, "before_cursor_execute", down)
    assert "A hit is lost" in caplog.text
