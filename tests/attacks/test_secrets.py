"""The password of a mail account, and the keys: in no page, log, job or error, and sealed in the database."""

import logging
from collections.abc import Callable

import pytest
import redis
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from massmail_plugin.models import Sender
from massmail_plugin.testing import run_jobs
from sample_host.crm.models import db
from sample_host.reachable import free_port
from tests.attacks.crm import ADMIN, PASSWORD, Crm
from tests.attacks.test_pages import pages


def test_no_page_shows_the_password(standing: Crm, caplog: pytest.LogCaptureFixture) -> None:
    visitor = standing.visitor("developer")
    keys = [PASSWORD, standing.app.config["SECRET_KEY"], *standing.app.config["MASSMAIL_SECRET_KEYS"]]
    with caplog.at_level(logging.DEBUG):
        for path in pages(standing):
            text = visitor.get(path, follow_redirects=True).text
            assert not any(key in text for key in keys), path
    assert not any(key in caplog.text for key in keys)


def test_the_database_holds_it_sealed(crm: Crm) -> None:
    with crm.app.app_context():
        path = db.engine.url.database
        assert db.session.get_one(Sender, crm.ids["sender_id"]).secret == PASSWORD
        assert PASSWORD not in repr(db.session.get_one(Sender, crm.ids["sender_id"]))
    assert path is not None
    with open(path, "rb") as file:
        assert PASSWORD.encode() not in file.read()


SERVER_LOG = "mail.log"
"""Of the server in this process, which of course hears the password."""


class NoLogin:
    """A server that accepts no password and repeats what it was given."""

    def __call__(self, server, session, envelope, mechanism, data) -> AuthResult:  # type: ignore[no-untyped-def]
        return AuthResult(success=False, handled=False, message=f"535 5.7.8 not {data.password.decode()}")


def test_a_refused_login_tells_the_stage_and_not_the_password(
    make_crm: Callable[..., Crm], redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    crm = make_crm(MASSMAIL_REDIS_URL=redis_url, MASSMAIL_QUEUE="attacked")
    port = free_port(2600)
    server = Controller(object(), hostname="127.0.0.1", port=port, authenticator=NoLogin(), auth_require_tls=False)
    server.start()
    sender, token = f"{ADMIN}/senders/{crm.ids['sender_id']}", crm.csrf("developer")
    form = {
        "name": "Wrong",
        "provider": "smtp",
        "host": "127.0.0.1",
        "port": str(port),
        "security": "none",
        "auth": "plain",
        "username": "letters",
        "secret": PASSWORD,
        "from_address": "letters@example.org",
    }
    visitor = crm.visitor("developer")
    try:
        with caplog.at_level(logging.DEBUG):
            assert visitor.post(f"{sender}/edit", data={**form, "csrf_token": token}).status_code == 302
            said = visitor.post(f"{sender}/test", data={"to": "", "csrf_token": token}, follow_redirects=True).text
            launch = f"{ADMIN}/mailings/{crm.ids['draft_id']}/launch"
            assert visitor.post(launch, data={"expected": "5", "csrf_token": token}).status_code == 302
            run_jobs(crm.app, rounds=3)
            said += visitor.get(f"{ADMIN}/mailings/{crm.ids['draft_id']}").text
            said += visitor.get(f"{sender}/edit").text + visitor.get(f"{ADMIN}/system/").text
    finally:
        server.stop()
    assert "Log in" in said
    assert "The test failed" in said
    assert "535" in said
    connection = redis.Redis.from_url(redis_url)
    held = b" ".join(
        connection.dump(key) + key
        for key in connection.scan_iter("*")  # type: ignore[operator]
    )
    for secret in (PASSWORD, *crm.app.config["MASSMAIL_SECRET_KEYS"]):
        assert secret not in said
        assert secret not in "".join(text for name, _, text in caplog.record_tuples if name != SERVER_LOG)
        assert secret.encode() not in held
    assert b"example.org" not in held


def test_redis_being_down_is_said_and_nothing_else_breaks(crm: Crm) -> None:
    visitor = crm.visitor("developer")
    for path in ("/", "/mailings/", f"/mailings/{crm.ids['draft_id']}/send", "/campaigns/", "/system/"):
        answer = visitor.get(ADMIN + path)
        assert answer.status_code == 200
    assert "Redis" in visitor.get(f"{ADMIN}/system/").text
    assert "Redis" in visitor.get(f"{ADMIN}/").text
    data = {"expected": "5", "csrf_token": crm.csrf("developer")}
    page = visitor.post(f"{ADMIN}/mailings/{crm.ids['draft_id']}/launch", data=data, follow_redirects=True)
    assert page.status_code == 200
    assert "Redis" in page.text
