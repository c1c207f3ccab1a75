"""`flask massmail campaign`, `opt-out` and `suppress`."""

from sqlalchemy import select

from massmail_plugin import consent
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import Subscription, Suppression
from tests.cli.conftest import Terminal


def test_activate_pause_and_list(terminal: Terminal) -> None:
    terminal.world.new_member()
    number = str(terminal.world.campaign(active=False).id)
    assert "1 entered at once" in terminal.run("campaign", "activate", number, "--include-present")
    (row,) = terminal.json("campaign", "list")
    assert (row["state"], row["mails"], row["active"]) == ("active", 3, 1)
    terminal.run("campaign", "pause", number)
    assert "is paused" in terminal.run("campaign", "pause", number, code=1)
    assert "paused" in terminal.run("campaign", "list")
    assert "There is no campaign 77" in terminal.run("campaign", "pause", "77", code=1)


def test_timeline_of_a_contact(terminal: Terminal) -> None:
    terminal.world.campaign()
    key = terminal.world.new_member()
    terminal.world.tick()
    days = [(row["day"], row["mails"]) for row in terminal.json("campaign", "timeline", key)]
    assert days == [(0, "main: planned"), (7, ""), (14, "")]
    assert "Welcome series" in terminal.run("campaign", "timeline", f"members:{key}")
    assert "in no campaign" in terminal.run("campaign", "timeline", "no such key")


def test_opt_out_of_everything_and_back(terminal: Terminal) -> None:
    key = terminal.world.new_member()
    assert "no more mail" in terminal.run("opt-out", "set", key)
    assert consent.opted_out_of_everything(terminal.host, ContactRef("members", key))
    assert "already" in terminal.run("opt-out", "set", key)
    assert "again" in terminal.run("opt-out", "clear", key, "--evidence", "phoned us")
    assert not consent.opted_out_of_everything(terminal.host, ContactRef("members", key))
    assert "had not opted out" in terminal.run("opt-out", "clear", key)


def test_opt_out_of_one_list(terminal: Terminal) -> None:
    key = terminal.world.new_member()
    terminal.run("opt-out", "set", key, "--list", "Welcome")
    terminal.host.session.expire_all()
    assert terminal.host.session.scalars(select(Subscription)).one().state == "unsubscribed"
    assert "Did you mean “Welcome”?" in terminal.run("opt-out", "set", key, "--list", "Welcom", code=1)
    assert "no contact" in terminal.run("opt-out", "set", "999", code=1)


def test_suppress_an_address(terminal: Terminal) -> None:
    terminal.run("suppress", "Ada@Example.org", "--note", "asked by letter")
    found = terminal.host.session.scalars(select(Suppression)).one()
    assert (found.address, found.note) == ("ada@example.org", "asked by letter")
    terminal.run("suppress", "no address", code=1)
