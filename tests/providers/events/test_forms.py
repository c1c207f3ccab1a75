"""Forms of requests that one provider alone has."""

import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest

from massmail_plugin.contracts import EventRequest
from massmail_plugin.providers.export_rows import exported
from massmail_plugin.providers.request_files import answered
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord
from tests.providers.events.genuine import HMAC_KEY, NOW, PASSWORD, hexadecimal, posted, readers, secret_of
from tests.providers.events.samples import EPOCH, ISO, MAIL, SAMPLES, TO, TOKEN


def multipart(fields: list[tuple[str, str]]) -> tuple[bytes, dict[str, str]]:
    parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields]
    return "".join([*parts, "--b--\r\n"]).encode(), {"content-type": "multipart/form-data; boundary=b"}


def mailgun_form(*fields: tuple[str, str]) -> EventRequest:
    stamp, nonce = str(EPOCH), "a" * 50
    proof = [("timestamp", stamp), ("token", nonce), ("signature", hexadecimal(HMAC_KEY, (stamp + nonce).encode()))]
    body, headers = multipart([*fields, ("recipient", TO), *proof])
    return EventRequest(body=body, headers=headers, at=NOW)


def test_the_older_forms_of_mailgun() -> None:
    headers = json.dumps([["To", TO], ["Message-Id", f"<{MAIL}@example.org>"]])
    request = mailgun_form(("event", "bounced"), ("error", "550 5.1.1 unknown"), ("message-headers", headers))
    (event,) = answered(readers()["mailgun"], request, HMAC_KEY).events
    assert (event.word, event.meaning, event.recipient) == (EventWord.BOUNCE, Meaning.HARD, TO)
    assert (event.message_id, MAIL in event.tokens) == (f"<{MAIL}@example.org>", True)


@pytest.mark.parametrize(("code", "meaning"), [("605", Meaning.HARD), ("606", Meaning.BLOCKED)])
def test_what_mailgun_dropped_says_why_by_a_number(code: str, meaning: Meaning) -> None:
    (event,) = answered(readers()["mailgun"], mailgun_form(("event", "dropped"), ("code", code)), HMAC_KEY).events
    assert (event.word, event.permanent, event.meaning) == (EventWord.REJECTED, True, meaning)


@pytest.mark.parametrize("provider", ["postmark", "brevo", "sparkpost", "mailjet", "mailtrap"])
def test_a_bearer_token_may_stand_for_a_password(provider: str) -> None:
    body = json.dumps(SAMPLES[provider][0].payload).encode()
    for given, http in (("Bearer a-long-token", 200), ("bearer  a-long-token", 200), ("Bearer", 401), ("Basic x", 401)):
        request = EventRequest(body=body, headers={"content-type": "application/json", "authorization": given}, at=NOW)
        assert answered(readers()[provider], request, "a-long-token").http == http


def test_a_password_is_no_token_and_a_token_no_password() -> None:
    body, pair = json.dumps(SAMPLES["postmark"][0].payload).encode(), b64encode(b"a-long-token").decode()
    for given, secret in ((f"Bearer {PASSWORD}x", PASSWORD), (f"Basic {pair}", "a-long-token")):
        request = EventRequest(body=body, headers={"content-type": "application/json", "authorization": given}, at=NOW)
        assert answered(readers()["postmark"], request, secret).http == 401


def test_mailtrap_may_send_lines() -> None:
    lines = b"\n".join(json.dumps(row).encode() for row in SAMPLES["mailtrap"][0].payload["events"] * 3)
    headers = {"content-type": "application/jsonl", "mailtrap-signature": hexadecimal(HMAC_KEY, lines)}
    answer = answered(readers()["mailtrap"], EventRequest(body=lines, headers=headers, at=NOW), HMAC_KEY)
    assert [event.word for event in answer.events] == [EventWord.DELIVERED] * 3


def test_sparkpost_tries_an_address_out_with_an_empty_envelope() -> None:
    assert answered(readers()["sparkpost"], posted("sparkpost", [{"msys": {}}]), PASSWORD).http == 200


def test_postal_signs_with_sha1_where_it_is_older() -> None:
    request = posted("postal", SAMPLES["postal"][0].payload)
    older = {name: value for name, value in request.headers.items() if name != "x-postal-signature-256"}
    plain = EventRequest(body=request.body, headers=older, at=NOW)
    assert answered(readers()["postal"], plain, secret_of("postal")).http == 200


def test_mails_that_come_in_to_a_provider_are_no_events() -> None:
    incoming = {"event": "MessageSent", "payload": {"message": {"id": 1, "direction": "incoming"}}}
    for provider, payload in (
        ("postal", incoming),
        ("postmark", {"RecordType": "Inbound", "From": TO}),
        ("mandrill", [{"event": "inbound", "msg": {"email": TO}}]),
        ("resend", {"type": "email.received", "data": {"to": [TO]}}),
        ("unisender_go", [{"events": [{"event_name": "transactional_spam_block"}]}]),
    ):
        assert answered(readers()[provider], posted(provider, payload), secret_of(provider)).events == ()


def test_two_projects_of_unisender_may_post_to_one_feed() -> None:
    request = posted("unisender_go", SAMPLES["unisender_go"][0].payload, key="key of the second project")
    both = "key of the first project\nkey of the second project"
    assert answered(readers()["unisender_go"], request, both).http == 200


def test_a_row_of_an_export_is_read_whatever_its_columns_are_called() -> None:
    rows = [
        {"Event Type": "Hard Bounce", "Email Address": TO, "Date": ISO, "Reason": "550 5.1.1 x", "Message-ID": MAIL},
        {"status": "SpamReport", "to": TO, "processed": str(EPOCH), "custom": TOKEN},
        {"event": "opened", "email": TO, "time": "2026-05-04 11:59:30+00:00"},
        {"event": "soft_bounced", "email": TO},
        {"event": "went to the moon", "email": TO},
    ]
    found = [exported(row) for row in rows]
    words = [EventWord.BOUNCE, EventWord.COMPLAINT, EventWord.OPEN, EventWord.BOUNCE, EventWord.UNKNOWN]
    assert [event.word for event in found] == words
    assert [event.meaning for event in found] == [Meaning.HARD, None, None, Meaning.SOFT, None]
    assert (found[0].tokens, found[1].tokens) == ((MAIL,), (TOKEN,))
    assert {event.at for event in found[:3]} == {datetime(2026, 5, 4, 11, 59, 30, tzinfo=UTC)}
