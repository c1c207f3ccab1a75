"""Encryption, login and the test button of an account, against real aiosmtpd servers and some that misbehave."""

import base64
import socket
import ssl
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from massmail_plugin.contracts import Stage
from massmail_plugin.errors import CannotConnect
from massmail_plugin.providers.smtp import SmtpProvider
from massmail_plugin.vocabulary import MessageState
from tests.providers.certificates import Authority
from tests.providers.conftest import Journal, account, carried, message, run, send
from tests.providers.scripted_server import DROP, POLITE, SILENT, ScriptedServer

PASSWORD = 'p\u00e4ssw\u00f6rd \u4e2d "x" 4711'


class Kept(Message):
    """Keeps what arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Any] = []

    def handle_message(self, message: Any) -> None:
        self.messages.append(message)


class TlsController(Controller):
    """aiosmtpd with TLS from the first byte."""

    def factory(self) -> SMTP:
        return SMTP(self.handler, **self.SMTP_kwargs)


def _check(server: Any, session: Any, envelope: Any, mechanism: str, auth_data: Any) -> AuthResult:
    good = isinstance(auth_data, LoginPassword) and auth_data.password.decode() == PASSWORD
    return AuthResult(success=good and auth_data.login == b"user", handled=False)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def tls_provider(authority: Authority) -> SmtpProvider:
    return SmtpProvider(command_seconds=3, final_dot_seconds=3, tls_context=authority.client_context)


Serve = Callable[..., tuple[int, Kept]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts an aiosmtpd server; gives its port and what it keeps."""
    with ExitStack() as stack:

        def start(*, tls: ssl.SSLContext | None = None, implicit: bool = False, **options: Any) -> tuple[int, Kept]:
            kept = Kept()
            key = "ssl_context" if implicit else "tls_context"
            controller = Controller(
                kept, hostname="127.0.0.1", port=_free_port(), **({key: tls} if tls else {}), **options
            )
            controller.start()
            stack.callback(controller.stop, no_assert=True)
            return controller.port, kept

        yield start


def names(stages: list[Stage]) -> list[tuple[str, bool]]:
    return [(stage.name, stage.ok) for stage in stages]


@pytest.mark.parametrize("mechanism", ["auto", "plain", "login"])
def test_starttls_and_login(
    serve: Serve, authority: Authority, tls_provider: SmtpProvider, journal: Journal, mechanism: str
) -> None:
    port, kept = serve(tls=authority.server_context("127.0.0.1"), authenticator=_check, auth_required=True)
    good = account(port, security="starttls", username="user", secret=PASSWORD, auth=mechanism)
    send(tls_provider, good, journal, message(1), message(2))
    assert journal.states == [MessageState.SENT] * 2
    assert [m["Subject"] for m in kept.messages] == ["1", "2"]
    assert kept.messages[0]["X-MailFrom"] == "news@shop.example"


def test_tls_from_the_first_byte(serve: Serve, authority: Authority, tls_provider: SmtpProvider) -> None:
    port, kept = serve(
        tls=authority.server_context("127.0.0.1"), implicit=True, authenticator=_check, auth_require_tls=False
    )
    stages = tls_provider.probe(account(port, security="tls", username="user", secret=PASSWORD), message())
    assert names(stages) == [
        (name, True) for name in ("resolve", "connect", "tls", "greeting", "login", "mail", "rcpt", "data")
    ]
    assert stages[2].detail == "TLSv1.3"
    assert len(kept.messages) == 1


def test_cram_md5(journal: Journal, provider: SmtpProvider) -> None:
    ehlo = "250-hi\r\n250 AUTH CRAM-MD5"
    auth = "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"
    script = {"ehlo": ehlo, "auth": auth, "dglt": "235 2.7.0 welcome"}
    with ScriptedServer(script) as server:
        send(provider, account(server.port, username="tim", secret="tanstaaftanstaaf"), journal, message())
    # The example of RFC 2195.
    assert b"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw" in server.commands
    assert journal.states == [MessageState.SENT]


def test_access_token(journal: Journal, provider: SmtpProvider) -> None:
    script = {"ehlo": "250-hi\r\n250 AUTH PLAIN XOAUTH2", "auth": "235 2.7.0 welcome"}
    with ScriptedServer(script) as server:
        given = account(server.port, username="someuser@example.com", secret="token-4711", auth="xoauth2")
        send(provider, given, journal, message())
    word = base64.b64encode(b"user=someuser@example.com\1auth=Bearer token-4711\1\1")
    assert b"AUTH XOAUTH2 " + word in server.commands
    assert journal.states == [MessageState.SENT]


def test_access_token_that_has_run_out(provider: SmtpProvider) -> None:
    script = {"ehlo": "250-hi\r\n250 AUTH XOAUTH2", "auth": "334 eyJzdGF0dXMiOiI0MDAifQ==", "": "535 5.7.8 expired"}
    with ScriptedServer(script) as server:
        given = account(server.port, username="someuser@example.com", secret="token-4711", auth="xoauth2")
        stages = provider.probe(given, None)
    assert names(stages)[-1] == ("login", False)
    assert "535 5.7.8 expired" in stages[-1].detail


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_encrypted_connections_on_either_event_loop(
    serve: Serve, authority: Authority, tls_provider: SmtpProvider, journal: Journal, security: str, loop: str
) -> None:
    factory = pytest.importorskip(loop).new_event_loop
    port, kept = serve(tls=authority.server_context("127.0.0.1"), implicit=security == "tls")
    large = b"Subject: large\r\n\r\n" + b".\r\n" + (b"y" * 700 + b"\r\n") * 3_000
    journal.waiting.extend(message(number, rcpt_to="r@example.org") for number in range(1, 20))
    journal.waiting.append(message(20, content=large))
    run(carried(tls_provider.open(account(port, security=security, connections=3)), journal), factory)
    assert journal.states == [MessageState.SENT] * 20
    assert len(kept.messages) == 20
    arrived = next(m for m in kept.messages if m["Subject"] == "large")
    assert arrived.get_payload().encode() == large.partition(b"\r\n\r\n")[2]


def test_wrong_password_says_so_and_nothing_else(
    serve: Serve, authority: Authority, tls_provider: SmtpProvider, journal: Journal
) -> None:
    port, kept = serve(tls=authority.server_context("127.0.0.1"), authenticator=_check, auth_required=True)
    bad = account(port, security="starttls", username="user", secret="wrong-secret-word")
    stages = tls_provider.probe(bad, message())
    assert names(stages)[-1] == ("login", False)
    assert "535" in stages[-1].detail
    assert "user name and password" in stages[-1].detail
    with pytest.raises(CannotConnect) as caught:
        send(tls_provider, bad, journal, message())
    assert (caught.value.stage, caught.value.lasting) == ("login", True)
    assert journal.happened == []
    assert kept.messages == []


@pytest.mark.parametrize("answer", ["535 5.7.8 no", "454 4.7.0 later", DROP, "334 not base64!", "babble"])
@pytest.mark.parametrize("offered", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_password_is_in_no_exception(provider: SmtpProvider, answer: str, offered: str) -> None:
    secret = "s3cret-\u00fc-word"
    with ScriptedServer({"ehlo": f"250-hi\r\n250 AUTH {offered}", "auth": answer}) as server:
        bad = account(server.port, username="user", secret=secret)
        with pytest.raises(CannotConnect) as caught:
            send(provider, bad, Journal(), message())
    error: BaseException | None = caught.value
    while error is not None:
        assert secret not in repr(error) + repr(vars(error))
        error = error.__cause__ or error.__context__
    assert secret not in "".join(traceback.format_exception(caught.value))
    assert secret not in repr(bad)


def test_password_echoed_by_the_server_is_blotted_out(provider: SmtpProvider) -> None:
    script = {"ehlo": "250-hi\r\n250 AUTH PLAIN", "auth": "535 5.7.8 the password hunter-4711 is wrong"}
    with ScriptedServer(script) as server:
        stages = provider.probe(account(server.port, username="user", secret="hunter-4711"), None)
    assert "hunter-4711" not in repr(stages)
    assert "***" in stages[-1].detail


def test_temporary_login_failure_is_not_lasting(provider: SmtpProvider) -> None:
    script = {"ehlo": "250-hi\r\n250 AUTH PLAIN", "auth": "454 4.7.0 directory is down"}
    with ScriptedServer(script) as server, pytest.raises(CannotConnect) as caught:
        send(provider, account(server.port, username="u", secret="p"), Journal(), message())
    assert (caught.value.stage, caught.value.lasting) == ("login", False)


# --- No mail and no password without the encryption that was asked for ------------------------------------


def test_stripped_starttls_sends_nothing(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer({"ehlo": "250-hi\r\n250 AUTH PLAIN"}) as server:
        asked = account(server.port, security="starttls", username="user", secret="secret-word")
        with pytest.raises(CannotConnect, match="does not offer STARTTLS") as caught:
            send(provider, asked, journal, message())
    assert (caught.value.stage, caught.value.lasting) == ("tls", True)
    assert [c[:4] for c in server.commands] == [b"EHLO", b"QUIT"]


@pytest.mark.parametrize("answer", ["220 go\r\n250 AUTH PLAIN slipped in", "454 4.7.0 not now", DROP])
def test_broken_starttls_sends_nothing(provider: SmtpProvider, journal: Journal, answer: str) -> None:
    with ScriptedServer({"ehlo": "250-hi\r\n250 STARTTLS", "star": answer}) as server:
        asked = account(server.port, security="starttls", username="user", secret="secret-word")
        with pytest.raises(CannotConnect) as caught:
            send(provider, asked, journal, message())
    assert caught.value.stage == "tls"
    assert not any(c.startswith((b"AUTH", b"MAIL")) for c in server.commands)


@pytest.mark.parametrize(
    ("name", "days", "words"),
    [("127.0.0.1", -1, "expired"), ("mail.example.org", 10, "mismatch")],
)
def test_certificate_that_is_not_valid(
    serve: Serve, authority: Authority, tls_provider: SmtpProvider, name: str, days: int, words: str
) -> None:
    port, kept = serve(tls=authority.server_context(name, days=days), authenticator=_check)
    for security, bad_port in (("starttls", port),):
        stages = tls_provider.probe(account(bad_port, security=security, username="user", secret=PASSWORD), message())
        assert names(stages)[-1] == ("tls", False)
        assert words in stages[-1].detail
        assert "certificate" in stages[-1].detail
    assert kept.messages == []


def test_certificate_of_an_unknown_authority(serve: Serve, tls_provider: SmtpProvider, tmp_path: Path) -> None:
    port, _ = serve(tls=Authority(tmp_path).server_context("127.0.0.1"), implicit=True)
    stages = tls_provider.probe(account(port, security="tls"), None)
    assert names(stages)[-1] == ("tls", False)
    assert "not valid" in stages[-1].detail


def test_tls_chosen_where_the_port_speaks_plainly(tls_provider: SmtpProvider) -> None:
    with ScriptedServer() as server:
        stages = tls_provider.probe(account(server.port, security="tls"), None)
    assert names(stages) == [("resolve", True), ("connect", True), ("tls", False)]
    assert "choose STARTTLS" in stages[-1].detail


def test_plain_chosen_where_the_port_expects_tls(serve: Serve, authority: Authority) -> None:
    port, _ = serve(tls=authority.server_context("127.0.0.1"), implicit=True)
    stages = SmtpProvider(command_seconds=0.5).probe(account(port, security="starttls"), None)
    assert names(stages) == [("resolve", True), ("connect", True), ("greeting", False)]
    assert "choose TLS" in stages[-1].detail


# --- The test button --------------------------------------------------------------------------------------


def test_probe_without_message_stops_after_the_login(provider: SmtpProvider) -> None:
    with ScriptedServer() as server:
        stages = provider.probe(account(server.port), None)
    assert names(stages) == [(name, True) for name in ("resolve", "connect", "greeting", "tls", "login")]
    assert "220 mx.example.org ready" in stages[2].detail
    assert "Not encrypted" in stages[3].detail


@pytest.mark.parametrize(
    ("step", "answer", "last"),
    [
        ("mail", "553 5.7.1 not yours", ("mail", False)),
        ("mail", "451 4.3.0 busy", ("mail", False)),
        ("rcpt", "550 5.1.1 nobody", ("rcpt", False)),
        ("rcpt", "550 5.7.26 not you", ("rcpt", False)),
        ("data", "554 5.5.0 no", ("data", False)),
        ("dot", "554 5.6.0 content", ("data", False)),
        ("dot", DROP, ("data", False)),
        ("mail", DROP, ("mail", False)),
        ("rcpt", "421 4.3.0 bye", ("rcpt", False)),
    ],
)
def test_probe_names_the_stage_and_the_servers_words(
    provider: SmtpProvider, step: str, answer: str, last: tuple[str, bool]
) -> None:
    with ScriptedServer({step: answer}) as server:
        stages = provider.probe(account(server.port), message())
    assert names(stages)[-1] == last
    assert all(ok for _, ok in names(stages)[:-1])
    assert len({stage.name for stage in stages}) == len(stages)
    if answer != DROP:
        assert answer[4:] in stages[-1].detail


def test_probe_of_a_bad_account_never_raises(provider: SmtpProvider) -> None:
    places = [("", 25), ("no such host", 25), ("127.0.0.1", 1), ("127.0.0.1", 99999), ("a" * 300, 25)]
    for host, port in places:
        stages = provider.probe(account(port, host=host), message())
        assert not stages[-1].ok
        assert stages[-1].detail


def test_probe_does_not_wait_for_ever() -> None:
    with ScriptedServer({"banner": SILENT}) as server:
        stages = SmtpProvider(command_seconds=0.3).probe(account(server.port), None)
    assert names(stages)[-1] == ("greeting", False)
    assert POLITE["banner"] not in stages[-1].detail


def test_probe_of_an_impossible_way_to_log_in(provider: SmtpProvider) -> None:
    with ScriptedServer({"ehlo": "250-hi\r\n250 AUTH XOAUTH2"}) as server:
        stages = provider.probe(account(server.port, username="u", secret="p"), None)
    assert "XOAUTH2" in stages[-1].detail
    with ScriptedServer() as server:
        stages = provider.probe(account(server.port, username="u", secret="p"), None)
    assert "no login" in stages[-1].detail
