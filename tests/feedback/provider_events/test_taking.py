"""What providers say becomes what happened to a mail, once, and only where our token says whose mail it was."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.wishes.withdrawal import take_back
from massmail_plugin.feedback.provider_events import Counted
from massmail_plugin.models import Link, Mailing
from massmail_plugin.opt_out import undo
from massmail_plugin.signed_links import message_id_field, message_token
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import ConsentWay, EventWord
from tests.feedback.provider_events.conftest import Listening
from tests.providers.events.samples import AGENT
from tests.public.mailed_host import ANN, BEN, EVE

W, M = EventWord, Meaning


@pytest.mark.parametrize(
    ("word", "meaning", "kinds", "outcomes", "stopped"),
    [
        (W.QUEUED, None, [], [], []),
        (W.SENT, None, [], [], []),
        (W.UNKNOWN, None, [], [], []),
        (W.DELIVERED, None, ["delivered"], [], []),
        (W.DEFERRED, M.SOFT, ["delay"], [], []),
        (W.BOUNCE, M.HARD, ["bounce"], ["bounced"], ["hard_bounce"]),
        (W.BOUNCE, M.BLOCKED, ["bounce"], [], []),
        (W.BOUNCE, M.FULL, ["bounce"], [], []),
        (W.REJECTED, M.HARD, ["bounce"], ["bounced"], ["hard_bounce"]),
        (W.REJECTED, M.BLOCKED, ["bounce"], [], []),
        (W.FAILED, M.MESSAGE, ["bounce"], [], []),
        (W.COMPLAINT, None, ["complaint"], ["complained"], ["complaint"]),
        (W.UNSUBSCRIBE, None, ["opt_out"], ["removed"], ["opt_out"]),
        (W.OPEN, None, ["open"], ["read"], []),
        (W.CLICK, None, ["click"], ["read", "clicked"], []),
        (W.AUTOREPLY, None, ["autoreply"], [], []),
    ],
)
def test_what_each_word_does(
    crm: Listening, word: EventWord, meaning: Meaning | None, kinds: list[str], outcomes: list[str], stopped: list[str]
) -> None:
    event = crm.event(word, ANN, meaning=meaning, event_id="e1", user_agent=AGENT)
    assert crm.take(event) == Counted(len(kinds), 1 - len(kinds), 0)
    assert crm.kinds() == kinds
    assert sorted(crm.mailed.outcome_kinds()) == sorted(outcomes)
    assert [reason for _, reason in crm.stopped()] == stopped
    assert crm.take(event, event).news == 0
    assert (crm.kinds(), len(crm.mailed.outcome_kinds())) == (kinds, len(outcomes))


def test_an_event_says_where_it_came_from(crm: Listening) -> None:
    at = crm.host.clock() - timedelta(hours=3)
    crm.take(crm.event(W.BOUNCE, ANN, meaning=M.FULL, reply="552 5.2.2 full", at=at, event_id="abc"))
    (event,) = crm.events()
    assert (event.provider, event.meaning, event.detail, event.at) == ("sendgrid", "full", "552 5.2.2 full", at)


@pytest.mark.parametrize("kind", ["return path", "link", "Message-ID"])
def test_any_of_our_tokens_says_whose_mail_it_was(crm: Listening, kind: str) -> None:
    message, config = crm.mailed.message(BEN), crm.host.config
    made = {
        "return path": crm.token(BEN),
        "link": message_token(config, message.id, message.mailing_id),
        "Message-ID": message_id_field(config, message.id, "example.org").strip("<>").partition("@")[0],
    }
    crm.take(crm.event(W.DELIVERED, BEN, tokens=("f" * 32, made[kind])))
    assert [event.message_id for event in crm.events()] == [message.id]


def test_an_address_alone_says_nothing(crm: Listening) -> None:
    assert crm.take(crm.event(W.BOUNCE, ANN, meaning=M.HARD, tokens=())) == Counted(0, 0, 1)
    assert (crm.kinds(), crm.stopped()) == ([], [])
    assert crm.received() == [("unmatched", "bounce", "ann@example.org")]


@pytest.mark.parametrize("recipient", ["mallory@example.org", "ann@example.net", "ann", ""])
def test_a_token_with_another_address_says_nothing(crm: Listening, recipient: str) -> None:
    """A copy to a BCC address has the same Message-ID."""
    crm.take(crm.event(W.COMPLAINT, ANN, recipient=recipient))
    assert (crm.kinds(), crm.stopped()) == ([], [])
    assert [state for state, _, _ in crm.received()] == ["unmatched"]


def test_the_same_address_in_another_spelling_is_the_same(crm: Listening) -> None:
    assert crm.take(crm.event(W.DELIVERED, ANN, recipient=" Ann@EXAMPLE.org ")).news == 1


def test_without_an_address_only_a_token_counts_that_no_copy_has(crm: Listening) -> None:
    message_id = message_id_field(crm.host.config, crm.mailed.message(ANN).id, "example.org")[1:33]
    crm.take(crm.event(W.COMPLAINT, ANN, recipient=None, tokens=(message_id,)))
    assert (crm.kinds(), [state for state, _, _ in crm.received()]) == ([], ["unmatched"])
    crm.take(crm.event(W.COMPLAINT, ANN, recipient=None))
    assert crm.kinds() == ["complaint"]


def test_a_test_mail_changes_nothing(crm: Listening) -> None:
    for word in (W.COMPLAINT, W.UNSUBSCRIBE, W.CLICK):
        crm.take(crm.event(word, ANN, tokens=(crm.token(ANN, test=True),)))
    assert (crm.kinds(), crm.stopped(), crm.mailed.reports()) == ([], [], [])


def test_what_is_none_of_ours_is_kept_once_and_within_bounds(crm: Listening) -> None:
    strange = [
        crm.event(W.BOUNCE, ANN, tokens=(), recipient=f"x{n}@example.net", event_id=f"e{n}") for n in range(2_000)
    ]
    assert crm.take(*strange).unmatched == 2_000
    assert crm.take(*strange).unmatched == 2_000
    assert len(crm.received()) == 2_000
    small = replace(crm.host, config=replace(crm.host.config, received_kept=50))
    Listening(crm.mailed, small).take(crm.event(W.BOUNCE, ANN, tokens=(), event_id="last"))
    assert len(crm.received()) == 50


def test_a_click_is_tied_to_its_link_and_one_on_our_own_address_is_counted_by_us_alone(crm: Listening) -> None:
    mailing_id = crm.mailed.message(ANN).mailing_id
    link = crm.host.session.scalars(select(Link).filter_by(mailing_id=mailing_id, number=1)).one()
    crm.take(crm.event(W.CLICK, ANN, url=link.target, user_agent=AGENT))
    assert [event.link_id for event in crm.events()] == [link.id]
    crm.take(
        crm.event(W.CLICK, BEN, url=f"{crm.host.config.public_root}/c/{crm.mailed.token(BEN)}/1", user_agent=AGENT)
    )
    crm.take(crm.event(W.CLICK, EVE, url="https://elsewhere.example/", user_agent=AGENT))
    assert [event.link_id for event in crm.events()] == [link.id, None]


def test_opens_by_programs_set_no_status(crm: Listening) -> None:
    crm.take(crm.event(W.OPEN, ANN, user_agent=AGENT, machine="proxy"), crm.event(W.OPEN, BEN, user_agent="curl/8.5.0"))
    assert [event.by_machine for event in crm.events()] == [True, True]
    assert crm.mailed.outcome_kinds() == []
    crm.take(crm.event(W.OPEN, EVE))
    assert crm.mailed.reports() == [("3", "read", 0)]


def test_where_tracking_is_off_a_providers_own_tracking_does_not_count(crm: Listening) -> None:
    crm.host.session.execute(update(Mailing).values(tracking=False))
    crm.host.session.commit()
    crm.take(crm.event(W.OPEN, ANN), crm.event(W.CLICK, ANN), crm.event(W.DELIVERED, ANN))
    assert crm.kinds() == ["delivered"]


def test_an_unsubscription_stops_everything_or_one_list(crm: Listening) -> None:
    crm.take(crm.event(W.UNSUBSCRIBE, ANN), crm.event(W.UNSUBSCRIBE, EVE, one_list=True))
    assert (crm.mailed.lists_of(ANN), crm.mailed.lists_of(EVE)) == ([], [])
    assert crm.stopped() == [("1", "opt_out")]
    told = [(fact.contact, fact.list_name) for fact in crm.mailed.wishes]
    assert sorted(told, key=str) == sorted([(ANN, None), (EVE, "news"), (EVE, "offers")], key=str)
    assert crm.mailed.woken.count("outcomes") >= 1


def test_a_late_unsubscription_does_not_undo_a_return(crm: Listening) -> None:
    late = crm.event(W.UNSUBSCRIBE, ANN, at=crm.host.clock() - timedelta(days=2), event_id="late")
    crm.take(crm.event(W.UNSUBSCRIBE, ANN, event_id="first"))
    assert undo(crm.host, crm.mailed.message(ANN).id, everything=True)
    crm.host.session.commit()
    crm.take(late)
    assert (crm.stopped(), "news" in crm.mailed.lists_of(ANN)) == ([], True)


def test_a_repeated_unsubscription_does_not_undo_a_return(crm: Listening) -> None:
    gone = crm.event(W.UNSUBSCRIBE, ANN, event_id="once")
    crm.take(gone)
    take_back(crm.host, ANN, proof=Proof(ConsentWay.PERSON, evidence="at the counter"))
    crm.host.session.commit()
    crm.take(gone)
    assert crm.stopped() == []


def test_whoever_subscribes_at_the_provider_has_to_say_so_to_us(crm: Listening) -> None:
    crm.take(crm.event(W.UNSUBSCRIBE, ANN))
    crm.take(crm.event(W.SUBSCRIBE, ANN))
    assert crm.stopped() == [("1", "opt_out")]
    assert crm.received() == [("ignored", "opt_back_in", "ann@example.org")]


def test_a_time_in_the_future_is_now(crm: Listening) -> None:
    crm.take(crm.event(W.DELIVERED, ANN, at=crm.host.clock() + timedelta(days=400)))
    assert crm.events()[0].at <= crm.host.clock()
