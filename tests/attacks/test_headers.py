"""Line breaks and their kind in every field that ends in a mail's header: refused at the form, never in the mail."""

from email import message_from_bytes, policy

import pytest

from massmail_plugin.testing import run_jobs
from tests.attacks.crm import ADMIN, Crm
from tests.attacks.test_sql import MAILING, SENDER, TEMPLATE

BREAKS = ("\r\n", "\n", "\r", "\x00", "\x0b", "\x0c", "\x85", "\u2028", "\u2029")
KNOWN = {
    *("from", "to", "subject", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding"),
    *(
        "reply-to",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "list-id",
        "precedence",
        "auto-submitted",
        "x-auto-response-suppress",
        "feedback-id",
    ),
}


@pytest.mark.parametrize("sign", BREAKS)
def test_no_field_takes_a_line_break(standing: Crm, sign: str) -> None:
    visitor, token, before = standing.visitor("developer"), standing.csrf("developer"), standing.state()
    sender = {**SENDER, "from_address": "a@example.org"}
    for path, form, names in (
        ("/senders/new", sender, ("name", "from_name", "from_address", "reply_to", "bcc", "host", "username")),
        ("/templates/new", TEMPLATE, ("name", "subject", "from_name", "from_address", "reply_to", "bcc")),
        ("/mailings/{draft_id}/message", MAILING, ("name", "from_name", "from_address", "reply_to", "bcc")),
        ("/lists/new", {"name": "L"}, ("name", "public_name")),
        ("/lists/topics/new", {"name": "T"}, ("name", "public_name")),
    ):
        for name in names:
            evil = f"{form.get(name) or 'x'}{sign}Bcc: evil@evil.example"
            answer = visitor.post(ADMIN + path.format(**standing.ids), data={**form, name: evil, "csrf_token": token})
            assert answer.status_code in (400, 422), (path, name)
    assert standing.state() == before


@pytest.mark.parametrize(
    "address",
    [
        "a@b.test, evil@evil.example",
        "a@b.test>\r\nRCPT TO:<evil@evil.example",
        '"a@good.test" <evil@evil.example>',
        "alice@good.test <evil@evil.example>",
        "group:a@b.test;",
        "=?utf-8?q?a?=@b.test evil",
        "a@b.test\x00",
        "a b@c.test",
        "@",
    ],
)
def test_no_address_field_takes_two_or_none(standing: Crm, address: str) -> None:
    visitor, token, before = standing.visitor("developer"), standing.csrf("developer"), standing.state()
    for path, form, name in (
        ("/senders/new", SENDER, "from_address"),
        ("/templates/new", TEMPLATE, "bcc"),
        ("/mailings/{draft_id}/message", MAILING, "reply_to"),
        ("/suppressions/new", {"scope": ""}, "address"),
    ):
        answer = visitor.post(ADMIN + path.format(**standing.ids), data={**form, name: address, "csrf_token": token})
        assert answer.status_code in (400, 422), path
    crm_test = {"to": address or "@", "csrf_token": token}
    visitor.post(f"{ADMIN}/senders/{standing.ids['sender_id']}/test", data=crm_test)
    assert standing.carried.messages == []
    assert standing.state() == before


def test_names_of_contacts_add_no_header_to_their_mail(crm: Crm) -> None:
    """One of the contacts has a line break and a Bcc in the first name, which stands in the subject."""
    visitor, token = crm.visitor("developer"), crm.csrf("developer")
    data = {"expected": "5", "csrf_token": token}
    launched = visitor.post(f"{ADMIN}/mailings/{crm.ids['draft_id']}/launch", data=data)
    assert launched.status_code == 302, launched.text
    run_jobs(crm.app)
    assert {message.rcpt_to for message in crm.carried.messages} >= {"three@example.org", "five@example.org"}
    for message in crm.carried.messages:
        mail = message_from_bytes(message.content, policy=policy.default)
        assert {name.lower() for name in mail} <= KNOWN
        assert len(mail.keys()) == len(set(mail.keys()))
        assert mail["To"].addresses[0].addr_spec == message.rcpt_to
        assert "\n" not in mail["Subject"]
