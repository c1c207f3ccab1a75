"""Opting out and taking it back, what the preference page then says, and what the host hears."""

import logging

import pytest

from massmail_plugin.consent.preferences import opted_out_of_everything, standing
from massmail_plugin.consent.subscriptions import Counts, subscribe
from massmail_plugin.consent.withdrawal import take_back, withdraw
from massmail_plugin.contracts import ContactRef, Host, PreferenceFact
from tests.consent.small_host import add_list, add_person, clock


def on(host: Host, contact: ContactRef) -> list[str]:
    return [line.title for line in standing(host, contact) if line.subscribed]


def test_lists_alone(host: Host) -> None:
    news, offers = add_list(host, public_name="Our news"), add_list(host, "Offers", description="Each week")
    who = add_person(host)
    subscribe(host, news, [who], evidence="by hand")
    done = withdraw(host, who, list_ids=[news.id, offers.id], evidence="page", message_id=5)
    assert (done.everything, done.list_ids, done.changed) == (False, (news.id, offers.id), True)
    assert not withdraw(host, who, list_ids=[news.id], evidence="page").changed
    assert [(line.title, line.subscribed) for line in standing(host, who)] == [("Offers", False), ("Our news", False)]
    assert subscribe(host, offers, [who], evidence="import") == Counts(kept_out=1)
    assert take_back(host, who, list_ids=[news.id], evidence="undo", message_id=5)
    assert on(host, who) == ["Our news"]
    assert not opted_out_of_everything(host, who)


def test_everything_and_back(host: Host) -> None:
    kept, left, never = (add_list(host, name) for name in ("Kept", "Left", "Never"))
    who, other = add_person(host), add_person(host)
    for list_ in (kept, left):
        subscribe(host, list_, [who, other], evidence="by hand")
    withdraw(host, who, list_ids=[left.id], evidence="page")
    clock(host).tick(minutes=1)
    done = withdraw(host, who, list_ids=None, evidence="one click", message_id=7)
    assert (done.everything, done.list_ids, done.changed) == (True, (kept.id,), True)
    assert opted_out_of_everything(host, who)
    assert on(host, who) == []
    assert on(host, other) == ["Kept", "Left"]
    clock(host).tick(minutes=1)
    assert not withdraw(host, who, list_ids=None, evidence="one click", message_id=7).changed
    withdraw(host, who, list_ids=[never.id], evidence="page")
    assert take_back(host, who, withdrawal=done, evidence="undo", message_id=7)
    assert not take_back(host, who, list_ids=None, evidence="undo")
    assert on(host, who) == ["Kept"]
    assert not opted_out_of_everything(host, who)


def test_an_inactive_list_is_not_on_the_page(host: Host) -> None:
    list_ = add_list(host)
    who = add_person(host)
    subscribe(host, list_, [who], evidence="by hand")
    list_.active = False
    assert standing(host, who) == []


def test_the_host_hears_of_it_after_the_commit(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[PreferenceFact] = []

    def broken(fact: PreferenceFact) -> None:
        raise RuntimeError("the host's own fault")

    host.hooks.on_preference_change[:] = [broken, heard.append]
    list_ = add_list(host)
    who = add_person(host)
    withdraw(host, who, list_ids=[list_.id], evidence="page")
    assert heard == []
    with caplog.at_level(logging.ERROR):
        host.session.commit()
    assert heard == [
        PreferenceFact(
            contact=who, list_id=list_.id, list_name="News", subscribed=False, at=host.clock(), source="page"
        )
    ]
    assert "the host's own fault" in caplog.text
    withdraw(host, who, list_ids=None, evidence="one click")
    host.session.rollback()
    withdraw(host, who, list_ids=None, evidence="one click")
    take_back(host, who, list_ids=None, evidence="undo")
    host.session.commit()
    assert [(fact.list_id, fact.subscribed) for fact in heard[1:]] == [(None, False), (None, True)]
