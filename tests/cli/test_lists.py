"""`flask massmail list`, and opting out many at once, as one types it."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from massmail_plugin import consent
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import Criterion, SubscriptionEvent, SubscriptionTally, Suppression
from tests.campaigns.conftest import World
from tests.cli.conftest import Terminal


def criterion(world: World, name: str = "Everybody") -> None:
    """Finds everybody there is."""
    now = world.host.clock()
    rule: dict[str, list[object]] = {"all": []}
    world.host.session.add(Criterion(name=name, contact_source="members", rule=rule, created_at=now, updated_at=now))
    world.host.session.commit()


def test_show_and_subscribers(terminal: Terminal) -> None:
    key = terminal.world.new_member()
    (row,) = terminal.json("list", "show")
    assert (row["name"], row["state"], row["subscribed"], row["unsubscribed"]) == ("Welcome", "in use", 1, 0)
    assert "sign_up" in terminal.run("list", "show", "Welcome")
    (person,) = terminal.json("list", "subscribers", "Welcome")
    assert person["contact"] == f"members:{key}"
    assert "There is nobody" in terminal.run("list", "subscribers", "Welcome", "--state", "unsubscribed")
    assert "Did you mean “Welcome”?" in terminal.run("list", "show", "Welcom", code=1)


def test_add_and_remove_one(terminal: Terminal) -> None:
    key = terminal.world.new_member()
    assert "1 taken off" in terminal.run("list", "remove", "Welcome", key, "--evidence", "Called")
    assert "1 stay out" in terminal.run("list", "add", "Welcome", key)
    assert "It would be: 0 new" in terminal.run("list", "add", "Welcome", key, "--again", "--dry-run")
    assert "1 back" in terminal.run("list", "add", "Welcome", key, "--again", "--evidence", "Wrote to us")
    found = select(SubscriptionEvent).order_by(SubscriptionEvent.id.desc()).limit(1)
    newest = terminal.host.session.scalars(found).one()
    assert (newest.evidence, newest.by, newest.way) == (
        "Wrote to us – added, command line",
        "command line",
        "person",
    )
    assert "no contact with the key" in terminal.run("list", "add", "Welcome", "999", code=1)
    assert "Name contacts by their keys" in terminal.run("list", "add", "Welcome", code=1)


def test_everybody_whom_a_criterion_finds(terminal: Terminal) -> None:
    for _ in range(3):
        terminal.world.new_member()
    criterion(terminal.world)
    assert "It would be: 3 taken off" in terminal.run(
        "list", "remove", "Welcome", "--criterion", "Everybody", "--dry-run"
    )
    assert "3 taken off" in terminal.run("list", "remove", "Welcome", "--criterion", "Everybody")
    assert "3 stay out" in terminal.run("list", "add", "Welcome", "--criterion", "Everybody")
    assert "3 back" in terminal.run("list", "add", "Welcome", "--criterion", "Everybody", "--again")
    assert terminal.run("verify").strip().endswith("every number equals a recount.")


def test_archive_and_restore(terminal: Terminal) -> None:
    terminal.world.new_member()
    assert "is archived" in terminal.run("list", "archive", "Welcome")
    assert terminal.json("list", "show")[0]["state"] == "archived"
    assert "is in use" in terminal.run("list", "restore", "Welcome")


def test_a_wrong_number_is_found_and_repaired(terminal: Terminal) -> None:
    terminal.world.new_member()
    wrong = {"list_id": terminal.world.list.id, "state": "subscribed", "change": 7}
    terminal.host.session.execute(insert(SubscriptionTally), [wrong])
    terminal.host.session.commit()
    assert "Lists: 1 numbers are wrong" in terminal.run("verify", code=1)
    assert "0 still are" in terminal.run("verify", "--repair")
    assert terminal.json("verify")["lists"] == []


def test_opt_out_by_criterion_and_back(terminal: Terminal) -> None:
    keys = [terminal.world.new_member() for _ in range(3)]
    criterion(terminal.world)
    many = ("--criterion", "Everybody", "--evidence", "Letters of May")
    assert "3 would opt out" in terminal.run("opt-out", "set", *many, "--dry-run")
    assert terminal.host.session.scalar(select(func.count()).select_from(Suppression)) == 0
    assert "3 opted out" in terminal.run("opt-out", "set", *many)
    assert all(consent.opted_out_of_everything(terminal.host, ContactRef("members", key)) for key in keys)
    assert "0 opted out" in terminal.run("opt-out", "set", *many)
    assert "3 get mail again" in terminal.run("opt-out", "clear", *many)
    assert "Name one contact" in terminal.run("opt-out", "set", keys[0], *many, code=1)


@pytest.mark.parametrize("column", ["key", "email"])
def test_opt_out_by_file(terminal: Terminal, tmp_path: Path, column: str) -> None:
    keys = [terminal.world.new_member() for _ in range(3)]
    members = consent.key_text(terminal.host.source("members"))
    model = terminal.host.source("members").model
    addresses = {row[0]: row[1] for row in terminal.host.session.execute(select(members, model.mail))}
    wanted = keys if column == "key" else [addresses[key] for key in keys]
    path = tmp_path / "robinson.csv"
    path.write_text("\n".join([column, *wanted[:2], "nobody@example.org" if column == "email" else "no-such-key", ""]))
    said = terminal.run("opt-out", "set", "--file", str(path), "--dry-run")
    assert "It would be: 3 rows: 2 changed, 0 already, 1 unknown" in said
    assert not consent.opted_out_of_everything(terminal.host, ContactRef("members", keys[0]))
    assert "2 changed" in terminal.run("opt-out", "set", "--file", str(path))
    terminal.host.session.rollback()
    out = [consent.opted_out_of_everything(terminal.host, ContactRef("members", key)) for key in keys]
    assert out == [True, True, False]
    assert "2 changed" in terminal.run("opt-out", "clear", "--file", str(path))


def test_a_file_of_opt_outs_says_which_contacts_where_there_are_several(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = next(iter(terminal.host.sources.values()))
    both = {source.source_name: source, "other": replace(source, source="other")}
    monkeypatch.setitem(terminal.host.__dict__, "sources", both)
    path = tmp_path / "out.csv"
    path.write_text("email\nanna@example.org\n")
    assert "Say which contacts with --source" in terminal.run("opt-out", "set", "--file", str(path), code=1)
    terminal.run("opt-out", "set", "--file", str(path), "--source", "other")
