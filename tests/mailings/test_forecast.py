"""When a mailing will be through: from the limits of its sender, what is used of them, and what leaves before it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from massmail_plugin.mailings.forecast import Forecast, finish_time
from massmail_plugin.models import Chunk, Mailing, OutboxMessage, Pace, Sender
from massmail_plugin.sending.limits import Limits, day_plan
from massmail_plugin.sending.limits.allowance import Standing
from massmail_plugin.vocabulary import MailingState, MessageState
from tests.consent.small_host import NOON, clock

TODAY = NOON.date()
UNKNOWN = "How long it takes can be said once its mails have been leaving for a while."


def add_sender(host, **limits):
    sender = Sender(name=f"S{host.session.query(Sender).count()}", from_address="us@example.org", created_at=NOON)
    for name, value in limits.items():
        setattr(sender, name, value)
    host.session.add(sender)
    host.session.flush()
    return sender


def running(host, sender, waiting, *, since=NOON, state=MailingState.SENDING):
    """A mailing with so many waiting mails, in one chunk."""
    mailing = Mailing(name="News", state=state.value, contact_source="person", created_at=NOON, sender=sender)
    host.session.add(mailing)
    host.session.flush()
    host.session.add(Chunk(mailing_id=mailing.id, number=0, due_at=since, planned=waiting))
    host.session.commit()
    return mailing


def used(host, sender, number):
    host.session.add(Pace(sender_id=sender.id, domain="", day=TODAY, day_count=number))
    host.session.commit()


def test_a_daily_quota_makes_days(host):
    sender = add_sender(host, per_day=300)
    forecast = finish_time(host, running(host, sender, 720))
    assert forecast.days == ((TODAY, 300), (date(2026, 3, 11), 300), (date(2026, 3, 12), 120))
    assert forecast.words == "300 today, 300 tomorrow, 120 on 12 Mar."
    assert forecast.end.date() == date(2026, 3, 12)


def test_what_is_used_of_today_is_not_there_any_more(host):
    sender = add_sender(host, per_day=300)
    used(host, sender, 250)
    assert finish_time(host, running(host, sender, 100)).words == "50 today, 50 tomorrow."


def test_a_pace_gives_the_time_of_the_last(host):
    sender = add_sender(host, per_window=1000, window_seconds=3600)
    forecast = finish_time(host, running(host, sender, 2001))
    assert abs(forecast.end - NOON - timedelta(seconds=2000 * 3.6 * 1.03)) < timedelta(seconds=1)
    assert forecast.words == "All 2,001 today, the last at about 14:03 UTC."


def test_a_quota_that_is_spread_begins_in_the_middle_of_the_day(host):
    sender = add_sender(host, per_day=300, spreads_day=True)
    forecast = finish_time(host, running(host, sender, 500))
    assert [number for _, number in forecast.days] == [150, 300, 50]


def test_a_warm_up_sends_more_each_day(host):
    sender = add_sender(host, per_day=1000, ramp_from=TODAY, ramp_first=50)
    forecast = finish_time(host, running(host, sender, 500))
    assert [number for _, number in forecast.days] == [50, 75, 112, 168, 95]
    assert forecast.words == "50 today, 75 tomorrow, and so on for 5 days until 95 on 14 Mar."


def test_what_is_due_before_it_leaves_before_it(host):
    sender = add_sender(host, per_day=300)
    older = running(host, sender, 400, since=NOON - timedelta(hours=1))
    mailing = running(host, sender, 300)
    running(host, sender, 500, since=NOON + timedelta(hours=1))
    running(host, add_sender(host), 500)
    running(host, sender, 500, state=MailingState.PAUSED)
    forecast = finish_time(host, mailing)
    assert forecast.ahead == 400
    assert [number for _, number in forecast.days] == [200, 100]
    assert forecast.words == (
        "200 tomorrow, 100 on 12 Mar. 400 of other mailings through this sender leave before its last."
    )
    assert finish_time(host, older).ahead == 0


def test_a_second_sender_carries_on_the_same_day(host):
    second = add_sender(host, per_day=100)
    sender = add_sender(host, per_day=300, spill_to_id=second.id)
    assert finish_time(host, running(host, sender, 500)).words == "400 today, 100 tomorrow."


def test_without_limits_the_last_minute_tells(host):
    mailing = running(host, add_sender(host), 6000)
    assert finish_time(host, mailing).words == UNKNOWN
    assert finish_time(host, mailing).end is None
    host.session.add_all(
        OutboxMessage(
            mailing_id=mailing.id,
            chunk=1,
            contact_source="person",
            contact_key=str(number),
            address_role="main",
            address="a@example.org",
            state=MessageState.SENT.value,
            settled_at=NOON - timedelta(seconds=number / 10),
        )
        for number in range(300)
    )
    host.session.add(Chunk(mailing_id=mailing.id, number=1, sent=300))
    host.session.commit()
    assert abs(finish_time(host, mailing).end - NOON - timedelta(seconds=599.9)) < timedelta(seconds=1)
    assert finish_time(host, mailing).words == "All 6,000 today, the last at about 12:09 UTC."
    clock(host).tick(minutes=2)
    assert finish_time(host, mailing).words == UNKNOWN


def test_before_it_is_filled_the_number_of_recipients_is_enough(host):
    sender = add_sender(host, per_day=300)
    draft = Mailing(name="News", contact_source="person", created_at=NOON, sender=sender)
    draft.scheduled_at = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
    host.session.add(draft)
    host.session.commit()
    assert finish_time(host, draft, recipients=400).words == "300 on 12 Mar, 100 on 13 Mar."


def test_where_nothing_waits_nothing_is_said(host):
    assert finish_time(host, running(host, add_sender(host, per_day=1), 0)) == Forecast()


def test_what_is_paused_and_what_is_slowed_is_said(host):
    sender = add_sender(host, per_day=300)
    host.session.add(Pace(sender_id=sender.id, domain="", slow_rate=1.0, slow_at=NOON))
    mailing = running(host, sender, 100, state=MailingState.PAUSED)
    assert finish_time(host, mailing).words == (
        "When it goes on: All 100 today. The server asks for patience at the moment, so it may take longer."
    )


def test_a_limit_that_takes_for_ever_is_said(host):
    sender = add_sender(host, per_window=1, window_seconds=86_400 * 7)
    forecast = finish_time(host, running(host, sender, 10_000))
    assert forecast.end is None
    assert forecast.words.endswith("That takes more than ten years: raise the limits of the sender.")


@pytest.mark.parametrize("spreads", [False, True])
@given(
    per_day=st.integers(1, 500),
    number=st.integers(1, 2000),
    ahead=st.integers(0, 500),
    counted=st.integers(0, 600),
    hour=st.integers(0, 23),
)
def test_no_day_is_over_its_quota_and_nobody_is_forgotten(spreads, per_day, number, ahead, counted, hour):
    limits = Limits(id=1, per_day=per_day, spreads_day=spreads)
    start = NOON.replace(hour=hour)
    plan = day_plan([(limits, Standing(day=TODAY, day_count=counted))], start, number, ahead=ahead)
    assert sum(leave for _, leave in plan.days) == number
    assert all(leave <= per_day for _, leave in plan.days)
    assert dict(plan.days).get(TODAY, 0) <= max(per_day - counted, 0)
    assert plan.end.date() == plan.days[-1][0]
