"""Mail that leaves through a provider carries a mark which its events repeat, so that they find back to the contact."""

from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from flask import current_app

from massmail_plugin import outcomes
from massmail_plugin.channels.dkim_keys import new_keys
from massmail_plugin.feedback import provider_events
from massmail_plugin.providers import load_event_readers
from massmail_plugin.providers.payloads import possible_tokens
from massmail_plugin.sending import run_lane
from massmail_plugin.signed_links import Named, read_any_token
from tests.consent.small_host import add_person
from tests.providers.events.genuine import posted
from tests.providers.events.samples import SENDGRID, TOKEN

from .conftest import subscribe
from .test_lane import launched, rows, status

PROVIDERS = sorted(load_event_readers({}))


@pytest.fixture
def told(host):
    """The host, which can read what providers tell."""
    told = replace(host, event_readers=load_event_readers({}))
    current_app.extensions["massmail"] = told
    return told


def sent(host, provider, news, template, events_by, **sender):
    for name, value in {"events_by": events_by, **sender}.items():
        setattr(template.sender, name, value)
    ref = add_person(host, "ann@example.org")
    subscribe(host, news, ref)
    mailing = launched(host, template, news)
    run_lane(host, seconds=10)
    (row,) = rows(host, mailing)
    return ref, row, {mail.is_copy: mail.content for mail in provider.messages}


@pytest.mark.parametrize("name", PROVIDERS)
def test_each_mail_carries_its_mark_and_copies_carry_none(told, provider, news, template, name):
    _, row, mails = sent(told, provider, news, template, name, bcc="copies@example.org")
    header = told.event_readers[name].token_header(TOKEN)
    if header is None:
        assert mails[False].startswith(mails[True][:20])
        return
    mail, copy = (message_from_bytes(mails[is_copy], policy=policy.SMTP) for is_copy in (False, True))
    (token,) = possible_tokens(str(mail[header[0]]))
    assert read_any_token(told.config, token) == Named(row.id, own=True)
    assert str(mail[header[0]]) == header[1].replace(TOKEN, token)
    assert copy[header[0]] is None
    assert token.encode() not in mails[True]
    assert mails[False].split(b"\r\n\r\n", 1)[0].count(b"\r\nSubject:") == 1


def test_without_a_provider_there_is_no_mark(told, provider, news, template):
    _, _, mails = sent(told, provider, news, template, "")
    assert b"X-SMTPAPI" not in mails[False]


def test_a_signed_mail_carries_it_too(told, provider, news, template):
    _, _, mails = sent(
        told,
        provider,
        news,
        template,
        "postmark",
        dkim_domain="example.org",
        dkim_selector="s",
        dkim_key=new_keys().rsa,
    )
    assert b"X-PM-Metadata-massmail: " in mails[False]
    assert b"DKIM-Signature: " in mails[False]


def test_what_the_provider_tells_finds_back_to_the_contact(told, provider, news, template):
    ref, row, mails = sent(told, provider, news, template, "sendgrid")
    (token,) = possible_tokens(str(message_from_bytes(mails[False], policy=policy.SMTP)["X-SMTPAPI"]))
    bounce = next(one for one in SENDGRID if one.meaning == "hard").payload[0]
    payload = [{**bounce, "massmail_id": token, "email": row.address}]
    events = told.event_readers["sendgrid"].read(posted("sendgrid", payload))
    assert provider_events.take_events(told, "feed:1", "sendgrid", events).news == 1
    told.session.commit()
    outcomes.deliver(told)
    assert status(told, ref) == "is_bounced"
