"""Pause, resume, cancel, retry: two acts at once cannot both win, and a step is never sent to a whole list."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from massmail_plugin import mailings, outbox
from massmail_plugin.campaigns import lifecycle as campaign_lifecycle
from massmail_plugin.contracts import Answer
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Campaign, CampaignStep, Mailing, OutboxMessage
from massmail_plugin.sending import run_lane
from massmail_plugin.smtp_status import reply
from massmail_plugin.vocabulary import HoldReason, MailingKind, MailingState, MessageState
from tests.consent.small_host import add_person
from tests.sending.conftest import subscribe
from tests.sending.test_lane import launched, rows


@pytest.fixture
def step(host, news, template):
    """The open mailing of a campaign's first day, which nobody has reached yet."""
    campaign = Campaign(name="Welcome", contact_source="person", created_at=host.clock(), lists=[news])
    campaign.steps = [CampaignStep(day=0, template=template)]
    host.session.add(campaign)
    host.session.flush()
    campaign_lifecycle.activate(host, campaign, by="t")
    host.session.commit()
    return campaign.steps[0].mailing


def state(host, mailing):
    return host.session.get_one(Mailing, mailing.id, populate_existing=True).state


def test_a_step_that_nobody_has_reached_is_not_sent_to_the_list_when_it_is_resumed(host, provider, news, step):
    subscribe(host, news, *[add_person(host, f"p{i}@example.org") for i in range(3)])
    outbox.hold(host, step.id, HoldReason.SENDER_FAULT)
    host.session.commit()
    mailings.resume(host, host.session.get_one(Mailing, step.id))
    host.session.commit()
    assert state(host, step) == MailingState.SENDING
    assert mailings.fill_launched(host) == 0
    run_lane(host, seconds=10)
    assert provider.messages == []


@pytest.mark.parametrize("kind", [MailingKind.STEP, MailingKind.TEST])
@pytest.mark.parametrize("forced", [MailingState.FILLING, MailingState.SCHEDULED])
def test_only_a_mailing_of_its_own_is_ever_filled_from_its_lists(host, news, step, kind, forced):
    subscribe(host, news, add_person(host, "a@example.org"))
    values = {"state": forced.value, "kind": kind.value, "scheduled_at": host.clock()}
    host.session.execute(update(Mailing).values(**values))
    host.session.commit()
    assert (mailings.start_due(host), mailings.fill_launched(host)) == (0, 0)
    assert host.session.scalars(select(OutboxMessage)).all() == []


def test_a_mailing_that_could_not_be_filled_is_filled_when_it_is_resumed(host, provider, news, template):
    subscribe(host, news, add_person(host, "a@example.org"))
    mailing = mailings.create(
        host, name="N", contact_source="person", by="t", list_ids=[news.id], template_id=template.id
    )
    mailings.launch(host, mailing, by="t")
    mailings.pause(host, mailing, by="t")
    host.session.commit()
    assert mailings.fill_launched(host) == 0
    mailings.resume(host, mailing)
    host.session.commit()
    assert mailings.fill_launched(host) == 1
    run_lane(host, seconds=10)
    assert len(provider.messages) == 1


def test_a_mailing_the_database_will_not_fill_does_not_keep_the_others_waiting(
    host, provider, news, template, monkeypatch
):
    subscribe(host, news, add_person(host, "a@example.org"))
    ids = []
    for name in ("bad", "good"):
        mailing = mailings.create(
            host, name=name, contact_source="person", by="t", list_ids=[news.id], template_id=template.id
        )
        mailings.launch(host, mailing, by="t")
        ids.append(mailing.id)
        host.session.commit()
    fill = outbox.fill

    def fails_once(host, mailing, *given, **options):
        if mailing.id == ids[0]:
            raise OperationalError("INSERT", {}, Exception("deadlock"))
        return fill(host, mailing, *given, **options)

    monkeypatch.setattr(outbox, "fill", fails_once)
    assert mailings.fill_launched(host) == 1
    states = host.session.scalars(select(Mailing.state).order_by(Mailing.id)).all()
    assert states == ["filling", "sending"]


def test_pause_and_cancel_name_the_state_that_forbids_them(host, news, template):
    subscribe(host, news, add_person(host, "a@example.org"))
    mailing = launched(host, template, news)
    run_lane(host, seconds=10)
    for act in (lambda: mailings.pause(host, mailing, by="t"), lambda: mailings.cancel(host, mailing)):
        with pytest.raises(BadRequest, match="is finished"):
            act()


def test_a_mailing_that_is_halted_to_be_cancelled_hands_nothing_over_any_more(host, provider, news, template):
    subscribe(host, news, *[add_person(host, f"p{i}@example.org") for i in range(3)])
    mailing = launched(host, template, news)
    mailings.halt(host, mailing, by="ada")
    host.session.commit()
    assert (state(host, mailing), mailing.hold_note) == (MailingState.PAUSED, "Being cancelled by ada.")
    run_lane(host, seconds=10)
    assert provider.messages == []
    mailings.cancel(host, mailing)
    host.session.commit()
    assert [row.state for row in rows(host, mailing)] == ["cancelled"] * 3
    mailings.halt(host, mailing, by="ada")
    assert state(host, mailing) == MailingState.CANCELLED, "what has ended stays as it is"


def test_failed_mails_are_tried_again_and_no_others(host, provider, news, template):
    subscribe(host, news, *[add_person(host, f"{name}@example.org") for name in ("a", "full", "z")])
    full = Answer(MessageState.REFUSED, reply(552, "5.2.2 mailbox full"))
    taken = Answer(MessageState.SENT, reply(250, "2.0.0 ok"))
    provider.answer = lambda message: full if "full" in message.rcpt_to else taken
    mailing = launched(host, template, news)
    run_lane(host, seconds=10)
    assert [row.state for row in rows(host, mailing)] == ["sent", "refused", "sent"]
    provider.answer = lambda message: taken
    assert mailings.retry_failed(host, mailing) == 1
    host.session.commit()
    run_lane(host, seconds=10)
    assert sorted(mail.rcpt_to for mail in provider.messages) == [f"{name}@example.org" for name in ("a", "full", "z")]
    assert state(host, mailing) == MailingState.FINISHED
