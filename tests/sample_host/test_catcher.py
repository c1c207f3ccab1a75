"""The mail catcher: keeps bytes exactly, survives being killed, refuses a wrong login, and shows what came."""

import base64
import smtplib
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sample_host.catcher import reading, store
from sample_host.reachable import wait_until
from sample_host.services.child_process import Child, start

HTML = (
    '<html><head><title>x</title></head><body><a href="http://127.0.0.1:9/m/c/t/1">Open</a>'
    '<img src="http://127.0.0.1:9/m/o/t.gif" width="1" height="1" alt=""></body></html>'
)
MAIL = (
    "From: Fernhill <news@example.com>\r\nTo: Zoë <zoe@example.org>\r\nSubject: =?utf-8?q?Caff=C3=A8?=\r\n"
    "List-Unsubscribe: <mailto:x@example.com>, <{one_click}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + HTML + "\r\n.\r\n..two dots\r\n \r\n"
)


@pytest.fixture
def smtp(folder: Path) -> Iterator[tuple[Child, int]]:
    """A running catcher and its port."""
    with socket.create_server(("127.0.0.1", 0)) as trial:
        port = trial.getsockname()[1]
    command = [sys.executable, "-m", "sample_host.catcher.server", "--folder", folder / "caught", "--port", str(port)]
    child = start(command, log=folder / "catcher.log")
    try:
        assert wait_until(lambda: listens(port), 20), child.log_tail()
        yield child, port
    finally:
        child.stop()


def test_bytes_are_kept_exactly_and_survive_a_kill(smtp: tuple[Child, int], folder: Path) -> None:
    child, port = smtp
    content = MAIL.format(one_click="http://127.0.0.1:9/m/u/t").encode()
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail(
            "news@example.com", ["zoe@example.org", "noè@example.net"], content, ["SMTPUTF8", "BODY=8BITMIME"]
        )
    child.process.kill()
    (name,) = store.names(folder / "caught")
    assert store.content(folder / "caught", name) == content
    envelope = store.envelope(folder / "caught", name)
    assert (envelope.mail_from, envelope.rcpt_to) == ("news@example.com", ("zoe@example.org", "noè@example.net"))
    assert not list((folder / "caught").glob("*.part"))


def test_many_mails_through_a_pipelined_session_are_all_there(smtp: tuple[Child, int], folder: Path) -> None:
    with socket.create_connection(("127.0.0.1", smtp[1]), timeout=10) as connection:
        answers = connection.makefile("rb")
        assert answers.readline().startswith(b"220")
        connection.sendall(b"EHLO tests\r\n")
        offered = [answers.readline()]
        while offered[-1][3:4] == b"-":
            offered.append(answers.readline())
        assert b"250-PIPELINING\r\n" in offered
        for number in range(20):
            connection.sendall(b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b%d@example.org>\r\nDATA\r\n" % number)
            assert [answers.readline()[:3] for _ in range(3)] == [b"250", b"250", b"354"]
            connection.sendall(b"Subject: %d\r\n\r\nhello\r\n.\r\n" % number)
            assert answers.readline().startswith(b"250 2.0.0 Kept as ")
    caught = folder / "caught"
    assert [store.envelope(caught, name).rcpt_to[0] for name in reversed(store.names(caught))] == [
        f"b{number}@example.org" for number in range(20)
    ]
    assert len(store.names_to(caught, "B1")) == 11


def test_a_wrong_password_is_refused_with_535(smtp: tuple[Child, int]) -> None:
    with smtplib.SMTP("127.0.0.1", smtp[1]) as client:
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            client.login("demo", "wrong")
        assert refused.value.smtp_code == 535
        client.login("demo", "demo")
        plain = base64.b64encode(b"\0other\0demo").decode()
    with smtplib.SMTP("127.0.0.1", smtp[1]) as client:
        client.ehlo()
        assert client.docmd("AUTH", f"PLAIN {plain}")[0] == 535


def test_pages_show_the_mail_and_keep_it_harmless(crm: Flask, marketing: FlaskClient) -> None:
    name = keep(crm, "http://127.0.0.1:9/m/u/t")
    assert "Caffè" in marketing.get("/catcher/?to=zoe").text
    assert "No mail for an address" in marketing.get("/catcher/?to=nobody").text
    for view in ("html", "text", "headers", "source"):
        assert marketing.get(f"/catcher/{name}?view={view}").status_code == 200
    page = marketing.get(f"/catcher/{name}/html")
    assert page.text.startswith('<html><head><base target="_blank">')
    assert "sandbox allow-popups" in page.headers["Content-Security-Policy"]
    assert "img-src data:;" in marketing.get(f"/catcher/{name}/html?pictures=0").headers["Content-Security-Policy"]
    assert marketing.get(f"/catcher/{name}/raw").data == MAIL.format(one_click="http://127.0.0.1:9/m/u/t").encode()


@pytest.mark.parametrize("name", ["..%2f..%2fsecrets", "01795368334041204483-012291-000000", "x"])
def test_other_names_are_not_found(marketing: FlaskClient, name: str) -> None:
    assert marketing.get(f"/catcher/{name}").status_code == 404
    assert marketing.get(f"/catcher/{name}/raw").status_code == 404


def test_one_click_posts_as_a_mailbox_provider(crm: Flask, marketing: FlaskClient) -> None:
    with posts() as (address, heard):
        crm.config["MASSMAIL_BASE_URL"] = address
        name = keep(crm, f"{address}/m/u/t")
        answer = marketing.post(f"/catcher/{name}/one-click", follow_redirects=True)
    assert "the server answered 200" in answer.text
    ((path, headers, body),) = heard
    assert (path, body) == ("/m/u/t", reading.ONE_CLICK_BODY)
    assert "Cookie" not in headers


def test_one_click_goes_to_this_application_only(crm: Flask, marketing: FlaskClient) -> None:
    with posts() as (address, heard):
        name = keep(crm, f"{address}/m/u/t")
        answer = marketing.post(f"/catcher/{name}/one-click", follow_redirects=True)
    assert "offers no one-click address of this application" in answer.text
    assert heard == []


def test_a_mail_yields_what_its_recipient_needs() -> None:
    message = reading.read(MAIL.format(one_click="https://x.test/u/1").encode())
    html = reading.html_of(message) or ""
    assert reading.links_of(html) == ["http://127.0.0.1:9/m/c/t/1"]
    assert reading.pixel_of(html) == "http://127.0.0.1:9/m/o/t.gif"
    assert reading.one_click_address(message) == "https://x.test/u/1"


def keep(app: Flask, one_click: str) -> str:
    folder = Path(app.config["CAUGHT_MAIL_FOLDER"])
    return store.keep(folder, MAIL.format(one_click=one_click).encode(), "news@example.com", ["zoe@example.org"])


def listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


class posts:
    """A server that answers 200 to every post and remembers what it heard."""

    def __enter__(self) -> tuple[str, list[tuple[str, dict[str, str], bytes]]]:
        heard: list[tuple[str, dict[str, str], bytes]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard.append((self.path, dict(self.headers), body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}", heard

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()
