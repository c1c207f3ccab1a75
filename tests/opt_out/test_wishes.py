"""Every wish a recipient may have, said once, twice, taken back, and through a test mail."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select

from massmail_plugin import consent, opt_out
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.address_hashes import address_hash
from massmail_plugin.consent.stops.hand_off import Asked, Purpose, stopped
from massmail_plugin.consent.wishes.opt_outs import Wide, opted_out_of
from massmail_plugin.consent.wishes.withdrawal import withdraw
from massmail_plugin.errors import ForgottenMail
from massmail_plugin.models import (
    Criterion,
    Event,
    List,
    Mailing,
    OutboxMessage,
    OutcomeReport,
    PastMessage,
    SubscriptionEvent,
    Suppression,
    Template,
    Topic,
)
from massmail_plugin.upkeep.contacts import retire_contact
from massmail_plugin.vocabulary import ConsentWay, MailingKind, SkipReason
from tests.opt_out.conftest import opted_out, state_of
from tests.public.mailed_host import ANN, BEN, EVE, MailedHost

BY_TELEPHONE = Proof(ConsentWay.PERSON, evidence="by telephone")


def back(mailed: MailedHost, number: int) -> bool:
    """Take back what was left through this mail."""
    return opt_out.undo(mailed.host, number, everything=False)


def test_one_click_leaves_the_lists_of_the_mailing_alone(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    assert opt_out.one_click(mailed.host, number)
    mailed.host.session.commit()
    assert mailed.lists_of(ANN) == ["events"]
    assert mailed.lists_of(BEN) == ["news"]
    assert mailed.reports() == [("1", "removed", 0)]
    assert mailed.events() == [("opt_out", False)]
    assert "outcomes" in mailed.woken
    assert {wish.list_name for wish in mailed.wishes} == {"news", "offers"}


def test_saying_it_twice_changes_nothing(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    assert [opt_out.one_click(mailed.host, number) for _ in range(3)] == [True, False, False]
    assert mailed.reports() == [("1", "removed", 0)]
    assert mailed.events() == [("opt_out", False)]


def test_leaving_everything(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    assert opt_out.leave(mailed.host, number, everything=True)
    state = state_of(mailed, number)
    assert (state.out, state.out_of_everything) == (True, True)
    assert mailed.lists_of(ANN) == []
    assert mailed.reports() == [("1", "removed", 0)]


@pytest.mark.parametrize("everything", [False, True])
def test_it_holds_from_the_next_hand_off_on(mailed: MailedHost, everything: bool) -> None:
    message = mailed.message(ANN)
    purpose = Purpose(message.mailing_id, (mailed.list_id("news"), mailed.list_id("offers")))
    asked = [Asked(message.id, ANN.key, message.address, message.list_id)]
    assert stopped(mailed.host, "people", asked, purpose) == {}
    opt_out.leave(mailed.host, message.id, everything=everything)
    mailed.host.session.commit()
    assert stopped(mailed.host, "people", asked, purpose) == {message.id: SkipReason.OPTED_OUT}


@pytest.mark.parametrize("way", [ConsentWay.ONE_CLICK, ConsentWay.PAGE, ConsentWay.MAIL])
def test_the_record_says_how_from_where_and_through_which_mail(mailed: MailedHost, way: ConsentWay) -> None:
    number = mailed.message(ANN).id
    opt_out.leave(mailed.host, number, everything=False, way=way, origin="192.0.2.7 Firefox")
    left = mailed.host.session.scalars(select(SubscriptionEvent).where(SubscriptionEvent.state == "unsubscribed"))
    assert {(row.way, row.origin, row.by, row.message_id) for row in left} == {(way, "192.0.2.7 Firefox", "", number)}


@pytest.mark.parametrize("everything", [False, True])
def test_undo_restores_what_was(mailed: MailedHost, everything: bool) -> None:
    number = mailed.message(ANN).id
    opt_out.leave(mailed.host, number, everything=everything)
    assert opt_out.undo(mailed.host, number, everything=everything)
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]
    assert not opted_out(mailed, ANN)
    assert mailed.reports() == [("1", "removed", 0), ("1", "removed", 1)]
    assert mailed.events() == [("opt_out", False), ("opt_back_in", False)]
    assert not opt_out.undo(mailed.host, number, everything=everything)
    assert not opt_out.undo(mailed.host, number, everything=not everything)


def test_what_was_left_before_everything_stays_left_however_often_undo_is_pressed(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    opt_out.leave(mailed.host, number, everything=False)
    opt_out.leave(mailed.host, number, everything=True)
    assert [opt_out.undo(mailed.host, number, everything=True) for _ in range(3)] == [True, False, False]
    assert mailed.lists_of(ANN) == ["events"]
    assert state_of(mailed, number).out
    assert not state_of(mailed, number).out_of_everything
    assert opt_out.undo(mailed.host, number, everything=False)
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]


def test_undo_does_not_put_anybody_on_a_list_they_never_were_on(mailed: MailedHost) -> None:
    number = mailed.message(BEN).id
    opt_out.leave(mailed.host, number, everything=False)
    back(mailed, number)
    assert mailed.lists_of(BEN) == ["news"]


def test_undo_opens_what_this_mail_closed_and_no_list_that_was_left_before(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    withdraw(mailed.host, ANN, list_ids=[mailed.list_id("offers")], proof=BY_TELEPHONE)
    opt_out.one_click(mailed.host, number)
    assert [back(mailed, number) for _ in range(3)] == [True, False, False]
    assert mailed.lists_of(ANN) == ["events", "news"]


def test_who_left_by_other_ways_gets_these_mails_again(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    for name in ("offers", "news"):
        withdraw(mailed.host, ANN, list_ids=[mailed.list_id(name)], proof=BY_TELEPHONE)
    assert back(mailed, number)
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]


def test_undo_puts_whom_a_criterion_finds_back_on_its_list(mailed: MailedHost) -> None:
    session, now = mailed.host.session, mailed.host.clock()
    rule = {"field": "name", "op": "is", "value": "Ben"}
    criterion = Criterion(name="Bens", contact_source="people", rule=rule, created_at=now, updated_at=now)
    number = mailed.message(BEN).id
    session.get_one(Mailing, mailed.message(BEN).mailing_id).lists = [
        List(name="b", created_at=now, criterion=criterion)
    ]
    session.commit()
    assert opt_out.one_click(mailed.host, number)
    assert state_of(mailed, number).out
    assert [back(mailed, number) for _ in range(2)] == [True, False]
    assert not state_of(mailed, number).out


def test_out_back_and_out_again_is_reported_each_time(mailed: MailedHost) -> None:
    number = mailed.message(EVE).id
    opt_out.one_click(mailed.host, number)
    back(mailed, number)
    opt_out.one_click(mailed.host, number)
    assert mailed.reports() == [("3", "removed", turn) for turn in (0, 1, 2)]


def test_a_mail_that_is_older_than_the_coming_back_changes_nothing(mailed: MailedHost) -> None:
    number, written = mailed.message(ANN).id, mailed.host.clock()
    opt_out.by_mail(mailed.host, number, at=written)
    back(mailed, number)
    mailed.host.session.commit()
    assert not opt_out.by_mail(mailed.host, number, at=written)
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]
    assert opt_out.by_mail(mailed.host, number, at=mailed.host.clock() + timedelta(hours=1))
    assert mailed.lists_of(ANN) == ["events"]


def test_test_mail_changes_nothing(mailed: MailedHost) -> None:
    number = mailed.message(ANN, test=True).id
    assert not opt_out.one_click(mailed.host, number)
    assert not opt_out.leave(mailed.host, number, everything=True)
    assert not opt_out.by_mail(mailed.host, number, at=None)
    assert not back(mailed, number)
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]
    assert mailed.host.session.scalars(select(Event)).all() == []


def test_removal_through_another_mail_is_taken_back_too(mailed: MailedHost) -> None:
    first, second = mailed.message(ANN), mailed.message(EVE)
    second.contact_key, second.address_role = first.contact_key, "second"
    mailed.host.session.flush()
    opt_out.leave(mailed.host, first.id, everything=False)
    back(mailed, second.id)
    assert mailed.reports() == [("1", "removed", 0), ("1", "removed", 1)]


def test_removal_stays_where_the_contact_is_still_off_the_lists(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    opt_out.leave(mailed.host, number, everything=False)
    opt_out.leave(mailed.host, number, everything=True)
    opt_out.undo(mailed.host, number, everything=True)
    assert mailed.lists_of(ANN) == ["events"]
    assert mailed.reports() == [("1", "removed", 0)]
    assert state_of(mailed, number).out


def test_a_removal_stays_while_the_topic_of_its_mailing_is_stopped_or_everything(mailed: MailedHost) -> None:
    number, topic_id = about_offers(mailed)
    other = mailed.message(ANN, test=True)
    mailed.host.session.get_one(Mailing, other.mailing_id).kind = MailingKind.ONE_OFF.value
    mailed.host.session.commit()
    opt_out.one_click(mailed.host, number)
    opt_out.leave(mailed.host, other.id, everything=True)
    opt_out.undo(mailed.host, number, everything=False)
    assert (opted_out(mailed, ANN), opted_out_of(mailed.host, ANN, Wide(topic_id))) == (True, False)
    assert [turn for _, _, turn in mailed.reports()] == [0, 0]
    opt_out.one_click(mailed.host, number)
    opt_out.undo(mailed.host, other.id, everything=True)
    kept = mailed.host.session.execute(select(OutcomeReport.message_id, OutcomeReport.turn)).all()
    assert sorted(map(tuple, kept)) == sorted([(number, 0), (other.id, 0), (other.id, 1)])


def test_titles_are_those_the_contact_knows(mailed: MailedHost) -> None:
    assert state_of(mailed, mailed.message(BEN).id).titles == ("Monthly news",)
    assert state_of(mailed, mailed.message(ANN).id).titles == ("Monthly news", "Offers & <deals>")
    opt_out.leave(mailed.host, mailed.message(BEN).id, everything=False)
    assert "Monthly news" in state_of(mailed, mailed.message(BEN).id).titles


def test_titles_are_in_the_language_asked_for_where_the_house_has_words_for_it(mailed: MailedHost) -> None:
    news = mailed.host.session.get_one(List, mailed.list_id("news"))
    news.texts = {"de": {"name": "Monatsbrief", "description": "Einmal im Monat."}, "pt-BR": {"name": "Novidades"}}
    mailed.host.session.commit()
    number = mailed.message(BEN).id
    titles = {name: state_of(mailed, number, name).titles[0] for name in ("de", "de_AT", "pt_BR", "fr", "en")}
    assert titles == {
        "de": "Monatsbrief",
        "de_AT": "Monatsbrief",
        "pt_BR": "Novidades",
        "fr": "Monthly news",
        "en": "Monthly news",
    }


# --- A mailing that went to no list ---------------------------------------------------------------------------


def about_offers(mailed: MailedHost) -> tuple[int, int]:
    """Ann's mail came by no list, but its template has a topic: the ids of mail and topic."""
    session, now = mailed.host.session, mailed.host.clock()
    topic = Topic(name="offers", public_name="Special offers")
    template = Template(name="Offers", topic=topic, created_at=now, updated_at=now)
    session.add_all([topic, template])
    mailing = session.get_one(Mailing, mailed.message(ANN).mailing_id)
    mailing.lists, mailing.template = [], template
    session.get_one(List, mailed.list_id("offers")).topic = topic
    session.commit()
    return mailed.message(ANN).id, topic.id


def test_it_stops_its_topic(mailed: MailedHost) -> None:
    number, topic_id = about_offers(mailed)
    assert state_of(mailed, number).titles == ("Special offers",)
    assert opt_out.one_click(mailed.host, number)
    assert not opt_out.one_click(mailed.host, number)
    assert opted_out_of(mailed.host, ANN, Wide(topic_id))
    assert not opted_out(mailed, ANN)
    assert mailed.lists_of(ANN) == ["events", "news"]
    assert state_of(mailed, number).out
    assert mailed.reports() == [("1", "removed", 0)]
    assert back(mailed, number)
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]
    assert not state_of(mailed, number).out
    assert mailed.reports() == [("1", "removed", 0), ("1", "removed", 1)]


def test_without_a_topic_it_stops_everything(mailed: MailedHost) -> None:
    number, _ = about_offers(mailed)
    mailed.host.session.get_one(Mailing, mailed.message(ANN).mailing_id).template = None
    mailed.host.session.commit()
    assert opt_out.one_click(mailed.host, number)
    assert opted_out(mailed, ANN)


# --- What is kept for ever ------------------------------------------------------------------------------------


def test_the_wish_works_when_the_mail_itself_was_deleted_for_its_age(mailed: MailedHost) -> None:
    number = mailed.forget_by_age(ANN)
    assert state_of(mailed, number).titles == ("Monthly news", "Offers & <deals>")
    assert opt_out.one_click(mailed.host, number)
    assert mailed.lists_of(ANN) == ["events"]
    assert back(mailed, number)
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]


@pytest.mark.parametrize("by_age", [False, True])
def test_whoever_writes_for_a_contact_that_was_deleted_stops_the_address(mailed: MailedHost, by_age: bool) -> None:
    """The host may have made another contact of it, as when it takes its contacts in anew every night."""
    host, message = mailed.host, mailed.message(ANN)
    number, address, mailing_id = message.id, message.address, message.mailing_id
    if by_age:
        mailed.forget_by_age(ANN)
        host.session.get_one(PastMessage, number).address_hash = address_hash(host.config, address)
    retire_contact(host, ANN)
    asked = [Asked(1, EVE.key, address)]
    news, events = (Purpose(mailing_id, (mailed.list_id(name),)) for name in ("news", "events"))
    consent.subscribe(host, host.session.get_one(List, mailed.list_id("events")), [EVE], proof=BY_TELEPHONE)
    assert stopped(host, "people", asked, news) == {}
    opt_out.one_click(host, number)
    opt_out.one_click(host, number)
    host.session.commit()
    assert stopped(host, "people", asked, news) == {1: SkipReason.OPTED_OUT}
    assert stopped(host, "people", asked, events) == {}
    opt_out.leave(host, number, everything=True)
    assert stopped(host, "people", asked, events) == {1: SkipReason.OPTED_OUT}
    assert host.session.scalar(select(func.count()).select_from(Suppression)) == 3


def test_who_is_gone_is_told_so_and_changes_no_list(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    retire_contact(mailed.host, ANN)
    mailed.host.session.commit()
    before = mailed.host.session.scalars(select(SubscriptionEvent.id)).all()
    assert state_of(mailed, number).is_gone
    assert not opt_out.one_click(mailed.host, number)
    assert not opt_out.leave(mailed.host, number, everything=True)
    assert not back(mailed, number)
    assert mailed.host.session.scalars(select(SubscriptionEvent.id)).all() == before


def test_a_mail_of_which_nothing_is_kept_is_forgotten(mailed: MailedHost) -> None:
    number = mailed.forget_by_age(ANN)
    mailed.host.session.execute(delete(PastMessage))
    for act in (opt_out.one_click, back, state_of):
        with pytest.raises(ForgottenMail):
            act(mailed.host if act is opt_out.one_click else mailed, number)  # type: ignore[arg-type]
    assert mailed.host.session.get(OutboxMessage, number) is None
