"""`flask massmail person ...` and `retention ...`: what is held, handed out and erased; what is too old, deleted."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from massmail_plugin import mailings, outbox
from massmail_plugin.models import Erasure, OutboxMessage, Received
from tests.cli.conftest import Terminal
from tests.cli.test_mailings import number
from tests.upkeep.small_host import Member

__all__ = ["number"]


@pytest.fixture
def mailed(terminal: Terminal, number: str) -> Member:
    """The first of three who got a mail."""
    terminal.run("mailing", "start", number, "--expect", "3")
    mailings.fill_launched(terminal.host)
    terminal.host.session.query(OutboxMessage).update({"state": "sent", "due_at": None})
    outbox.recount(terminal.host, int(number))
    terminal.host.session.commit()
    row = terminal.host.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).first()
    assert row is not None
    return terminal.host.session.get_one(Member, int(row.contact_key))


def test_what_is_held_is_shown_and_handed_out(terminal: Terminal, mailed: Member) -> None:
    told = terminal.run("person", "show", str(mailed.id))
    assert mailed.name in told
    assert "Mails" in told
    (said,) = terminal.json("person", "show", f"members:{mailed.id}")
    (again,) = terminal.json("person", "show", str(mailed.mail).upper())
    assert said["held"]["mails"] == again["held"]["mails"]
    assert said["addresses"] == [mailed.mail]
    assert "Nothing is held." in terminal.run("person", "show", "nobody@example.net")
    assert "Error: nobody@" in terminal.run("person", "show", "nobody@", code=1)


def test_a_person_is_erased_once_and_asked_for_before(terminal: Terminal, mailed: Member) -> None:
    assert "Aborted" in terminal.run("person", "erase", str(mailed.id), typed="n\n", code=1)
    assert terminal.host.session.scalar(select(func.count()).select_from(Erasure)) == 0
    assert terminal.run("person", "erase", str(mailed.id), "--yes", "--note", "file 12").startswith("Erased: ")
    assert terminal.json("person", "erase", str(mailed.id), "--yes") == {"erased": {}, "news": False}
    assert terminal.host.session.scalars(select(Erasure.note)).all() == ["file 12"]
    terminal.run("verify")


def test_of_several_at_an_address_one_is_to_be_named(terminal: Terminal, mailed: Member) -> None:
    terminal.host.session.add(Member(name="Family", mail=mailed.mail))
    terminal.host.session.commit()
    refused = terminal.run("person", "erase", str(mailed.mail), "--yes", code=1)
    assert "Name one of them" in refused
    assert f"members:{mailed.id}" in refused
    assert len(terminal.json("person", "show", str(mailed.mail))) == 3, "two contacts, and what is the address's alone"


def test_old_data_are_counted_then_deleted(terminal: Terminal) -> None:
    at = terminal.host.clock() - timedelta(days=400)
    terminal.host.session.add(Received(origin="file", origin_id="1", kind="bounce", at=at))
    terminal.host.session.commit()
    assert "messages" in terminal.run("retention", "show")
    assert {one["kind"]: one["last pass"] for one in terminal.json("retention", "show")}["received"] is None
    counted = {one["kind"]: one["rows"] for one in terminal.json("retention", "run", "--dry-run")}
    assert counted["received"] == 1
    assert terminal.host.session.scalar(select(func.count()).select_from(Received)) == 1
    assert terminal.json("retention", "run", "--seconds", "0", code=1) == {"deleted": {}, "finished": False}
    assert terminal.json("retention", "run") == {"deleted": {"received": 1}, "finished": True}
    assert "Nothing is too old." in terminal.run("retention", "run")
    assert "2027" in terminal.run("retention", "show")
