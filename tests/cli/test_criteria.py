"""`flask massmail criterion ...`: criteria in words, whom they find, what uses them."""

from massmail_plugin.models import Criterion, List
from tests.cli.conftest import Terminal


def save(terminal: Terminal, name: str, rule: object) -> int:
    host = terminal.host
    source = next(iter(host.sources))
    now = host.clock()
    made = Criterion(name=name, contact_source=source, rule=rule, created_at=now, updated_at=now)
    host.session.add(made)
    host.session.commit()
    return made.id


def test_criteria_are_told_in_words(terminal: Terminal) -> None:
    assert "There is no criterion." in terminal.run("criterion", "show")
    terminal.world.members(1)
    everybody = save(terminal, "Everybody here", None)
    save(terminal, "Nobody", {"none": [{"criterion": everybody}]})
    save(terminal, "Broken", {"field": "gone", "op": "is", "value": "x"})
    terminal.host.session.add(List(name="Kept", criterion_id=everybody, created_at=terminal.host.clock()))
    terminal.host.session.commit()
    rows = {row["name"]: row["finds"] for row in terminal.json("criterion", "show", "--json")}
    assert rows["Everybody here"] == "Everybody"
    assert rows["Nobody"] == "not (found by “Everybody here”)"
    assert rows["Broken"].startswith("Cannot be used any more: There is no field “gone”")
    (whole,) = terminal.json("criterion", "show", "Everybody here", "--json")
    assert whole["number"] == 1
    assert (whole["mailings"], whole["lists"], whole["criteria"]) == (0, "Kept", "Nobody")
    assert len(terminal.json("criterion", "find", "Everybody here", "--limit", "1", "--json")) == 1
    assert "It finds nobody." in terminal.run("criterion", "find", "Nobody")


def test_what_is_not_there_is_said(terminal: Terminal) -> None:
    save(terminal, "Broken", {"field": "gone", "op": "is", "value": "x"})
    assert "no field “gone”" in terminal.run("criterion", "find", "Broken", code=1)
    assert "no criterion “Borken”" in terminal.run("criterion", "show", "Borken", code=1)
