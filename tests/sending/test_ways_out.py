"""What a sender's settings do to its mail on the way out: limits, a second sender, signatures, staging."""

from dataclasses import replace

import dkim
import pytest
from sqlalchemy import select

from massmail_plugin.channels import dkim_keys
from massmail_plugin.contracts import Answer
from massmail_plugin.models import Mailing, OutboxMessage, Sender
from massmail_plugin.sending import run_lane
from massmail_plugin.smtp_status import reply
from massmail_plugin.vocabulary import MessageState
from tests.consent.small_host import add_person, clock

from .conftest import subscribe
from .test_lane import launched, rows

LATER = Answer(MessageState.DEFERRED, reply(451, "4.3.0 later"))


def people(host, news, number, domain="example.org"):
    subscribe(host, news, *[add_person(host, f"p{n}@{domain}") for n in range(number)])


def test_a_daily_quota_leaves_the_rest_for_tomorrow(host, provider, news, template):
    template.sender.per_day = 4
    people(host, news, 10)
    mailing = launched(host, template, news)
    run_lane(host, seconds=20)
    assert len(provider.messages) == 4
    assert sorted(row.state for row in rows(host, mailing)) == ["planned"] * 6 + ["sent"] * 4
    clock(host).tick(days=1)
    run_lane(host, seconds=20)
    assert len(provider.messages) == 8


def test_what_is_over_the_quota_goes_out_through_the_second_sender(host, provider, news, template):
    second = Sender(
        name="Second", provider="recording", from_address="second@example.org", created_at=host.clock(), per_day=3
    )
    host.session.add(second)
    host.session.flush()
    template.sender.per_day, template.sender.spill_to_id = 4, second.id
    people(host, news, 12)
    launched(host, template, news)
    for _ in range(4):
        run_lane(host, seconds=20)
    assert len(provider.messages) == 7
    assert {mail.mail_from for mail in provider.messages} == {"us@example.org"}, "the mailing keeps its own From"


def test_a_limit_for_one_domain_does_not_hold_the_others_up(host, provider, news, template):
    template.sender.domain_limits = [{"domain": "slow.example", "per_window": 1, "window_seconds": 3600}]
    people(host, news, 4, "slow.example")
    people(host, news, 4, "quick.example")
    mailing = launched(host, template, news)
    run_lane(host, seconds=20)
    sent = [mail.rcpt_to.partition("@")[2] for mail in provider.messages]
    assert sorted(sent) == ["quick.example"] * 4 + ["slow.example"]
    waiting = [row for row in rows(host, mailing) if row.state == "planned"]
    assert all(row.due_at > host.clock() for row in waiting)


def test_without_retries_a_temporary_refusal_is_final_and_a_person_may_retry(host, provider, news, template):
    provider.answer = lambda message: LATER
    people(host, news, 1)
    mailing = launched(host, template, news, retries=False)
    run_lane(host, seconds=20)
    assert [(row.state, row.reason) for row in rows(host, mailing)] == [("refused", "not_retried")]


@pytest.fixture
def keys():
    return dkim_keys.new_keys()


def test_every_mail_is_signed_with_both_keys_and_the_copy_too(host, provider, news, template, keys):
    sender = template.sender
    sender.dkim_domain, sender.dkim_selector, sender.dkim_key = "example.org", "one", keys.rsa
    sender.dkim_ed_selector, sender.dkim_ed_key = "two", keys.ed25519
    people(host, news, 20)
    launched(host, template, news, bcc="boss@example.org")
    run_lane(host, seconds=20)
    records = {
        f"{selector}._domainkey.example.org.": dkim_keys.record("example.org", selector, pem).text
        for selector, pem in (("one", keys.rsa), ("two", keys.ed25519))
    }
    assert len(provider.messages) == 40
    for mail in provider.messages:
        checked = dkim.DKIM(mail.content)
        for index in (0, 1):
            assert checked.verify(index, dnsfunc=lambda name, timeout=5: records[name.decode()].encode())


def test_a_dry_run_hands_nothing_to_anybody(host, provider, news, template):
    people(host, news, 3)
    mailing = launched(host, template, news)
    run_lane(replace(host, config=replace(host.config, dry_run=True)), seconds=20)
    assert provider.messages == []
    assert {(row.state, row.reply_text) for row in rows(host, mailing)} == {
        ("sent", "Dry run: handed to nobody, as MASSMAIL_DRY_RUN says.")
    }


def test_with_an_override_every_mail_goes_to_that_address(host, provider, news, template):
    people(host, news, 3)
    launched(host, template, news)
    run_lane(replace(host, config=replace(host.config, override_recipient="tester@example.org")), seconds=20)
    assert [mail.rcpt_to for mail in provider.messages] == ["tester@example.org"] * 3


def test_a_spoilt_key_pauses_the_mailing_with_the_reason(host, provider, news, template):
    sender = template.sender
    sender.dkim_domain, sender.dkim_selector, sender.dkim_key = "example.org", "one", "no key"
    people(host, news, 1)
    mailing = launched(host, template, news)
    run_lane(host, seconds=20)
    found = host.session.get_one(Mailing, mailing.id, populate_existing=True)
    assert (found.state, found.hold_reason) == ("paused", "sender_fault")
    assert host.session.scalars(select(OutboxMessage.state)).all() == ["planned"]
