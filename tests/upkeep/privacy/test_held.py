"""What is held about a person: all of it, in words a person can be handed, and nothing of anybody else."""

import json

import pytest

from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import BadRequest
from massmail_plugin.upkeep import privacy
from massmail_plugin.upkeep.contacts import retire_contact
from massmail_plugin.upkeep.privacy.holdings import HOLDINGS
from tests.consent.small_host import Client
from tests.upkeep.privacy.conftest import cells

KEY, ADDRESS = "anna-1", "Anna@Example.org"


@pytest.fixture
def anna(world):
    ref = world.contact(KEY, ADDRESS)
    world.live(ref, ADDRESS, "Anna")
    world.live(world.contact("bert", "bert@elsewhere.example"), "bert@elsewhere.example", "Bert")
    return ref


def test_every_table_is_shown_and_no_trace_is_left_out(world, anna):
    held = privacy.held(world.host, privacy.person_of(world.host, anna))
    assert set(held.rows) == {one.name for one in HOLDINGS} | {"values"}
    said = held_text(held)
    marks = ("anna", "example.org")
    in_tables = {text for _, _, text in cells(world.host) if any(mark in text.lower() for mark in marks)}
    # Values are unpacked, and of a chunk's only hers are hers.
    missing = {text for text in in_tables if text not in said and not text.startswith(('{"', "To: "))}
    assert missing == set()


def test_nothing_of_anybody_else_is_shown(world, anna):
    said = held_text(privacy.held(world.host, privacy.person_of(world.host, anna)))
    assert "bert" not in said.lower()


def held_text(held):
    return json.dumps(json.loads(privacy.as_json(held.whole())), ensure_ascii=False).replace('\\"', '"')


def test_as_json_it_can_be_handed_out(world, anna):
    said = json.loads(privacy.as_json(privacy.held(world.host, privacy.person_of(world.host, anna)).whole()))
    assert said["contacts"] == [{"source": "client", "key": KEY}]
    assert said["addresses"] == ["anna@example.org"]
    held = said["held"]
    assert held["lists"][0]["list"] == "News"
    assert held["consent_history"][-1]["agreed_to"] == "I want it."
    assert held["mails"][0]["mailing"] == "Spring"
    assert [one["link"] for one in held["events"] if one["kind"] == "click"] == ["https://garden.example/tulips"]
    assert held["received"][0]["raw"].startswith("To: Anna")
    assert held["values"][0]["values"] == {"first_name": "Anna", "mail": ADDRESS}
    assert held["mails"][0]["settled_at"].endswith("+00:00")


def test_by_an_address_everybody_is_found_who_is_or_was_reached_there(world, anna):
    host = world.host
    assert [one.contact for one in privacy.people_of(host, " ANNA@example.ORG ")] == [anna]
    moved = world.contact("carl", "carl@new.example")
    world.mail(moved, ADDRESS, occurrence=3, dedup_key=None)
    assert [one.contact for one in privacy.people_of(host, ADDRESS)] == [anna, moved]
    assert privacy.person_of(host, moved).addresses == ("carl@new.example",)
    assert privacy.person_of(host, moved).shared == ("anna@example.org",), "Anna has it today"


def test_an_address_without_a_contact_is_found_too(world, anna):
    host = world.host
    host.session.delete(host.session.get_one(Client, KEY))
    retire_contact(host, anna)
    host.session.commit()
    (alone,) = privacy.people_of(host, ADDRESS)
    held = privacy.held(host, alone)
    assert alone.contact is None
    assert {"mails", "events", "sign_ups", "received", "consent_history"} <= set(held.rows)
    assert held.name == ""


def test_nobody_is_nobody(world):
    (alone,) = privacy.people_of(world.host, "nobody@example.org")
    assert privacy.held(world.host, alone).rows == {}
    assert privacy.held(world.host, privacy.person_of(world.host, ContactRef("client", "nobody"))).rows == {}


@pytest.mark.parametrize("text", ["", "nobody", "a@b@c.example", "' OR 1=1 --@x.example", "a\r\n@example.org"])
def test_what_is_no_address_is_refused(world, text):
    with pytest.raises(BadRequest):
        privacy.people_of(world.host, text)


def test_a_test_shows_the_contacts_data_to_somebody_else(world, anna):
    """Mails of a test belong to who got them."""
    world.mail(anna, "tester@house.example", world.test, address_role="test", dedup_key=None)
    held = privacy.held(world.host, privacy.person_of(world.host, anna))
    assert "tester" not in held_text(held)
    (tester,) = privacy.people_of(world.host, "tester@house.example")
    assert len(privacy.held(world.host, tester).rows["mails"]) == 1
