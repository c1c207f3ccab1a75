"""Mails somebody asked for: they leave though opted out, tell nobody of success, and stop at dead addresses."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

import pytest
from sqlalchemy import func, select

from massmail_plugin import consent, mailings, outcomes
from massmail_plugin.consent.proof import Proof
from massmail_plugin.contracts import Answer, ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Mailing, OutboxMessage, OutcomeReport, PreparedMessage, Sender, Suppression, Template
from massmail_plugin.providers.recording import RecordingProvider
from massmail_plugin.sending import run_lane
from massmail_plugin.signed_links import preferences_url, read_message_token
from massmail_plugin.smtp_status import reply
from massmail_plugin.vocabulary import (
    ConsentWay,
    MailingState,
    MessageState,
    SuppressionReason,
    SuppressionScope,
)
from tests.consent.small_host import add_person, clock

WORDS = {"subject": "Is it {{ you }}?", "text": "Yes: {% https://x.example %}\n", "html": "<p>{{ Yes }}</p>"}


def sent_to(host: Host, template: Template, address: str, contact: ContactRef | None = None) -> OutboxMessage:
    sender = cast(Sender, template.sender)
    message = mailings.send_service(host, sender=sender, address=address, contact=contact, **WORDS)
    host.session.commit()
    run_lane(host, seconds=5)
    outcomes.deliver(host)
    return host.session.get_one(OutboxMessage, message.id, populate_existing=True)


def mail_of(provider: RecordingProvider) -> EmailMessage:
    return cast(EmailMessage, message_from_bytes(provider.messages[-1].content, policy=policy.default))


def test_it_says_exactly_what_it_was_given_to_an_address_nobody_knows(
    host: Host, provider: RecordingProvider, template: Template
) -> None:
    message = sent_to(host, template, "Visitor@Example.org")
    mail = mail_of(provider)
    assert (mail["Subject"], mail["To"]) == (WORDS["subject"], "Visitor@Example.org")
    bodies = [part.get_content() for part in mail.walk() if not part.is_multipart()]
    assert [body.strip() for body in bodies] == [WORDS["text"].strip(), "<p>&#123;&#123; Yes }}</p>"]
    assert message.state == MessageState.SENT
    mailing = host.session.get_one(Mailing, message.mailing_id)
    assert mailing.state == MailingState.FINISHED


def test_it_is_no_mail_to_many_and_offers_no_way_out_of_nothing(
    host: Host, provider: RecordingProvider, template: Template
) -> None:
    sent_to(host, template, "visitor@example.org")
    mail = mail_of(provider)
    assert not {"List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Precedence"} & set(mail.keys())
    assert mail["Auto-Submitted"] == "auto-generated"


def test_who_opted_out_gets_it_and_their_status_stays(
    host: Host, provider: RecordingProvider, template: Template
) -> None:
    ann = add_person(host, "ann@example.org", status="new")
    consent.withdraw(host, ann, list_ids=None, proof=Proof(ConsentWay.PERSON, evidence="test"))
    assert sent_to(host, template, "ann@example.org", ann).state == MessageState.SENT
    assert host.session.scalar(select(func.count()).select_from(OutcomeReport)) == 0


def test_its_own_token_stands_where_it_belongs(host: Host, provider: RecordingProvider, template: Template) -> None:
    ann = add_person(host, "ann@example.org")
    link = preferences_url(host.config, mailings.TOKEN)
    sender = cast(Sender, template.sender)
    message = mailings.send_service(
        host,
        sender=sender,
        address="ann@example.org",
        contact=ann,
        subject="s",
        text=link,
        html=f'<a href="{link}">x</a>',
    )
    host.session.commit()
    run_lane(host, seconds=5)
    text, html = [part.get_content().strip() for part in mail_of(provider).walk() if not part.is_multipart()]
    assert read_message_token(host.config, text.rpartition("/")[2]) == message.id
    assert text in html


@pytest.mark.parametrize("reason", list(SuppressionReason))
def test_the_readers_own_wishes_do_not_stop_it_and_all_else_does(
    host: Host, provider: RecordingProvider, template: Template, reason: SuppressionReason
) -> None:
    scope = SuppressionScope.ALL_BUT_TRANSACTIONAL
    consent.suppress(host, address="ann@example.org", scope=scope, reason=reason)
    stops = reason not in (SuppressionReason.OPT_OUT, SuppressionReason.PAUSE, SuppressionReason.ERASED)
    message = sent_to(host, template, "Ann@example.org")
    assert message.state == (MessageState.SKIPPED if stops else MessageState.SENT)
    assert len(provider.messages) == (0 if stops else 1)


def test_a_refusal_tells_that_the_address_is_dead_and_no_contact_of_it(
    host: Host, provider: RecordingProvider, template: Template
) -> None:
    provider.answer = lambda message: Answer(MessageState.REFUSED, reply(550, "5.1.1 no such user"))
    assert sent_to(host, template, "gone@example.org").state == MessageState.REFUSED
    stop = host.session.scalars(select(Suppression)).one()
    assert (stop.address, stop.reason, stop.contact_key) == ("gone@example.org", "hard_bounce", None)
    assert host.session.scalar(select(func.count()).select_from(OutcomeReport)) == 0


def test_a_bad_address_is_refused_before_anything_is_written(host: Host, template: Template) -> None:
    with pytest.raises(BadRequest, match="@"):
        sent_to(host, template, "nobody")
    host.session.rollback()
    assert host.session.scalar(select(func.count()).select_from(Mailing)) == 0


def test_its_words_are_forgotten_after_a_while(host: Host, provider: RecordingProvider, template: Template) -> None:
    sent_to(host, template, "ann@example.org")
    assert mailings.forget_words(host) == 0
    clock(host).tick(days=15)
    assert mailings.forget_words(host) == 1
    assert host.session.scalar(select(func.count()).select_from(PreparedMessage)) == 0
