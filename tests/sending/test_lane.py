"""From launch to status: the whole way through the rooms, on both databases, with a provider that keeps the mails."""

from email import message_from_bytes, policy

import pytest
from sqlalchemy import select

from massmail_plugin import consent, mailings, outbox, outcomes
from massmail_plugin.consent.proof import Proof
from massmail_plugin.contracts import Answer
from massmail_plugin.errors import BadRequest, CannotConnect
from massmail_plugin.models import Event, Mailing, OutboxMessage, OutcomeReport, Sender, Suppression
from massmail_plugin.sending import run_lane
from massmail_plugin.smtp_status import reply
from massmail_plugin.vocabulary import (
    ConsentWay,
    EventKind,
    MailingState,
    MessageState,
    Outcome,
    SkipReason,
    SuppressionScope,
)
from tests.consent.small_host import Person, add_person, clock

from .conftest import subscribe


def launched(host, template, *lists, **values):
    mailing = mailings.create(
        host, name="News", contact_source="person", by="tester", list_ids=[one.id for one in lists],
        template_id=template.id, **values,
    )  # fmt: skip
    host.session.commit()
    mailings.launch(host, mailing, by="tester")
    host.session.commit()
    assert mailings.fill_launched(host) == 1
    return mailing


def run(host):
    run_lane(host, seconds=10)
    outcomes.deliver(host)


def rows(host, mailing):
    query = select(OutboxMessage).where(OutboxMessage.mailing_id == mailing.id).order_by(OutboxMessage.id)
    return host.session.scalars(query.execution_options(populate_existing=True)).all()


def status(host, ref):
    return host.session.get_one(Person, int(ref.key), populate_existing=True).status


def test_everybody_on_the_list_gets_one_mail_and_the_status_of_a_sent_one(host, provider, news, template):
    refs = [add_person(host, f"p{i}@example.org", first=f"Zoë {i}") for i in range(8)]
    subscribe(host, news, *refs)
    mailing = launched(host, template, news)
    run(host)
    mails = [message_from_bytes(mail.content, policy=policy.default) for mail in provider.messages]
    assert sorted(mail["Subject"] for mail in mails) == [f"Hello Zoë {i}" for i in range(8)]
    assert len({mail["Message-ID"] for mail in mails}) == 8
    assert all("List-Unsubscribe=One-Click" in mail["List-Unsubscribe-Post"] for mail in mails)
    assert {status(host, ref) for ref in refs} == {"is_sent"}
    assert outbox.counts(host, mailing.id) == outbox.Counts(sent=8)
    assert host.session.get_one(Mailing, mailing.id, populate_existing=True).state == MailingState.FINISHED


def test_two_addresses_of_one_contact_both_get_it(host, provider, news, template):
    subscribe(host, news, add_person(host, "a@example.org", email2="b@example.org"))
    launched(host, template, news)
    run(host)
    assert sorted(mail.rcpt_to for mail in provider.messages) == ["a@example.org", "b@example.org"]


def test_nobody_is_written_to_who_opted_out_after_the_fill(host, provider, news, template):
    one, two = add_person(host, "a@example.org"), add_person(host, "b@example.org")
    subscribe(host, news, one, two)
    mailing = launched(host, template, news)
    consent.withdraw(host, one, list_ids=[news.id], proof=Proof(ConsentWay.PERSON, evidence="test"))
    host.session.commit()
    run(host)
    assert [mail.rcpt_to for mail in provider.messages] == ["b@example.org"]
    assert [row.state for row in rows(host, mailing)] == ["skipped", "sent"]


def test_a_suppressed_address_is_skipped_with_its_reason(host, provider, news, template):
    ref = add_person(host, "Dead@Example.org")
    subscribe(host, news, ref)
    scope = SuppressionScope.ALL_BUT_TRANSACTIONAL
    consent.suppress(host, address="dead@example.org", scope=scope, reason="by_person")
    host.session.commit()
    with pytest.raises(BadRequest, match="Nobody would receive it"):
        launched(host, template, news)
    assert provider.messages == []


def test_a_dead_mailbox_is_refused_bounced_and_suppressed_and_stops_nobody_else(host, provider, news, template):
    dead, well = add_person(host, "dead@example.org"), add_person(host, "well@example.org")
    subscribe(host, news, dead, well)
    nobody = Answer(MessageState.REFUSED, reply(550, "5.1.1 no such user"))
    taken = Answer(MessageState.SENT, reply(250, "ok"))
    provider.answer = lambda message: nobody if "dead" in message.rcpt_to else taken
    mailing = launched(host, template, news)
    run(host)
    assert (status(host, dead), status(host, well)) == ("is_bounced", "is_sent")
    assert host.session.scalars(select(Suppression.address)).all() == ["dead@example.org"]
    assert host.session.scalars(select(Event.kind)).all() == [EventKind.BOUNCE]
    row = rows(host, mailing)[0]
    assert (row.reply_code, row.reply_enhanced, row.reason) == (550, "5.1.1", "refused_by_server")


def test_a_temporary_refusal_is_tried_again_later_and_given_up_in_the_end(host, provider, news, template):
    ref = add_person(host, "busy@example.org")
    subscribe(host, news, ref)
    provider.answer = lambda message: Answer(MessageState.DEFERRED, reply(451, "4.7.1 greylisted"))
    mailing = launched(host, template, news)
    for _ in range(40):
        run(host)
        clock(host).tick(hours=5)
    row = rows(host, mailing)[0]
    assert (row.state, row.reason) == ("refused", "gave_up")
    assert 15 < row.attempts < 25
    assert status(host, ref) == "is_failed"


def test_a_server_that_is_down_leaves_every_row_waiting_and_says_so(host, provider, news, template):
    subscribe(host, news, *[add_person(host, f"p{i}@example.org") for i in range(5)])
    mailing = launched(host, template, news)

    def down(message):
        raise CannotConnect("connect", "The server does not answer.")

    well, provider.answer = provider.answer, down
    run(host)
    sender = host.session.scalars(select(Sender)).one()
    assert sender.fault == "The server does not answer."
    assert outbox.counts(host, mailing.id).sent == 0

    provider.answer = well
    clock(host).tick(minutes=10)
    run(host)
    assert outbox.counts(host, mailing.id).waiting + outbox.counts(host, mailing.id).uncertain <= 1
    host.session.refresh(sender)
    assert sender.fault == ""


def test_a_fault_that_lasts_pauses_the_mailing_with_the_reason(host, provider, news, template):
    subscribe(host, news, add_person(host, "a@example.org"))
    mailing = launched(host, template, news)

    def wrong_password(account):
        raise CannotConnect("login", "The server refused the password.", lasting=True)

    provider.open = wrong_password
    run(host)
    host.session.refresh(mailing)
    assert (mailing.state, mailing.hold_reason) == (MailingState.PAUSED, "sender_fault")
    assert "password" in mailing.hold_note


def test_the_host_may_veto_a_mail_with_a_reason(host, provider, news, template):
    one, two = add_person(host, "a@example.org"), add_person(host, "b@example.org")
    subscribe(host, news, one, two)
    host.hooks.before_send.append(lambda fact: "in court" if fact.contact == one else None)
    mailing = launched(host, template, news)
    run(host)
    row = rows(host, mailing)[0]
    assert (row.state, row.reason, row.reply_text) == ("skipped", SkipReason.VETOED, "in court")
    assert [mail.rcpt_to for mail in provider.messages] == ["b@example.org"]


def test_the_mail_follows_a_new_address_and_a_contact_who_is_gone_is_skipped(host, provider, news, template):
    moved, gone = add_person(host, "old@example.org"), add_person(host, "gone@example.org")
    subscribe(host, news, moved, gone)
    mailing = launched(host, template, news)
    host.session.get_one(Person, int(moved.key)).email1 = "new@example.org"
    host.session.delete(host.session.get_one(Person, int(gone.key)))
    host.session.commit()
    run(host)
    assert [mail.rcpt_to for mail in provider.messages] == ["new@example.org"]
    assert [(row.state, row.reason) for row in rows(host, mailing)] == [("sent", ""), ("skipped", "contact_gone")]


def test_a_contact_made_inactive_after_the_fill_is_skipped(host, provider, news, template):
    one, two, unset = (add_person(host, f"{name}@example.org") for name in "abc")
    subscribe(host, news, one, two, unset)
    mailing = launched(host, template, news)
    host.session.get_one(Person, int(one.key)).active = False
    host.session.get_one(Person, int(unset.key)).active = None
    host.session.commit()
    run(host)
    assert [mail.rcpt_to for mail in provider.messages] == ["b@example.org"]
    assert [row.reason for row in rows(host, mailing)] == [SkipReason.INACTIVE, "", SkipReason.INACTIVE]


def test_a_new_address_that_gets_the_mailing_already_is_not_written_to_twice(host, provider, news, template):
    one, two = add_person(host, "a@example.org"), add_person(host, "b@example.org")
    subscribe(host, news, one, two)
    launched(host, template, news)
    host.session.get_one(Person, int(two.key)).email1 = "A@example.org"
    host.session.commit()
    run(host)
    assert [mail.rcpt_to for mail in provider.messages] == ["a@example.org"]


def test_a_copy_goes_to_bcc_with_links_that_do_nothing(host, provider, news, template):
    subscribe(host, news, add_person(host, "a@example.org"))
    launched(host, template, news, bcc="boss@example.org")
    run(host)
    original, copy = provider.messages
    assert (original.rcpt_to, copy.rcpt_to) == ("a@example.org", "boss@example.org")
    assert b"/m/c/" in original.content.replace(b"=\r\n", b"")
    assert b"/m/" not in copy.content.replace(b"=\r\n", b"")
    assert b"List-Unsubscribe" not in copy.content


def test_a_test_mail_goes_to_nobodys_bcc(host, provider, news, template):
    template.bcc = "boss@example.org"
    ref = add_person(host, "a@example.org")
    mailings.send_test(host, template_id=template.id, addresses=["me@example.org"], contact=ref, sender_id=None, by="t")
    host.session.commit()
    run(host)
    assert [mail.rcpt_to for mail in provider.messages] == ["me@example.org"]


def test_a_second_launch_is_refused_and_sends_nothing_twice(host, provider, news, template):
    subscribe(host, news, add_person(host, "a@example.org"))
    mailing = launched(host, template, news)
    with pytest.raises(BadRequest, match="not sent twice"):
        mailings.launch(host, mailing, by="tester")
    host.session.rollback()
    assert mailings.fill_launched(host) == 0
    run(host)
    assert len(provider.messages) == 1


def test_a_changed_number_has_to_be_confirmed_again(host, news, template):
    subscribe(host, news, add_person(host, "a@example.org"))
    mailing = mailings.create(
        host, name="N", contact_source="person", by="t", list_ids=[news.id], template_id=template.id
    )
    with pytest.raises(BadRequest, match="it was 2, now it is 1"):
        mailings.launch(host, mailing, by="t", expected=2)


def test_a_scheduled_mailing_starts_at_its_time(host, provider, news, template):
    subscribe(host, news, add_person(host, "a@example.org"))
    later = clock(host).now.replace(hour=18)
    mailing = mailings.create(
        host, name="N", contact_source="person", by="t", list_ids=[news.id], template_id=template.id, scheduled_at=later
    )
    mailings.launch(host, mailing, by="t")
    host.session.commit()
    assert mailing.state == MailingState.SCHEDULED
    assert mailings.start_due(host) == 0
    clock(host).tick(hours=6)
    assert mailings.start_due(host) == 1
    mailings.fill_launched(host)
    run(host)
    assert len(provider.messages) == 1


def test_a_test_mail_is_marked_first_in_line_and_counts_for_nobody(host, provider, news, template):
    ref = add_person(host, "a@example.org", first="Zoë")
    subscribe(host, news, ref)
    launched(host, template, news)
    trial = mailings.send_test(
        host, template_id=template.id, addresses=["me@example.org"], contact=ref, sender_id=None, by="t"
    )
    host.session.commit()
    run(host)
    first = message_from_bytes(provider.messages[0].content, policy=policy.default)
    assert (first["To"].addresses[0].addr_spec, first["Subject"]) == ("me@example.org", "[TEST] Hello Zoë")
    assert status(host, ref) == "is_sent"
    reported = host.session.scalars(select(OutcomeReport.mailing_id)).all()
    assert trial.id not in reported


def test_a_hook_that_fails_is_tried_again_and_stops_nobody(host, provider, news, template):
    one, two = add_person(host, "a@example.org"), add_person(host, "b@example.org")
    subscribe(host, news, one, two)
    told, broken = [], [True]

    def hook(fact):
        if fact.contact == one and broken[0]:
            raise ValueError("the CRM is down")
        told.append(fact.contact)

    host.hooks.on_outcome.append(hook)
    launched(host, template, news)
    run(host)
    assert told == [two]
    assert status(host, one) == "is_sent"
    broken[0] = False
    clock(host).tick(minutes=5)
    assert outcomes.deliver(host) == 1
    assert told == [two, one]


def test_a_deferred_hook_keeps_the_order_of_one_contact(host, provider, news, template):
    ref = add_person(host, "a@example.org")
    subscribe(host, news, ref)
    mailing = launched(host, template, news)
    seen, broken = [], [True]

    def hook(fact):
        if broken[0]:
            raise ValueError("down")
        seen.append(fact.outcome)

    host.hooks.on_outcome.append(hook)
    run(host)
    outcomes.record(host, rows(host, mailing)[0].id, Outcome.CLICKED, at=host.clock())
    host.session.commit()
    outcomes.deliver(host)
    broken[0] = False
    clock(host).tick(minutes=5)
    outcomes.deliver(host)
    assert [one.value for one in seen] == ["sent", "clicked"]
