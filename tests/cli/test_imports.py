"""`flask massmail import` and `export`: what they do, print and refuse."""

import csv
from pathlib import Path

import pytest
from sqlalchemy import select

from massmail_plugin.models import Import, List, Subscription, Suppression
from tests.cli.conftest import Terminal


@pytest.fixture
def news(terminal: Terminal) -> List:
    made = List(name="Imported", created_at=terminal.host.clock())
    terminal.host.session.add(made)
    terminal.host.session.commit()
    return made


def address_of_somebody(terminal: Terminal) -> str:
    source = next(iter(terminal.host.sources.values()))
    column = source.addresses[0].column
    found = terminal.host.session.scalars(select(column).where(column.is_not(None))).first()
    if found is None:
        terminal.world.members(1)
        return address_of_somebody(terminal)
    terminal.host.session.rollback()
    return str(found)


def test_a_file_is_tried_and_then_brought(terminal: Terminal, news: List, tmp_path: Path) -> None:
    file, errors = tmp_path / "people.csv", tmp_path / "errors.csv"
    file.write_text(f"Name;E-Mail\nAnn;{address_of_somebody(terminal)}\nWho;who@x.test\nBad;=1+1\n")
    tried = terminal.run("import", str(file), "--list", "Imported", "--dry-run", "--errors", str(errors))
    assert "It would be:" in tried
    assert [row[:2] for row in csv.reader(errors.open(encoding="utf-8-sig"))][1:] == [
        ["3", "who@x.test"], ["4", "'=1+1"],
    ]  # fmt: skip
    assert terminal.host.session.scalars(select(Subscription).where(Subscription.list_id == news.id)).all() == []
    terminal.host.session.rollback()
    done = terminal.json("import", str(file), "--list", "Imported", "--evidence", "fair")
    assert {name: done[name] for name in ("state", "rows", "changed", "unknown", "invalid")} == {
        "state": "finished", "rows": 3, "changed": 1, "unknown": 1, "invalid": 1,
    }  # fmt: skip
    row = terminal.host.session.scalars(select(Subscription).where(Subscription.list_id == news.id)).one()
    assert row.evidence == "fair – by the file “people.csv”, command line"
    assert address_of_somebody(terminal) in terminal.run("export", "list", "Imported")


def test_how_it_is_read_can_be_said(terminal: Terminal, news: List, tmp_path: Path) -> None:
    file = tmp_path / "odd.txt"
    file.write_bytes(f"x|{address_of_somebody(terminal)}\n".encode("utf-16"))
    how = ("--delimiter", "|", "--encoding", "utf-16", "--no-header", "--column", "Column 2", "--by", "address")
    assert terminal.json("import", str(file), "--list", "Imported", *how)["changed"] == 1
    assert "no column" in terminal.run("import", str(file), "--list", "Imported", "--column", "Nope", code=1)
    wrong = terminal.run("import", str(file), "--list", "Imported", "--encoding", "big5", code=1)
    assert "cannot be read" in wrong or "zero bytes" in wrong


def test_addresses_are_suppressed(terminal: Terminal, tmp_path: Path) -> None:
    file, output = tmp_path / "stop.csv", tmp_path / "stops.xlsx"
    file.write_text("email\nstop@x.test\n")
    terminal.run("import", str(file), "--purpose", "suppress", "--until", "2030-01-01")
    row = terminal.host.session.scalars(select(Suppression)).one()
    assert (row.address, str(row.until)[:10]) == ("stop@x.test", "2030-01-01")
    terminal.host.session.rollback()
    assert "Written to" in terminal.run("export", "suppressions", "--output", str(output))
    assert output.read_bytes().startswith(b"PK")


def test_what_does_not_fit_is_refused_in_words(terminal: Terminal, news: List, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email\na@x.test\n")
    assert "Choose the list" in terminal.run("import", str(file), code=1)
    assert "Did you mean “Imported”?" in terminal.run("import", str(file), "--list", "Importd", code=1)
    assert "FIELD=COLUMN" in terminal.run("import", str(file), "--list", "Imported", "--field", "nope=email", code=1)
    file.write_text("")
    assert "empty" in terminal.run("import", str(file), "--list", "Imported", code=1)
    terminal.host.session.rollback()
    assert terminal.host.session.scalars(select(Import.state)).all() == []
    terminal.host.session.rollback()
    assert ".csv or .xlsx" in terminal.run("export", "list", "Imported", "--output", "x.pdf", code=2)
