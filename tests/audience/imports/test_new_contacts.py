"""People of a file whom the host does not know become its contacts, where it has a function for that."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import func, select

from massmail_plugin.audience import imports
from massmail_plugin.consent.stops.address_hashes import address_hash
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.contracts import Host, NewContact
from massmail_plugin.models import Subscription
from massmail_plugin.vocabulary import SuppressionReason, SuppressionScope
from tests.audience.imports.files import addresses, brought, csv_file, errors, worked
from tests.consent.small_host import Person, add_list, add_person

EVERYTHING = SuppressionScope.ALL_BUT_TRANSACTIONAL


@pytest.fixture
def asked(host: Host) -> list[NewContact]:
    """Everybody the host was asked to make; it makes no Bobs."""
    seen: list[NewContact] = []

    def create(people: Sequence[NewContact]) -> list[Any]:
        seen.extend(people)
        made = [Person(email1=one.address, first=one.values.get("first", "")) for one in people]
        host.session.add_all(one for one in made if one.first != "Bob")
        host.session.flush()
        return [None if one.first == "Bob" else one.id for one in made]

    host.hooks.create_contact = create
    return seen


def test_unknown_people_become_contacts(host: Host, asked: list[NewContact]) -> None:
    news = add_list(host)
    add_person(host, "there@x.test")
    suppress(host, address="dead@x.test", scope=EVERYTHING, reason=SuppressionReason.HARD_BOUNCE)
    gone = address_hash(host.config, "erased@x.test")
    suppress(host, address_hash=gone, scope=EVERYTHING, reason=SuppressionReason.ERASED)
    file = csv_file(
        ["First name", "E-Mail"],
        ["Ann", "ann@x.test"], ["Bob", "bob@x.test"], ["", "there@x.test"], ["Dead", "dead@x.test"],
        ["Gone", "Erased@x.test"], ["Ann", "ANN@x.test"],
    )  # fmt: skip
    row = brought(host, file, list_id=news.id)
    assert worked(host, row, dry_run=True)["unknown"] == 3, "nobody is made who was not asked for"
    imports.choose(host, row, create=True)
    tried = worked(host, row, dry_run=True)
    assert tried == {"rows": 6, "changed": 1, "created": 3, "suppressed": 1, "duplicate": 1}
    assert (asked, host.session.scalar(select(func.count()).select_from(Person))) == ([], 1)
    assert worked(host, row) == {
        "rows": 6, "changed": 1, "created": 1, "unknown": 2, "suppressed": 1, "duplicate": 1,
    }  # fmt: skip
    assert [(one.address, dict(one.values), one.role, one.origin) for one in asked] == [
        ("ann@x.test", {"first": "Ann"}, "main", "people.csv"),
        ("bob@x.test", {"first": "Bob"}, "main", "people.csv"),
    ]
    assert [line[1] for line in errors(host, row)] == ["bob@x.test", "dead@x.test", "erased@x.test", "ANN@x.test"]
    made = host.session.scalars(select(Person).where(Person.first == "Ann")).one()
    assert str(made.id) in host.session.scalars(select(Subscription.contact_key)).all()


def test_many_are_made_in_batches_and_none_twice(host: Host, asked: list[NewContact]) -> None:
    news = add_list(host)
    people = [f"p{number}@x.test" for number in range(1_200)]
    row = brought(host, addresses(*people), list_id=news.id, options={"create": True})
    assert worked(host, row, slice_=700) == {"rows": 1_200, "created": 1_200}
    assert worked(host, brought(host, addresses(*people), list_id=news.id)) == {"rows": 1_200, "already": 1_200}
    assert len(asked) == 1_200


def test_a_function_that_answers_out_of_turn_fails_the_import(host: Host) -> None:
    host.hooks.create_contact = lambda people: []
    news = add_list(host)
    row = brought(host, addresses("a@x.test"), list_id=news.id, options={"create": True})
    worked(host, row)
    assert (row.state, "0 keys for 1 people" in row.fault) == ("failed", True)
