"""A source's `limit`: what a user at a screen sees and finds of its contacts, and what it does not touch."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import select

from massmail_plugin.audience import count, exists, find, readers, sample, summaries, values, visible_rows
from massmail_plugin.audience.contacts.visibility import sees_all
from massmail_plugin.contracts import ContactRef, ContactSource, Host
from massmail_plugin.models import Subscription
from massmail_plugin.sending.recipients import audience as of_sending
from tests.consent.small_host import MEMBERS, PERSONS, Person, add_list, add_person


@dataclass(frozen=True)
class User:
    """Sees the contacts of one city; without one, everybody; "nobody" sees nobody."""

    city: str | None


def limit(user: User) -> Any:
    if user.city is None or user.city == "nobody":
        return user.city is None or False
    return Person.city == user.city


@pytest.fixture
def source() -> ContactSource:
    return replace(PERSONS, limit=limit)


@pytest.fixture
def seen_by(host: Host, source: ContactSource) -> Callable[[str | None], Host]:
    """The host as a user of a city sees it."""
    return lambda city: replace(host, sources={**host.sources, "person": source}, viewer=User(city))


@pytest.fixture
def people(host: Host) -> list[ContactRef]:
    """In Graz, in Linz, and somebody whose city is not known."""
    return [add_person(host, f"{city}@x.test", first=f"In {city}", city=city) for city in ("Graz", "Linz", None)]


def test_screens_find_and_show_what_is_within(
    seen_by: Callable[[str | None], Host], source: ContactSource, people: list[ContactRef]
) -> None:
    graz, linz, unknown = people
    of_graz = seen_by("Graz")
    assert [one.ref for one in find(of_graz, source, "In")] == [graz]
    assert find(of_graz, source, linz.key) == []
    assert set(summaries(of_graz, people)) == {graz}
    assert (exists(of_graz, graz), exists(of_graz, linz), exists(of_graz, unknown)) == (True, False, False)
    assert set(values(of_graz, source, [one.key for one in people])) == {graz.key}
    assert set(readers(of_graz, source, [one.key for one in people], paths=(), related=())) == {graz.key}
    assert [one.ref for one in sample(of_graz, source, None)] == [graz]


def test_counting_does_not_tell_what_cannot_be_seen(
    seen_by: Callable[[str | None], Host], source: ContactSource, people: list[ContactRef]
) -> None:
    asked = {"field": "city", "op": "is", "value": "Linz"}
    assert [count(seen_by(city), source, asked) for city in ("Graz", "Linz", None, "nobody")] == [0, 1, 1, 0]
    assert [count(seen_by(city), source, None) for city in ("Graz", None, "nobody")] == [1, 3, 0]


def test_who_sees_all(host: Host, seen_by: Callable[[str | None], Host], source: ContactSource) -> None:
    assert [sees_all(seen_by(city), source) for city in ("Graz", None, "nobody")] == [False, True, False]
    assert sees_all(host, source)
    assert sees_all(seen_by("nobody"), MEMBERS)


def test_workers_see_everybody(host: Host, source: ContactSource, people: list[ContactRef]) -> None:
    """Nobody looks at their screens: who gets a mailing does not depend on who launched it."""
    at_work = replace(host, sources={**host.sources, "person": source})
    keys = [one.key for one in people]
    assert set(of_sending.readers(at_work, source, keys, paths=(), related=())) == set(keys)


def test_rows_that_name_contacts(host: Host, seen_by: Callable[[str | None], Host], people: list[ContactRef]) -> None:
    """Other sources are not touched; of a limited one, who is gone cannot be told to be within."""
    list_ = add_list(host)
    named = [*people, ContactRef("person", "999"), ContactRef("member", "not-a-key")]
    for one in named:
        values = {"list_id": list_.id, "contact_source": one.source, "contact_key": one.key, "since": host.clock()}
        host.session.add(Subscription(**values))
    host.session.flush()

    def shown(viewer: Host) -> set[str]:
        clause = visible_rows(viewer, Subscription.contact_source, Subscription.contact_key)
        return set(viewer.session.scalars(select(Subscription.contact_key).where(clause)))

    assert shown(host) == {one.key for one in named}
    assert shown(seen_by("Graz")) == {people[0].key, "not-a-key"}
    assert shown(seen_by("nobody")) == {"not-a-key"}
    assert MEMBERS.limit is None
