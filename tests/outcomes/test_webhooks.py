"""Outcomes told by HTTP, to a real server that is slow, fails, redirects, never ends; checked by another's code."""

import json
import ssl
import time
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import current_app
from sqlalchemy import select, update
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from massmail_plugin import outcomes
from massmail_plugin.contracts import Hooks
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import OutcomeReport, Webhook, WebhookDelivery
from massmail_plugin.outcomes import Step, webhooks
from massmail_plugin.outcomes.webhooks import posting, sending
from massmail_plugin.outcomes.webhooks.receivers import addresses, is_public, receiver
from massmail_plugin.outcomes.webhooks.signing import fresh_secret, key_of
from massmail_plugin.vocabulary import Outcome
from tests.consent.small_host import clock, running_host

from .receiving import OK, dripping, endless, receiving, says, silent, status
from .test_delivery import happened, mails
from .test_where_statuses_go import mapped


@pytest.fixture
def host(database_url):
    """A host that lets webhooks go to this machine."""
    with running_host(database_url) as made:
        config = replace(made.config, webhook_internal_hosts=("127.0.0.1",))
        host = replace(mapped(made), hooks=Hooks(), config=config)
        current_app.extensions["massmail"] = host
        yield host


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(posting, "SECONDS", 0.6)


def hook_to(host, url, **values):
    made = webhooks.register(host, webhooks.WebhookDraft(name=values.pop("name", "CRM"), url=url, **values))
    host.session.commit()
    return made


def deliveries(host):
    query = select(WebhookDelivery).order_by(WebhookDelivery.id).execution_options(populate_existing=True)
    return host.session.scalars(query).all()


def fresh(host, hook):
    host.session.rollback()
    return host.session.get_one(Webhook, hook.id, populate_existing=True)


def test_every_outcome_is_posted_and_an_independent_verifier_accepts_it(host):
    with receiving() as there:
        hook = hook_to(host, there.url)
        ids = mails(host, 2)
        happened(host, ids, *Outcome)
        outcomes.deliver(host)
        secret = fresh(host, hook).secret
    said = [json.loads(request.body) for request in there.requests]
    assert sorted(one["type"] for one in said) == sorted(f"outcome.{outcome.value}" for outcome in Outcome for _ in ids)
    assert {one.state for one in deliveries(host)} == {"delivered"}
    checker = Verifier(secret)
    # The clock of the host stands still in this test, and the verifier refuses what is not of now.
    for request in there.requests:
        assert int(request.headers["webhook-timestamp"]) == int(host.clock().timestamp())
        again = {**request.headers, "webhook-timestamp": str(int(time.time()))}
        with pytest.raises(WebhookVerificationError):
            checker.verify(request.body, again)
    complaint = next(one for one in said if one["type"] == "outcome.complained")
    assert complaint["data"]["contact"]["source"] == "person"
    assert complaint["data"]["status"] == "is_complained"


def test_signatures_of_now_are_accepted_and_altered_ones_are_not(host):
    clock(host).now = clock(host).now.fromtimestamp(time.time(), tz=clock(host).now.tzinfo)
    with receiving() as there:
        hook = hook_to(host, there.url)
        happened(host, mails(host, 1), Outcome.CLICKED)
        outcomes.deliver(host)
        former = fresh(host, hook).secret
        webhooks.new_secret(host, hook)
        assert webhooks.try_out(host, hook).taken
        secret = fresh(host, hook).secret
    clicked, test = there.requests
    assert Verifier(former).verify(clicked.body, clicked.headers)["data"]["address"] == "p0@example.org"
    with pytest.raises(WebhookVerificationError):
        Verifier(former).verify(clicked.body.replace(b"p0@", b"p1@"), clicked.headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(clicked.body, clicked.headers)
    for key in (former, secret):
        assert Verifier(key).verify(test.body, test.headers)["type"] == "test", "for a day both secrets sign"


def test_a_kept_connection_serves_many(host):
    with receiving() as there:
        hook_to(host, there.url)
        happened(host, mails(host, 40), Outcome.SENT)
        outcomes.deliver(host)
        assert len(there.requests) == 40
        assert there.connections <= sending.EACH


def test_only_the_outcomes_it_wants_and_nothing_while_it_is_off(host):
    with receiving() as there:
        hook = hook_to(host, there.url, outcomes=["complained"])
        ids = mails(host, 1)
        happened(host, ids, Outcome.SENT, Outcome.COMPLAINED)
        outcomes.deliver(host)
        webhooks.switch(host, hook, on=False)
        happened(host, ids, Outcome.READ)
        outcomes.deliver(host)
    assert [json.loads(request.body)["type"] for request in there.requests] == ["outcome.complained"]
    assert len(deliveries(host)) == 1


def test_an_undone_removal_is_told_too(host):
    with receiving() as there:
        hook_to(host, there.url, outcomes=["removed"])
        (message,) = mails(host, 1)
        outcomes.record(host, message, Outcome.REMOVED, at=host.clock())
        outcomes.record_undo(host, message, at=host.clock() + timedelta(seconds=1))
        clock(host).tick(seconds=2)
        host.session.commit()
        outcomes.deliver(host)
        outcomes.deliver(host)
    said = [json.loads(request.body) for request in there.requests]
    assert [one["type"] for one in said] == ["outcome.removed", "outcome.removal_taken_back"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (status(500, body=b"<b>down</b>"), "HTTP 500: it did not take it. It said: <b>down</b>"),
        (status(302, "Location: http://169.254.169.254/"), "redirects are not followed"),
        (status(401), "does not accept the signature"),
        (silent, "did not answer within"),
        (dripping, "did not answer within"),
        (says(b"", keep=False), "does not take connections, or ended one in the middle"),
        (says(b"SSH-2.0-OpenSSH\r\n", keep=False), "its answer is no HTTP"),
        (says(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", keep=False), "its answer is no HTTP"),
    ],
    ids=["500", "redirect", "401", "silent", "drip", "hangs up", "no http", "headers"],
)
def test_a_receiver_at_fault_rests_and_gets_everything_later(host, impatient, answer, words):
    with receiving(answer) as there:
        hook = hook_to(host, there.url)
        happened(host, mails(host, 3), Outcome.SENT)
        began = time.monotonic()
        outcomes.deliver(host)
        assert time.monotonic() - began < 8
        rests = fresh(host, hook)
        assert words in rests.fault
        assert rests.rests_until == host.clock() + timedelta(seconds=10)
        tried = [one.attempts for one in deliveries(host)]
        assert sorted(tried) == [0, 0, 1], "what comes behind a fault of the receiver waits untried"
        outcomes.deliver(host)
        assert sum(one.attempts for one in deliveries(host)) == 1
        there.answer = says(OK)
        clock(host).tick(seconds=11)
        outcomes.deliver(host)
    assert {one.state for one in deliveries(host)} == {"delivered"}
    again = fresh(host, hook)
    assert (again.fault, again.failing_since, again.rests_until) == ("", None, None)
    ids = [request.headers["webhook-id"] for request in there.requests]
    assert len(set(ids)) == 3, "a repeated one has the same id"


def test_a_good_answer_without_end_counts_and_costs_no_memory(host):
    with receiving(endless) as there:
        hook_to(host, there.url)
        happened(host, mails(host, 2), Outcome.SENT)
        began = time.monotonic()
        outcomes.deliver(host)
    assert time.monotonic() - began < 5
    assert {one.state for one in deliveries(host)} == {"delivered"}


def test_one_body_that_is_not_wanted_stops_no_other_and_is_set_aside_in_the_end(host):
    def picky(request, connection):
        return (status(422) if b"p1@example.org" in request.body else says(OK))(request, connection)

    with receiving(picky) as there:
        hook = hook_to(host, there.url)
        happened(host, mails(host, 3), Outcome.SENT)
        for _ in range(len(sending.WAITS) + 1):
            outcomes.deliver(host)
            clock(host).tick(days=2)
        assert sorted(one.state for one in deliveries(host)) == ["delivered", "delivered", "set_aside"]
        assert fresh(host, hook).fault == ""
        there.answer = says(OK)
        assert webhooks.retry(host, hook) == 1
        host.session.commit()
        outcomes.deliver(host)
    assert {one.state for one in deliveries(host)} == {"delivered"}


def test_who_asks_for_fewer_is_left_alone_so_long_and_who_wants_nothing_is_switched_off(host):
    with receiving(status(429, "Retry-After: 600")) as there:
        hook = hook_to(host, there.url)
        happened(host, mails(host, 1), Outcome.SENT)
        outcomes.deliver(host)
        assert fresh(host, hook).rests_until == host.clock() + timedelta(seconds=600)
        there.answer = status(410)
        clock(host).tick(seconds=601)
        outcomes.deliver(host)
        off = fresh(host, hook)
        assert not off.active
        assert "wants nothing more" in off.fault


def test_after_days_of_failing_it_is_switched_off_and_what_waits_is_kept(host):
    with receiving(status(503)) as there:
        hook = hook_to(host, there.url)
        happened(host, mails(host, 1), Outcome.SENT)
        for _ in range(200):
            outcomes.deliver(host)
            clock(host).tick(hours=1)
        assert not fresh(host, hook).active
        assert len(there.requests) < 150
        there.answer = says(OK)
        webhooks.switch(host, hook, on=True)
        host.session.commit()
        outcomes.deliver(host)
    assert {one.state for one in deliveries(host)} == {"delivered"}


def test_a_dead_receiver_keeps_no_other_waiting(host, impatient):
    with receiving(silent) as dead, receiving() as well:
        hook_to(host, dead.url, name="dead")
        hook_to(host, well.url, name="well")
        happened(host, mails(host, 200), Outcome.SENT)
        outcomes.deliver(host)
    assert len(well.requests) == 200


def test_hooks_that_are_down_keep_no_webhook_waiting(host):
    host.hooks.on_outcome.append(lambda fact: 1 / 0)
    with receiving() as there:
        hook_to(host, there.url)
        happened(host, mails(host, 2), Outcome.SENT)
        assert outcomes.deliver(host) == 0
    assert len(there.requests) == 2


def test_the_log_forgets_and_a_deleted_report_is_told_to_nobody(host):
    with receiving() as there:
        hook = hook_to(host, there.url)
        happened(host, mails(host, 2), Outcome.SENT)
        outcomes.deliver_step(host, Step.STATUSES, seconds=60)
        host.session.query(OutcomeReport).filter(OutcomeReport.id == deliveries(host)[0].report_id).delete()
        host.session.commit()
        outcomes.deliver(host)
        assert len(there.requests) == 1
        assert [one.state for one in deliveries(host)] == ["set_aside", "delivered"]
        clock(host).tick(days=31)
        happened(host, mails(host, 1)[:1], Outcome.SENT)
        outcomes.deliver(host)
        assert len(deliveries(host)) == 1
        webhooks.delete(host, hook)
        assert deliveries(host) == []


def certificate(folder):
    """A certificate for 127.0.0.1 that nobody vouches for; the file of it with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1)
    made = made.not_valid_before(datetime(2020, 1, 1)).not_valid_after(datetime(2050, 1, 1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption(), serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    path = folder / "certificate.pem"
    path.write_bytes(pem + key.private_bytes(*reversed(plain)))
    return path


def test_certificates_are_checked(tmp_path, monkeypatch):
    path = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with receiving(secured=context) as there:
        to = receiver(there.url.replace("http:", "https:"), ("127.0.0.1",))
        refused = posting.Line(to).post(b"{}", {})
        assert refused.code is None
        assert "could not be secured" in refused.words
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        line = posting.Line(to)
        assert [line.post(b"{}", {}).code for _ in range(2)] == [200, 200]
        line.close()
    assert len(there.requests) == 2


# --- Where it may lead ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://[::1]/", "https://0x7f.1/", "https://2130706433/", "https://localhost:6379/",
        "https://169.254.169.254/latest/meta-data/", "https://10.1.2.3/", "https://192.168.0.1/", "https://0.0.0.0/",
        "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[fe80::1]/",
        "https://[fec0::1]/", "https://100.64.0.1/", "https://224.0.0.1/", "https://255.255.255.255/",
    ],
)  # fmt: skip
def test_what_is_not_public_is_refused_when_it_is_looked_up(url):
    with pytest.raises(BadRequest, match=r"not a public address|not known"):
        addresses(receiver(url, ()))


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example.org/", "ftp://crm.example.org/", "file:///etc/passwd", "gopher://x/", "https://", "//evil",
        "https://user:pass@crm.example.org/", "https://crm.example.org/#x", "https://crm.example.org/a b",
        "https://crm.example.org/\r\nX: y", "https://crm.example.org:99999/", "https://crm.example.org:0/", "",
        "javascript:alert(1)", "https://" + "a" * 3000,
    ],
)  # fmt: skip
def test_what_is_no_safe_address_is_refused_at_once(url):
    with pytest.raises(BadRequest):
        receiver(url, ("127.0.0.1",))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_what_is_public_is_let_through(address):
    assert is_public(address)


def test_a_name_that_leads_inside_later_is_refused_then(host, monkeypatch):
    """DNS rebinding: each post looks the name up once, and goes to no other address than those it checked."""
    places = iter([("93.184.216.34", 443), ("127.0.0.1", 443)])
    asked = []

    def lookup(name, port, **options):
        asked.append(name)
        return [(2, 1, 6, "", next(places))]

    monkeypatch.setattr("socket.getaddrinfo", lookup)
    to = receiver("https://rebinding.example/", ())
    assert addresses(to) == [(2, "93.184.216.34")]
    answer = posting.Line(to).post(b"{}", {})
    assert (answer.code, asked) == (None, ["rebinding.example"] * 2)
    assert "not a public address" in answer.words


def test_an_inside_address_is_a_fault_with_words(host):
    with receiving() as there:
        hook = hook_to(host, there.url)
        inside = replace(host, config=replace(host.config, webhook_internal_hosts=()))
        happened(host, mails(host, 1), Outcome.SENT)
        outcomes.deliver(inside)
        assert "must begin with https" in fresh(host, hook).fault
        host.session.execute(update(Webhook).values(url="https://localhost/x", rests_until=None))
        host.session.commit()
        outcomes.deliver(inside)
        assert "MASSMAIL_WEBHOOK_INTERNAL_HOSTS" in fresh(host, hook).fault
    assert there.requests == []


def test_a_new_address_gets_a_new_secret_and_names_are_their_own(host):
    with receiving() as there:
        hook = hook_to(host, there.url)
        before = hook.secret
        draft = webhooks.WebhookDraft(name="CRM", url=there.url)
        webhooks.change(host, hook, draft)
        assert hook.secret == before
        webhooks.change(host, hook, replace(draft, url=there.url + "2"))
        assert hook.secret != before
        with pytest.raises(BadRequest, match="already"):
            webhooks.register(host, draft)
        with pytest.raises(BadRequest, match="no outcome"):
            webhooks.register(host, replace(draft, name="x", outcomes=["opened"]))
        with pytest.raises(BadRequest, match="secret"):
            webhooks.register(host, replace(draft, name="x", secret="whsec_short"))


def test_secrets_are_long_random_and_kept_encrypted(host):
    assert len({fresh_secret() for _ in range(50)}) == 50
    assert len(key_of(fresh_secret())) == 32
    hook = hook_to(host, "https://crm.example.org/in")
    stored = host.session.connection().exec_driver_sql("SELECT secret FROM massmail_webhook").scalar_one()
    assert hook.secret not in stored
