"""The numbers of a list are right whatever happens to its people, and however often they are folded."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, current_app
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Select, func, insert, select

from massmail_plugin.consent.contact_keys import has_key, key_text
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.subscriptions import tallies
from massmail_plugin.consent.subscriptions.changes import forget
from massmail_plugin.consent.subscriptions.subscribing import (
    Counts,
    subscribe,
    subscribe_selected,
    unsubscribe,
    unsubscribe_selected,
    would_subscribe,
    would_unsubscribe,
)
from massmail_plugin.consent.subscriptions.tallies import ListDifference, list_counts
from massmail_plugin.consent.wishes.withdrawal import take_back, withdraw
from massmail_plugin.consent.wishes.withdrawing_many import What, take_back_selected, withdraw_selected
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import Criterion, List, Subscription, SubscriptionEvent, SubscriptionTally
from massmail_plugin.vocabulary import ConsentWay
from tests.consent.small_host import PERSONS, Person, add_list, add_person, clock, running_host

PROOF = Proof(ConsentWay.PERSON, evidence="told us")
Act = Callable[[Host, List, list[ContactRef]], object]


def keys(people: list[ContactRef]) -> Select[Any]:
    return select(key_text(PERSONS)).where(has_key(PERSONS, [who.key for who in people]))


ACTS: dict[str, Act] = {
    "add": lambda host, list_, people: subscribe(host, list_, people, proof=PROOF),
    "add again": lambda host, list_, people: subscribe(host, list_, people, proof=PROOF, again=True),
    "add all": lambda host, list_, people: subscribe_selected(host, list_, PERSONS, keys(people), proof=PROOF),
    "take off": lambda host, list_, people: unsubscribe(host, list_, people, proof=PROOF),
    "take all off": lambda host, list_, people: unsubscribe_selected(host, list_, PERSONS, keys(people), proof=PROOF),
    "leave": lambda host, list_, people: [withdraw(host, who, list_ids=[list_.id], proof=PROOF) for who in people],
    "out": lambda host, list_, people: [withdraw(host, who, list_ids=None, proof=PROOF) for who in people],
    "back": lambda host, list_, people: [take_back(host, who, proof=PROOF) for who in people],
    "all out": lambda host, list_, people: withdraw_selected(host, PERSONS, keys(people), What(), proof=PROOF),
    "all back": lambda host, list_, people: take_back_selected(host, PERSONS, keys(people), What(), proof=PROOF),
    "forget": lambda host, list_, people: [forget(host, Subscription.contact_key == who.key) for who in people],
    "fold": lambda host, list_, people: tallies.fold(host),
}
STEPS = st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.integers(0, 1), st.sets(st.integers(0, 3))), max_size=12)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_the_numbers_are_those_of_a_recount(host: Host, steps: list[tuple[str, int, set[int]]]) -> None:
    try:
        lists = [add_list(host, "Plain"), add_list(host, "Other")]
        people = [add_person(host) for _ in range(4)]
        for name, which, who in steps:
            clock(host).tick(minutes=1)
            ACTS[name](host, lists[which], [people[number] for number in sorted(who)])
        assert tallies.differences(host) == []
        rows = select(Subscription.list_id, Subscription.state, func.count()).group_by(
            Subscription.list_id, Subscription.state
        )
        counted = {(row[0], row[1]): row[2] for row in host.session.execute(rows)}
        for list_id, counts in list_counts(host, [one.id for one in lists]).items():
            assert counts == {state: counted.get((list_id, state), 0) for state in counts}
    finally:
        host.session.rollback()


def test_folding_keeps_the_sums_in_few_rows(host: Host) -> None:
    list_ = add_list(host)
    for _ in range(5):
        subscribe(host, list_, [add_person(host)], proof=PROOF)
    assert host.session.scalar(select(func.count()).select_from(SubscriptionTally)) == 5
    assert tallies.fold(host) == 1
    assert tallies.fold(host) == 0
    assert host.session.scalar(select(func.count()).select_from(SubscriptionTally)) == 1
    assert list_counts(host)[list_.id] == {"subscribed": 5, "unsubscribed": 0}


def test_a_wrong_number_is_found_and_set_right(host: Host) -> None:
    list_ = add_list(host)
    subscribe(host, list_, [add_person(host)], proof=PROOF)
    host.session.execute(insert(SubscriptionTally), [{"list_id": list_.id, "state": "subscribed", "change": 3}])
    assert tallies.differences(host) == [ListDifference(list_.id, "subscribed", kept=4, counted=1)]
    tallies.set_right(host, tallies.differences(host))
    assert tallies.differences(host) == []


def test_an_empty_list_has_zeros(host: Host) -> None:
    assert list_counts(host, [add_list(host).id, 99])[99] == {"subscribed": 0, "unsubscribed": 0}


def test_two_who_say_the_same_at_once_are_counted_once(fresh_postgres_url: str) -> None:
    """The second waits for the first, and then finds nothing left to do: in the numbers as in the history."""
    with running_host(fresh_postgres_url) as host:
        list_ = add_list(host)
        who = add_person(host)
        subscribe(host, list_, [who], proof=PROOF)
        host.session.commit()
        list_id, app = list_.id, current_app._get_current_object()  # type: ignore[attr-defined]
        withdraw(host, who, list_ids=[list_id], proof=PROOF)
        second = threading.Thread(target=_leave_in_another_thread, args=(app, host, who, list_id))
        second.start()
        while not _waits(host):
            assert second.is_alive()
        host.session.commit()
        second.join(20)
        assert tallies.differences(host) == []
        states = host.session.scalars(select(SubscriptionEvent.state).order_by(SubscriptionEvent.id)).all()
        assert states == ["subscribed", "unsubscribed"]


def _leave_in_another_thread(app: Flask, host: Host, who: ContactRef, list_id: int) -> None:
    with app.app_context():
        withdraw(host, who, list_ids=[list_id], proof=PROOF)
        host.session.commit()


def _waits(host: Host) -> bool:
    with host.db.engine.connect() as connection:
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        return bool(connection.exec_driver_sql(query).scalar())


def test_whoever_has_no_row_of_their_own_is_taken_off_a_list_kept_by_a_criterion(host: Host) -> None:
    """The row that says no keeps them off, though the criterion finds them."""
    now = host.clock()
    rule = {"all": [{"field": "city", "op": "is", "value": "Bonn"}]}
    criterion = Criterion(name="Bonn", contact_source="person", rule=rule, created_at=now, updated_at=now)
    kept, plain = add_list(host, "Kept", criterion=criterion), add_list(host, "Plain")
    people = [add_person(host, city="Bonn") for _ in range(3)]
    subscribe(host, kept, people[:1], proof=PROOF)
    assert (unsubscribe(host, plain, people, proof=PROOF), unsubscribe(host, kept, people[:2], proof=PROOF)) == (0, 2)
    everybody = select(key_text(PERSONS)).select_from(Person)
    assert would_unsubscribe(host, kept, PERSONS, everybody) == Counts(new=1, already=2)
    assert unsubscribe_selected(host, kept, PERSONS, everybody, proof=PROOF) == 1
    assert list_counts(host, [kept.id, plain.id]) == {
        kept.id: {"subscribed": 0, "unsubscribed": 3},
        plain.id: {"subscribed": 0, "unsubscribed": 0},
    }


@pytest.mark.parametrize("again", [False, True])
def test_a_dry_run_says_what_happens_then(host: Host, again: bool) -> None:
    list_ = add_list(host)
    host.session.add_all([Person(city="Bonn") for _ in range(30)])
    host.session.flush()
    everybody = select(key_text(PERSONS)).select_from(Person)
    people = [ContactRef("person", key) for key in host.session.scalars(everybody)]
    subscribe(host, list_, people[:10], proof=PROOF)
    unsubscribe(host, list_, people[:4], proof=PROOF)
    withdraw(host, people[20], list_ids=None, proof=PROOF)
    would = would_subscribe(host, list_, PERSONS, everybody, again=again)
    assert would == subscribe_selected(host, list_, PERSONS, everybody, proof=PROOF, again=again)
    assert would == (Counts(new=20, already=6, back=4) if again else Counts(new=19, already=6, kept_out=5))
    assert tallies.differences(host) == []
