"""Pixel and clicks over HTTP: what is answered, what is counted, and what counts nothing."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from massmail_plugin.signed_links import message_token
from tests.public.mailed_host import ANN, BROWSER, MailedHost

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


def test_head_counts_nothing(mailed: MailedHost, client: FlaskClient) -> None:
    token = mailed.token(ANN)
    assert client.head(f"/m/o/{token}.gif", headers=AGENT).status_code == 200
    assert client.head(f"/m/c/{token}/1", headers=AGENT).headers["Location"].startswith("https://shop.example/")
    assert client.head(f"/m/u/{token}", headers=AGENT).status_code == 200
    assert client.head(f"/m/p/{token}", headers=AGENT).status_code == 200
    assert (mailed.events(), mailed.reports()) == ([], [])
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


def test_token_of_a_mail_that_is_gone(mailed: MailedHost, client: FlaskClient) -> None:
    token = message_token(mailed.host.config, 4711)
    assert client.get(f"/m/o/{token}.gif").status_code == 404
    assert client.get(f"/m/c/{token}/1").status_code == 404
    assert client.get(f"/m/u/{token}").status_code == 404
    assert client.post(f"/m/u/{token}", data={"List-Unsubscribe": "One-Click"}).status_code == 404
