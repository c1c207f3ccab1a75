"""Mail without tracking: for a whole mailing, or for the contacts who did not agree. No pixel, plain links, way out."""

import re
from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from flask import current_app
from sqlalchemy import select

from massmail_plugin import mailings
from massmail_plugin.contracts import Answer
from massmail_plugin.models import Link, OutboxMessage, PreparedMessage
from massmail_plugin.sending import run_lane
from massmail_plugin.smtp_status import reply
from massmail_plugin.vocabulary import MessageState
from tests.consent.small_host import Person, add_person

from .conftest import subscribe
from .test_lane import launched, run, status

HTML = (
    '<p>Hello {{ contact.first }}</p><a href="https://shop.example/of/{{ contact.city }}?a=1&amp;b=2">look</a>'
    '<a href="{{ unsubscribe_url }}">out</a>'
)


@pytest.fixture
def host(host):
    """Contacts say in `vip` whether they agree to be tracked."""
    sources = {name: source for name, source in host.sources.items() if name != "person"}
    asking = replace(host, sources={**sources, "person": replace(host.source("person"), tracking=Person.vip)})
    current_app.extensions["massmail"] = asking
    return asking


@pytest.fixture
def template(template):
    template.versions[0].html = HTML
    return template


def words(mail):
    """The two bodies of a mail, with what is of this mail alone taken out."""
    parsed = message_from_bytes(mail.content, policy=policy.default)
    both = [parsed.get_body((kind,)).get_content() for kind in ("html", "plain")]
    return [re.sub(r"/u/[\w-]+", "/u/TOKEN", text) for text in both]


def tracked(mail):
    html, text = words(mail)
    return {name: name in html + text for name in ("/m/c/", "/m/o/", "https://shop.example/")}


TRACKED = {"/m/c/": True, "/m/o/": True, "https://shop.example/": False}
UNTRACKED = {"/m/c/": False, "/m/o/": False, "https://shop.example/": True}


def test_a_mailing_without_tracking(host, provider, news, template):
    ref = add_person(host, "a@example.org", city="Bern", vip=True)
    subscribe(host, news, ref)
    mailing = launched(host, template, news, tracking=False)
    run(host)
    (mail,) = provider.messages
    assert tracked(mail) == UNTRACKED
    html, text = words(mail)
    assert 'href="https://shop.example/of/Bern?a=1&amp;b=2"' in html
    assert "https://shop.example/of/Bern?a=1&b=2" in text
    assert "/m/u/TOKEN" in html
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in mail.content
    assert host.session.scalars(select(Link).where(Link.mailing_id == mailing.id)).all() == []
    assert not host.session.get_one(PreparedMessage, mailing.id).tracks_opens


def test_only_who_agreed_is_tracked(host, provider, news, template):
    people = {
        agreed: add_person(host, f"{agreed}@example.org", city="Bern", vip=agreed) for agreed in (True, False, None)
    }
    subscribe(host, news, *people.values())
    launched(host, template, news)
    run(host)
    found = {mail.rcpt_to: mail for mail in provider.messages}
    assert tracked(found["True@example.org"]) == TRACKED
    assert tracked(found["False@example.org"]) == tracked(found["None@example.org"]) == UNTRACKED
    assert {status(host, ref) for ref in people.values()} == {"is_sent"}


def test_an_untracked_contact_gets_what_a_mailing_without_tracking_sends(host, provider, news, template):
    subscribe(host, news, add_person(host, "a@example.org", city="Genève & <co>", vip=False))
    launched(host, template, news)
    launched(host, template, news, tracking=False)
    run_lane(host, seconds=10)
    one, other = provider.messages
    assert words(one) == words(other)


def test_without_the_option_everybody_is_tracked(host, provider, news, template):
    plain = replace(host, sources={"person": replace(host.source("person"), tracking=None)})
    current_app.extensions["massmail"] = plain
    subscribe(plain, news, add_person(plain, "a@example.org", city="Bern", vip=False))
    launched(plain, template, news)
    run(plain)
    assert tracked(provider.messages[0]) == TRACKED


def test_a_test_mail_is_as_its_mailing(host, provider, template):
    ref = add_person(host, "a@example.org", city="Bern", vip=True)
    for tracking in (True, False):
        draft = mailings.create(host, name="News", contact_source="person", by="t", tracking=tracking)
        sending = {"template_id": template.id, "addresses": ["me@example.org"], "sender_id": None}
        mailings.send_test(host, contact=ref, by="t", like=draft, **sending)
        host.session.commit()
    run(host)
    assert [tracked(mail) for mail in provider.messages] == [TRACKED, UNTRACKED]


def test_a_copy_of_a_mail_keeps_the_choice(host, template):
    draft = mailings.create(host, name="News", contact_source="person", by="t", tracking=False)
    assert mailings.copy(host, draft, by="t").tracking is False


@pytest.mark.parametrize("agreed", [True, False])
def test_the_copy_of_a_mail_leads_nowhere_of_ours(host, provider, news, template, agreed):
    subscribe(host, news, add_person(host, "a@example.org", city="Bern", vip=agreed))
    launched(host, template, news, bcc="boss@example.org")
    run(host)
    _, copy = provider.messages
    html, text = words(copy)
    assert re.findall(r'href="([^"]*)"', html) == ["#", "#"]
    assert "/m/" not in html + text
    assert b"List-Unsubscribe" not in copy.content


def test_a_refused_copy_is_no_failure_of_the_recipient(host, provider, news, template):
    accept = provider.answer
    provider.answer = lambda mail: (
        Answer(MessageState.REFUSED, reply(550, "5.1.1 no")) if mail.is_copy else accept(mail)
    )
    ref = add_person(host, "a@example.org", city="Bern")
    subscribe(host, news, ref)
    mailing = launched(host, template, news, bcc="nobody@example.org")
    run(host)
    row = host.session.scalars(select(OutboxMessage).where(OutboxMessage.mailing_id == mailing.id)).one()
    assert (row.state, row.reason, status(host, ref)) == (MessageState.SENT, "", "is_sent")
    assert [mail.rcpt_to for mail in provider.messages] == ["a@example.org"]
