"""What stops mail, on the command line: put there, shown, released with a note; pauses and fewer mails."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from massmail_plugin.consent.stops.address_hashes import address_hash
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.models import ReleasedSuppression, Suppression, Topic
from massmail_plugin.vocabulary import SuppressionReason, SuppressionScope
from tests.cli.conftest import Terminal


def test_an_address_is_stopped_shown_and_released(terminal: Terminal) -> None:
    said = terminal.run("suppress", "Ada@Example.org", "--note", "asked by letter", "--until", "2199-05-01")
    assert "Ada@Example.org is not written to before 2199-05-01" in said
    (row,) = terminal.json("suppressions", "list", "ada@EXAMPLE.org")
    assert (row["who"], row["reason"], row["way"], row["note"]) == (
        "ada@example.org",
        "by_person",
        "person",
        "asked by letter",
    )
    assert "Nothing stops mail to ben@example.org" in terminal.run("suppressions", "list", "ben@example.org")
    assert "Say why" in terminal.run("suppressions", "release", str(row["number"]), "--note", " ", code=1)
    terminal.run("suppressions", "release", str(row["number"]), code=2)
    said = terminal.run("suppressions", "release", str(row["number"]), "--note", "wrote again")
    assert "Mail may go to ada@example.org again" in said
    assert terminal.host.session.scalars(select(Suppression)).all() == []
    (past,) = terminal.json("suppressions", "released", "ada@example.org")
    assert (past["why"], past["by"]) == ("wrote again", "command line")
    assert "no suppression" in terminal.run("suppressions", "release", str(row["number"]), "--note", "x", code=1)


def test_a_contact_is_stopped_for_a_topic_alone(terminal: Terminal) -> None:
    key = terminal.world.new_member()
    terminal.host.session.add(Topic(name="Wine"))
    terminal.host.session.commit()
    assert "about Wine" in terminal.run("suppress", key, "--topic", "Wine")
    (row,) = terminal.json("suppressions", "list", key)
    assert (row["who"], row["stops"]) == (f"members:{key}", "topic Wine")
    assert "Did you mean “Wine”?" in terminal.run("suppress", key, "--topic", "Win", code=1)
    assert "not both" in terminal.run("suppress", key, "--topic", "Wine", "--list", "Welcome", code=1)
    assert "no contact" in terminal.run("suppress", "999", code=1)


def test_a_pause_and_its_end(terminal: Terminal) -> None:
    key, end = terminal.world.new_member(), f"{terminal.world.clock() + timedelta(days=90):%Y-%m-%d}"
    assert f"gets no mail before {end}" in terminal.run("opt-out", "pause", key, "--until", end)
    assert "had a pause until then" in terminal.run("opt-out", "pause", key, "--until", end)
    assert "next three years" in terminal.run("opt-out", "pause", key, "--until", "2001-01-01", code=1)
    assert "gets mail again" in terminal.run("opt-out", "resume", key)
    assert "had no pause" in terminal.run("opt-out", "resume", key)
    assert terminal.host.session.scalars(select(ReleasedSuppression.reason)).all() == ["pause"]


def test_fewer_mails(terminal: Terminal) -> None:
    key = terminal.world.new_member()
    assert "one mailing in 7 days at the most" in terminal.run("opt-out", "fewer", key, "7")
    assert "had said so already" in terminal.run("opt-out", "fewer", key, "7")
    assert "gets every mailing" in terminal.run("opt-out", "fewer", key, "0")
    assert "between 1 and 365" in terminal.run("opt-out", "fewer", key, "400", code=1)


@pytest.mark.parametrize("lost", [False, True])
def test_doctor_says_when_a_key_is_gone_that_stops_of_erased_addresses_need(terminal: Terminal, lost: bool) -> None:
    made = address_hash(terminal.host.config, "ada@example.org")
    suppress(
        terminal.host,
        address_hash="0" * 64 if lost else made,
        scope=SuppressionScope.ALL_BUT_TRANSACTIONAL,
        reason=SuppressionReason.ERASED,
    )
    terminal.host.session.commit()
    said = [check for check in terminal.json("doctor", code=1)["checks"] if "erased addresses" in check["text"]]
    assert [check["level"] for check in said] == (["fail"] if lost else [])
