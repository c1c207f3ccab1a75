"""The page of choices: what it offers, what saving it does, lists and topics, how often, a break; why people leave."""

from datetime import time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from massmail_plugin import opt_out
from massmail_plugin.consent.addresses import normalised
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops import frequency
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.consent.wishes import pauses
from massmail_plugin.consent.wishes.opt_outs import Wide, opted_out_of
from massmail_plugin.consent.wishes.withdrawal import withdraw
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Criterion, List, OptOutReason, Topic
from massmail_plugin.opt_out import Wanted, choose
from massmail_plugin.opt_out.choosing import _day_months_later
from massmail_plugin.upkeep.contacts import retire_contact
from massmail_plugin.vocabulary import ConsentWay, OptOutWhy, SuppressionReason, SuppressionScope
from tests.opt_out.conftest import opted_out, state_of
from tests.public.mailed_host import ANN, BEN, EVE, MailedHost


def wanting(mailed: MailedHost, *names: str, **others: Any) -> Wanted:
    return Wanted(frozenset(mailed.list_id(name) for name in names), **others)


def offered(mailed: MailedHost, number: int) -> dict[str, list[tuple[str, bool]]]:
    """Topic -> its lists, each with whether the contact is on it."""
    topics = state_of(mailed, number).topics
    return {topic.title: [(line.title, line.on) for line in topic.lists] for topic in topics}


def put_under(mailed: MailedHost, title: str, *names: str) -> int:
    """A topic for these lists."""
    session = mailed.host.session
    topic = Topic(name=title.lower(), public_name=title)
    session.add(topic)
    for name in names:
        session.get_one(List, mailed.list_id(name)).topic = topic
    session.commit()
    return topic.id


# --- Lists ----------------------------------------------------------------------------------------------------


def test_leaving_one_list(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    assert choose(mailed.host, number, wanting(mailed, "news", "offers"))
    assert mailed.lists_of(ANN) == ["news", "offers"]
    assert mailed.reports() == []
    assert mailed.events() == [("opt_out", False)]


def test_leaving_all_lists_of_the_mailing_is_a_removal(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    choose(mailed.host, number, wanting(mailed, "events"))
    assert mailed.lists_of(ANN) == ["events"]
    assert mailed.reports() == [("1", "removed", 0)]
    choose(mailed.host, number, wanting(mailed, "events", "news"))
    assert mailed.lists_of(ANN) == ["events", "news"]
    assert mailed.reports() == [("1", "removed", 0), ("1", "removed", 1)]


def test_after_leaving_everything_what_is_ticked_comes_back(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    opt_out.leave(mailed.host, number, everything=True)
    assert choose(mailed.host, number, wanting(mailed, "offers"))
    assert mailed.lists_of(ANN) == ["offers"]
    assert not opted_out(mailed, ANN)
    assert mailed.reports() == [("1", "removed", 0), ("1", "removed", 1)]


def test_with_nothing_ticked_who_left_everything_stays_out(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    opt_out.leave(mailed.host, number, everything=True)
    assert not choose(mailed.host, number, Wanted())
    assert opted_out(mailed, ANN)


def test_only_lists_that_are_offered_can_be_joined(mailed: MailedHost) -> None:
    number = mailed.message(BEN).id
    choose(mailed.host, number, Wanted(wanting(mailed, "news", "events").list_ids | {4711}))
    assert mailed.lists_of(BEN) == ["news"]
    assert mailed.events() == []


def test_lists_that_anybody_may_sign_up_for_are_offered_to_all(mailed: MailedHost) -> None:
    mailed.host.session.get_one(List, mailed.list_id("events")).sign_up = True
    mailed.host.session.commit()
    number = mailed.message(BEN).id
    assert ("Invitations to fairs and open days", False) in offered(mailed, number)[""]
    choose(mailed.host, number, wanting(mailed, "news", "events"))
    assert mailed.lists_of(BEN) == ["events", "news"]


def test_archived_lists_are_neither_offered_nor_touched(mailed: MailedHost) -> None:
    mailed.host.session.get_one(List, mailed.list_id("events")).active = False
    mailed.host.session.commit()
    number = mailed.message(ANN).id
    assert "Invitations to fairs and open days" not in [title for title, _ in offered(mailed, number)[""]]
    choose(mailed.host, number, wanting(mailed, "news", "offers"))
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]


def test_a_list_kept_by_a_criterion_is_offered_to_whom_it_finds_and_can_be_left(mailed: MailedHost) -> None:
    session, now = mailed.host.session, mailed.host.clock()
    rule = {"field": "name", "op": "is", "value": "Ben"}
    criterion = Criterion(name="Bens", contact_source="people", rule=rule, created_at=now, updated_at=now)
    session.add(List(name="bens", created_at=now, criterion=criterion))
    session.commit()
    number, wanted = mailed.message(BEN).id, wanting(mailed, "news")
    assert ("bens", True) in offered(mailed, number)[""]
    assert "bens" not in [title for title, _ in offered(mailed, mailed.message(EVE).id)[""]]
    assert choose(mailed.host, number, wanted)
    assert ("bens", False) in offered(mailed, number)[""]
    assert choose(mailed.host, number, wanting(mailed, "news", "bens"))
    assert ("bens", True) in offered(mailed, number)[""]


# --- Topics ---------------------------------------------------------------------------------------------------


def test_lists_stand_under_their_topics(mailed: MailedHost) -> None:
    put_under(mailed, "Fairs", "events")
    put_under(mailed, "Buying", "offers")
    assert list(offered(mailed, mailed.message(ANN).id)) == ["Buying", "Fairs", ""]


def test_nothing_about_a_topic_closes_its_lists_and_reaches_those_to_come(mailed: MailedHost) -> None:
    topic_id = put_under(mailed, "Buying", "offers", "news")
    number, topics = mailed.message(ANN).id, frozenset({topic_id})
    everything = wanting(mailed, "news", "offers", "events")
    assert choose(mailed.host, number, Wanted(everything.list_ids, stopped_topic_ids=topics))
    assert mailed.lists_of(ANN) == ["events"]
    assert opted_out_of(mailed.host, ANN, Wide(topic_id))
    assert mailed.reports() == [("1", "removed", 0)]
    assert state_of(mailed, number).stands.stopped_topic_ids == topics
    assert choose(mailed.host, number, wanting(mailed, "events", "offers"))
    assert not opted_out_of(mailed.host, ANN, Wide(topic_id))
    assert mailed.lists_of(ANN) == ["events", "offers"]
    assert mailed.reports() == [("1", "removed", 0), ("1", "removed", 1)]


def test_a_topic_that_is_not_offered_cannot_be_stopped(mailed: MailedHost) -> None:
    put_under(mailed, "Fairs", "events")
    other = Topic(name="other")
    mailed.host.session.add(other)
    mailed.host.session.commit()
    assert not choose(mailed.host, mailed.message(BEN).id, wanting(mailed, "news", stopped_topic_ids={other.id}))


# --- How often, and a break -----------------------------------------------------------------------------------


def test_fewer_mails_and_as_many_as_before(mailed: MailedHost) -> None:
    number = mailed.message(BEN).id
    assert choose(mailed.host, number, wanting(mailed, "news", days=30))
    assert frequency.wanted_days(mailed.host, BEN) == 30
    assert state_of(mailed, number).stands.days == 30
    assert not choose(mailed.host, number, wanting(mailed, "news", days=30))
    assert choose(mailed.host, number, wanting(mailed, "news"))
    assert frequency.wanted_days(mailed.host, BEN) is None
    assert mailed.reports() == []


def test_a_break_is_kept_changed_and_ended(mailed: MailedHost) -> None:
    number = mailed.message(BEN).id
    assert choose(mailed.host, number, wanting(mailed, "news", pause="1"))
    first = state_of(mailed, number).paused_until
    assert first is not None
    assert timedelta(days=27) < first - mailed.host.clock() < timedelta(days=31)
    assert not choose(mailed.host, number, wanting(mailed, "news", pause="keep"))
    assert state_of(mailed, number).paused_until == first
    assert choose(mailed.host, number, wanting(mailed, "news", pause="6"))
    assert (state_of(mailed, number).paused_until or first) > first
    assert choose(mailed.host, number, wanting(mailed, "news"))
    assert state_of(mailed, number).paused_until is None
    assert pauses.paused_until(mailed.host, BEN) is None
    assert mailed.lists_of(BEN) == ["news"]


@given(st.datetimes(), st.sampled_from(opt_out.MONTHS))
def test_a_break_ends_on_the_same_day_or_the_last_of_the_month(moment: Any, months: int) -> None:
    if moment.year > 9990:
        return
    later = _day_months_later(moment, months)
    assert (later.year * 12 + later.month) - (moment.year * 12 + moment.month) == months
    assert later.day == moment.day or (later + timedelta(days=1)).day == 1
    assert later.time() == time(0)


@pytest.mark.parametrize("wanted", [{"days": 3}, {"days": -1}, {"pause": "12"}, {"pause": "forever"}])
def test_what_is_not_offered_is_refused(mailed: MailedHost, wanted: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        choose(mailed.host, mailed.message(ANN).id, Wanted(**wanted))


# --- Who may not choose ---------------------------------------------------------------------------------------


def test_test_mails_and_the_gone_change_nothing(mailed: MailedHost) -> None:
    test, number = mailed.message(ANN, test=True).id, mailed.message(EVE).id
    retire_contact(mailed.host, EVE)
    mailed.host.session.commit()
    for one in (test, number):
        assert not choose(mailed.host, one, Wanted(days=7, pause="1"))
        opt_out.tell_why(mailed.host, one, OptOutWhy.TOO_MANY)
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]
    assert frequency.wanted_days(mailed.host, ANN) is None
    assert mailed.host.session.scalars(select(OptOutReason)).all() == []


def test_a_stop_the_contact_did_not_choose_is_said_and_stays(mailed: MailedHost) -> None:
    message = mailed.message(ANN)
    complaint = {"scope": SuppressionScope.ALL_BUT_TRANSACTIONAL, "reason": SuppressionReason.COMPLAINT}
    suppress(mailed.host, address=normalised(message.address), **complaint)
    assert state_of(mailed, message.id).held
    choose(mailed.host, message.id, wanting(mailed, "news"))
    assert state_of(mailed, message.id).held
    assert not state_of(mailed, mailed.message(BEN).id).held


def test_choices_work_when_the_mail_itself_was_deleted_for_its_age(mailed: MailedHost) -> None:
    number = mailed.forget_by_age(ANN)
    assert choose(mailed.host, number, wanting(mailed, "events", days=7, pause="3"))
    assert mailed.lists_of(ANN) == ["events"]
    assert state_of(mailed, number).stands.days == 7


# --- Why ------------------------------------------------------------------------------------------------------


def test_the_reason_is_kept_once_for_each_mail_and_may_be_changed(mailed: MailedHost) -> None:
    message = mailed.message(ANN)
    opt_out.tell_why(mailed.host, message.id, OptOutWhy.OTHER, "No\0 \u202eletters\r\nplease \ud800")
    opt_out.tell_why(mailed.host, message.id, OptOutWhy.TOO_MANY, "x" * 5000)
    mailed.host.session.commit()
    kept = mailed.host.session.scalars(select(OptOutReason)).one()
    assert (kept.reason, kept.comment, kept.mailing_id) == ("too_many", "x" * 1000, message.mailing_id)
    assert state_of(mailed, message.id).why == "too_many"
    opt_out.tell_why(mailed.host, message.id, OptOutWhy.OTHER, "No\0 \u202eletters\r\nplease \ud800")
    assert kept.comment == "No letters\nplease"


# --- Whatever is chosen, in whatever order --------------------------------------------------------------------

NAMES = ["news", "offers", "events"]
ACTS = st.one_of(
    st.tuples(st.just("leave"), st.booleans()),
    st.tuples(st.just("undo"), st.booleans()),
    st.tuples(st.just("host"), st.booleans()),
    st.tuples(st.just("choose"), st.sets(st.sampled_from(NAMES)), st.booleans()),
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=st.lists(ACTS, min_size=1, max_size=5), last=st.sets(st.sampled_from(NAMES), min_size=1))
def test_the_last_choice_holds_whatever_was_wished_before(mailed: MailedHost, acts: Any, last: set[str]) -> None:
    """And every wish said a second time is no news."""
    number = mailed.message(ANN).id
    session = mailed.host.session
    topic = session.scalars(select(Topic)).first()
    topic_id = topic.id if topic else put_under(mailed, "Buying", "offers")
    for act in acts:
        for news in (True, False):
            changed = _do(mailed, number, topic_id, act)
            assert not (changed and not news), act
    choose(mailed.host, number, wanting(mailed, *last))
    session.commit()
    state = state_of(mailed, number)
    assert mailed.lists_of(ANN) == sorted(last)
    assert state.stands == wanting(mailed, *last)
    assert not state.out_of_everything
    assert state.out == (not last & {"news", "offers"})


def _do(mailed: MailedHost, number: int, topic_id: int, act: Any) -> bool:
    host = mailed.host
    if act[0] == "leave":
        return opt_out.leave(host, number, everything=act[1])
    if act[0] == "undo":
        return opt_out.undo(host, number, everything=act[1])
    if act[0] == "host":
        wish = {"list_ids": None, "topic_id": topic_id if act[1] else None}
        return withdraw(host, ANN, proof=Proof(ConsentWay.HOST, evidence="flag"), **wish).changed
    topics = frozenset({topic_id}) if act[2] else frozenset()
    return choose(host, number, wanting(mailed, *act[1], stopped_topic_ids=topics))
