"""Somebody opts out while another transaction changes the very same rows: it is never the wish to stop that is lost.

SQLite has one writer at a time, so PostgreSQL alone can get this wrong.
"""

import threading
from collections.abc import Callable, Iterator

import pytest
from flask import current_app
from sqlalchemy import select

from massmail_plugin.consent.contact_keys import key_text
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.subscriptions import tallies
from massmail_plugin.consent.subscriptions.subscribing import subscribe, unsubscribe, unsubscribe_selected
from massmail_plugin.consent.wishes.preferences import list_ids_of, opted_out_of_everything
from massmail_plugin.consent.wishes.withdrawal import take_back, withdraw
from massmail_plugin.consent.wishes.withdrawing_many import What, withdraw_selected
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import Criterion, List
from massmail_plugin.vocabulary import ConsentWay
from tests.consent.small_host import PERSONS, Person, add_list, add_person, clock, running_host

PROOF = Proof(ConsentWay.PERSON, evidence="test")
Leave = Callable[[Host, ContactRef, int], object]

EVERYBODY = select(key_text(PERSONS)).select_from(Person)
LEAVES: dict[str, Leave] = {
    "one": lambda host, who, list_id: withdraw(host, who, list_ids=[list_id], proof=PROOF),
    "many": lambda host, who, list_id: withdraw_selected(host, PERSONS, EVERYBODY, What((list_id,)), proof=PROOF),
    "taken off": lambda host, who, list_id: unsubscribe(host, host.session.get_one(List, list_id), [who], proof=PROOF),
    "all taken off": lambda host, who, list_id: unsubscribe_selected(
        host, host.session.get_one(List, list_id), PERSONS, EVERYBODY, proof=PROOF
    ),
}


@pytest.fixture
def host(fresh_postgres_url: str) -> Iterator[Host]:
    with running_host(fresh_postgres_url) as host:
        yield host


def meanwhile(host: Host, act: Callable[[], object]) -> None:
    """`act` in another transaction, which has to wait for what this one has done; both are committed, ours first."""
    app, wrong = current_app._get_current_object(), list[BaseException]()  # type: ignore[attr-defined]

    def run() -> None:
        with app.app_context():
            try:
                act()
                host.session.commit()
            except Exception as error:
                wrong.append(error)

    other = threading.Thread(target=run)
    other.start()
    while other.is_alive() and not _waits(host):
        pass
    host.session.commit()
    other.join(20)
    assert wrong == []


def _waits(host: Host) -> bool:
    with host.db.engine.connect() as connection:
        return bool(connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar())


@pytest.mark.parametrize("leave", list(LEAVES))
def test_whom_an_import_is_just_adding_leaves_all_the_same(host: Host, leave: str) -> None:
    """A criterion kept them on the list so far; the import makes the first row of their own."""
    now, rule = host.clock(), {"all": [{"field": "city", "op": "is", "value": "Bonn"}]}
    criterion = Criterion(name="Bonn", contact_source="person", rule=rule, created_at=now, updated_at=now)
    list_, who = add_list(host, criterion=criterion), add_person(host, city="Bonn")
    host.session.commit()
    list_id = list_.id
    subscribe(host, list_, [who], proof=PROOF)
    meanwhile(host, lambda: LEAVES[leave](host, who, list_id))
    assert list_ids_of(host, who) == ()
    assert tallies.differences(host) == []


@pytest.mark.parametrize("everything", [False, True])
def test_whose_opt_out_is_just_being_taken_back_opts_out_all_the_same(host: Host, everything: bool) -> None:
    list_, who = add_list(host), add_person(host)
    subscribe(host, list_, [who], proof=PROOF)
    lists = None if everything else [list_.id]
    withdraw(host, who, list_ids=lists, proof=PROOF)
    host.session.commit()
    clock(host).tick(minutes=1)
    take_back(host, who, list_ids=lists, proof=PROOF)
    meanwhile(host, lambda: withdraw(host, who, list_ids=lists, proof=PROOF))
    assert list_ids_of(host, who) == ()
    assert opted_out_of_everything(host, who) == everything
    assert tallies.differences(host) == []


def test_who_is_on_no_list_too(host: Host) -> None:
    """Then nothing is there to wait for but the stop that goes."""
    who = add_person(host)
    withdraw(host, who, list_ids=None, proof=PROOF)
    host.session.commit()
    clock(host).tick(minutes=1)
    take_back(host, who, list_ids=None, proof=PROOF)
    meanwhile(host, lambda: withdraw(host, who, list_ids=None, proof=PROOF))
    assert opted_out_of_everything(host, who)
