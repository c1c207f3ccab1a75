"""Many contacts at once are opted out just as one is, counted before, and each is told to the host."""

import pytest
from sqlalchemy import func, select

from massmail_plugin.consent.contact_keys import key_text
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.subscriptions.subscribing import subscribe
from massmail_plugin.consent.wishes.preferences import list_ids_of, opted_out_of_everything
from massmail_plugin.consent.wishes.withdrawing_many import (
    What,
    take_back_selected,
    those_to_take_back,
    those_to_withdraw,
    withdraw_selected,
)
from massmail_plugin.contracts import Host, PreferenceFact
from massmail_plugin.models import Subscription, Suppression
from massmail_plugin.vocabulary import ConsentWay, SubscriptionState
from tests.consent.small_host import PERSONS, Person, add_list, add_person, clock

BULK = Proof(ConsentWay.FILE, evidence="Robinson list", by="ann", origin="list.csv")


@pytest.mark.parametrize("to_lists", [False, True])
def test_out_and_back(host: Host, to_lists: bool) -> None:
    heard: list[PreferenceFact] = []
    host.hooks.on_preference_change.append(heard.append)
    news, other = add_list(host), add_list(host, "Other")
    people = [add_person(host, city="Bonn" if number < 3 else "Rome") for number in range(5)]
    subscribe(host, news, people[1:], proof=BULK)
    subscribe(host, other, people[:1], proof=BULK)
    host.session.commit()
    what = What((news.id,)) if to_lists else What()
    keys = select(key_text(PERSONS)).where(Person.city == "Bonn")
    out = those_to_withdraw(PERSONS, keys, what)
    assert host.session.scalar(select(func.count()).select_from(out.subquery())) == 3
    clock(host).tick(minutes=1)
    assert [withdraw_selected(host, PERSONS, keys, what, proof=BULK) for _ in range(2)] == [3, 0]
    assert [opted_out_of_everything(host, who) for who in people] == [not to_lists] * 3 + [False] * 2
    assert [list_ids_of(host, who) for who in people[1:]] == [(), (), (news.id,), (news.id,)]
    host.session.commit()
    assert [(fact.contact, fact.subscribed, fact.way) for fact in heard] == [
        (who, False, ConsentWay.FILE) for who in people[:3]
    ]
    clock(host).tick(minutes=1)
    back = those_to_take_back(PERSONS, keys, what)
    assert host.session.scalar(select(func.count()).select_from(back.subquery())) == 3
    assert [take_back_selected(host, PERSONS, keys, what, proof=BULK) for _ in range(2)] == [3, 0]
    assert not any(opted_out_of_everything(host, who) for who in people)
    assert list_ids_of(host, people[1]) == (news.id,)
    assert list_ids_of(host, people[0]) == ((news.id, other.id) if to_lists else (other.id,))
    host.session.commit()
    assert len(heard) == 6


def test_a_selection_that_changes_under_our_hands_is_held_fast(host: Host) -> None:
    """Who is on a list is asked once, although the act itself takes them off it."""
    news = add_list(host)
    people = [add_person(host) for _ in range(3)]
    subscribe(host, news, people, proof=BULK)
    on = Subscription.list_id == news.id, Subscription.state == SubscriptionState.SUBSCRIBED.value
    keys = select(Subscription.contact_key).where(*on)
    assert withdraw_selected(host, PERSONS, keys, What(), proof=BULK) == 3
    assert host.session.scalar(select(func.count()).select_from(Suppression)) == 3
    assert host.session.scalar(select(func.count()).select_from(Subscription).where(*on)) == 0


def test_how_we_know_is_kept(host: Host) -> None:
    add_person(host)
    withdraw_selected(host, PERSONS, select(key_text(PERSONS)), What(), proof=BULK)
    row = host.session.scalars(select(Suppression)).one()
    assert (row.way, row.note, row.created_by) == ("file", "Robinson list", "ann")


def test_one_hook_that_fails_keeps_nobody_else_from_being_told(host: Host) -> None:
    heard: list[str] = []

    def told(fact: PreferenceFact) -> None:
        heard.append(fact.contact.key)
        if len(heard) == 1:
            raise RuntimeError("the host's own fault")

    host.hooks.on_preference_change.append(told)
    people = [add_person(host) for _ in range(3)]
    withdraw_selected(host, PERSONS, select(key_text(PERSONS)), What(), proof=BULK)
    host.session.commit()
    assert heard == [who.key for who in people]
