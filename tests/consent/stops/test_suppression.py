"""Suppressions: put once, found at hand-off by address and by contact, and released."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, literal, select

from massmail_plugin.consent.stops.suppressing_many import suppress_selected
from massmail_plugin.consent.stops.suppression import release, suppress
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import ReleasedSuppression, Suppression
from massmail_plugin.vocabulary import ConsentWay, SuppressionReason, SuppressionScope
from tests.consent.small_host import NOON, Person, add_person, clock

ALL = SuppressionScope.ALL_BUT_TRANSACTIONAL


def test_an_equal_one_is_returned(host: Host) -> None:
    first = suppress(host, address=" A@B.test", scope=ALL, reason=SuppressionReason.COMPLAINT, by="ann")
    assert suppress(host, address="a@b.TEST ", scope=ALL, reason=SuppressionReason.COMPLAINT) is first
    assert suppress(host, address="a@b.test", scope=ALL, reason=SuppressionReason.HARD_BOUNCE) is not first
    assert host.session.scalar(select(func.count()).select_from(Suppression)) == 2


def test_what_makes_no_sense_is_refused_in_words(host: Host) -> None:
    for wrong in (
        {},
        {"address": "  "},
        {"address": "x" * 300},
        {"address": "a@b.test\x00"},
        {"address": "a@b.test", "contact": ContactRef("person", "1")},
        {"address": "a@b.test", "scope": SuppressionScope.LIST},
        {"address": "a@b.test", "scope": SuppressionScope.TOPIC},
        {"address": "a@b.test", "address_hash": "0" * 64},
        {"address": "a@b.test", "until": NOON},
    ):
        with pytest.raises(BadRequest):
            suppress(host, **{"scope": ALL, "reason": SuppressionReason.BY_PERSON, **wrong})  # type: ignore[arg-type]


def test_release_keeps_the_history(host: Host) -> None:
    made = suppress(
        host, address="a@b.test", scope=ALL, reason=SuppressionReason.BY_PERSON, note="angry", way=ConsentWay.PERSON
    )
    clock(host).tick(days=1)
    release(host, made, by="ann", note="wrong person")
    assert host.session.scalar(select(func.count()).select_from(Suppression)) == 0
    row = host.session.scalars(select(ReleasedSuppression)).one()
    assert (row.address, row.note, row.way, row.created_at) == ("a@b.test", "angry", "person", NOON)
    assert (row.released_by, row.release_note, row.released_at) == ("ann", "wrong person", host.clock())


def test_the_longer_one_stays(host: Host) -> None:
    def stop(days: int | None) -> Suppression:
        until = None if days is None else host.clock() + timedelta(days=days)
        return suppress(host, address="a@b.test", scope=ALL, reason=SuppressionReason.BY_PERSON, until=until)

    week = stop(7)
    assert stop(3) is week
    month = stop(30)
    assert host.session.scalars(select(Suppression)).all() == [month]
    ever = stop(None)
    assert stop(30) is ever
    assert host.session.scalars(select(Suppression.until)).all() == [None]
    assert len(host.session.scalars(select(ReleasedSuppression)).all()) == 2


def test_one_that_is_over_gives_way_to_a_new_one(host: Host) -> None:
    until = host.clock() + timedelta(days=1)
    suppress(host, address="a@b.test", scope=ALL, reason=SuppressionReason.BY_PERSON, until=until)
    clock(host).tick(days=2)
    suppress(host, address="a@b.test", scope=ALL, reason=SuppressionReason.BY_PERSON, until=until + timedelta(days=9))
    assert host.session.scalars(select(Suppression.until)).all() == [until + timedelta(days=9)]


def test_many_addresses_at_once(host: Host) -> None:
    for number in range(3):
        add_person(host, f"p{number}@x.test")
    suppress(host, address="p0@x.test", scope=ALL, reason=SuppressionReason.BY_PERSON)
    addresses = select(Person.email1).union_all(select(literal("p2@x.test")))
    given: dict[str, Any] = {"scope": ALL, "reason": SuppressionReason.BY_PERSON, "way": ConsentWay.FILE}
    chosen = select(addresses.subquery().c[0])
    assert [suppress_selected(host, chosen, **given, note="Robinson", by="ann") for _ in range(2)] == [2, 0]
    rows = host.session.scalars(select(Suppression).order_by(Suppression.address)).all()
    assert [(row.address, row.way, row.note) for row in rows] == [
        ("p0@x.test", "", ""),
        ("p1@x.test", "file", "Robinson"),
        ("p2@x.test", "file", "Robinson"),
    ]
