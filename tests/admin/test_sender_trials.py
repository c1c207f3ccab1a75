"""The test button with servers that cannot be used: each fails at its own step, in words that say what to do."""

import contextlib
import http.server
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from massmail_plugin.providers.smtp import SmtpProvider
from tests.admin.conftest import Catalogue, form_of
from tests.admin.sender_posts import SENDERS, only, save
from tests.providers.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs the certificates of the servers here; the host trusts it alone."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusting_host(make_host: Callable[..., Catalogue], authority: Authority) -> Iterator[Catalogue]:
    built = make_host("trusting", providers={"smtp": SmtpProvider(tls_context=authority.client_context)})
    with built.app.app_context():
        yield built


def stages(built: Catalogue, **values: str) -> dict[str, tuple[bool, str]]:
    """Save a sender, press the button without an address, and give what the sender keeps of it."""
    save(built, **values)
    client, path = built.client(), f"{SENDERS}{only(built).id}"
    client.post(path + "/test", data={**form_of(client.get(path).text), "to": ""})
    seen = {stage["name"]: (stage["ok"], stage["detail"]) for stage in only(built).test_stages or []}
    page = client.get(path).text
    assert all(name in page for name in ("Test failed", "mm-bad"))
    assert only(built).tested_at is None
    return seen


class MailTalk(socketserver.StreamRequestHandler):
    """Greets, and knows EHLO and QUIT: no more is needed to be a mail server without STARTTLS."""

    def handle(self) -> None:
        self.wfile.write(b"220 mail.example.org ready\r\n")
        for line in self.rfile:
            self.wfile.write(b"221 bye\r\n" if line.startswith(b"QUIT") else b"250 mail.example.org\r\n")


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    context: ssl.SSLContext | None = None
    """TLS from the start, or None for a server that speaks in clear."""

    def finish_request(self, request: Any, client_address: Any) -> None:
        with contextlib.suppress(OSError):
            request = self.context.wrap_socket(request, server_side=True) if self.context else request
            super().finish_request(request, client_address)


class WebServer(http.server.ThreadingHTTPServer):
    daemon_threads = True


@contextlib.contextmanager
def running(server: socketserver.BaseServer) -> Iterator[str]:
    """Serves on loopback meanwhile; gives the port as a form holds it."""
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield str(server.server_address[1])
    server.shutdown()
    server.server_close()


def mail_server(context: ssl.SSLContext | None = None) -> contextlib.AbstractContextManager[str]:
    server = MailServer(("127.0.0.1", 0), MailTalk)
    server.context = context
    return running(server)


def failed(seen: dict[str, tuple[bool, str]]) -> tuple[str, str]:
    """The one step that failed, which must be the last one tried."""
    name, (well, words) = list(seen.items())[-1]
    assert not well
    assert all(before for before, _ in list(seen.values())[:-1])
    return name, words


def test_a_name_that_does_not_exist(small_host: Catalogue) -> None:
    name, words = failed(stages(small_host, host="mail.does-not-exist.invalid"))
    assert name == "resolve"
    assert "no server by the name “mail.does-not-exist.invalid”" in words


def test_a_port_where_nobody_listens(small_host: Catalogue) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        name, words = failed(stages(small_host, port=str(closed.getsockname()[1])))
    assert name == "connect"
    assert "Check the port" in words


def test_a_web_server(small_host: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for us to speak first, and hangs up in the end."""
    monkeypatch.setattr(http.server.BaseHTTPRequestHandler, "timeout", 0.5)
    with running(WebServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)) as port:
        name, words = failed(stages(small_host, port=port))
    assert name == "greeting"
    assert "did not greet as a mail server does" in words


def test_a_server_of_another_kind(small_host: Catalogue) -> None:
    class SshTalk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")

    with running(socketserver.TCPServer(("127.0.0.1", 0), SshTalk)) as port:
        name, words = failed(stages(small_host, port=port))
    assert name == "greeting"
    assert "is not SMTP" in words


@pytest.mark.parametrize(
    ("names", "days", "words"),
    [(("127.0.0.1",), -1, "expired"), (("mail.example.org",), 10, "127.0.0.1"), (("localhost",), 10, "mismatch")],
)
def test_a_certificate_that_is_not_valid(
    trusting_host: Catalogue, authority: Authority, names: tuple[str, ...], days: int, words: str
) -> None:
    with mail_server(authority.server_context(*names, days=days)) as port:
        name, said = failed(stages(trusting_host, port=port, security="tls"))
    assert name == "tls"
    assert words in said
    assert "The certificate of 127.0.0.1" in said


def test_an_authority_nobody_knows(small_host: Catalogue, authority: Authority) -> None:
    with mail_server(authority.server_context("127.0.0.1")) as port:
        name, said = failed(stages(small_host, port=port, security="tls"))
    assert name == "tls"
    assert "The certificate of 127.0.0.1" in said


def test_tls_from_the_start_where_the_server_begins_in_clear(small_host: Catalogue) -> None:
    with mail_server() as port:
        name, said = failed(stages(small_host, port=port, security="tls"))
    assert name == "tls"
    assert "choose STARTTLS" in said


def test_starttls_that_is_not_offered(small_host: Catalogue) -> None:
    with mail_server() as port:
        name, said = failed(stages(small_host, port=port, security="starttls"))
    assert name == "tls"
    assert "nothing was sent in clear" in said
