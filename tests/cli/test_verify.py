"""`flask massmail verify`: says that every number equals a recount, names what does not, and writes it anew."""

import pytest
from sqlalchemy import select, update

from massmail_plugin import mailings, outbox
from massmail_plugin.models import Chunk, EventTally, OutboxMessage
from massmail_plugin.outcomes import NewEvent, keep_events
from massmail_plugin.vocabulary import EventKind
from tests.cli.conftest import Terminal
from tests.cli.test_mailings import number

__all__ = ["number"]


@pytest.fixture
def run(terminal: Terminal, number: str) -> str:
    """The number of a mailing to three that was sent and read by one."""
    terminal.run("mailing", "start", number, "--expect", "3")
    mailings.fill_launched(terminal.host)
    session = terminal.host.session
    session.execute(update(OutboxMessage).values(state="sent", due_at=None))
    outbox.recount(terminal.host, int(number))
    first = session.scalars(select(OutboxMessage.id)).first()
    assert first is not None
    keep_events(terminal.host, [NewEvent(message_id=first, kind=EventKind.OPEN, at=terminal.host.clock())])
    session.commit()
    terminal.run("scheduler", "--once")
    return number


def test_all_is_right(terminal: Terminal, run: str) -> None:
    assert terminal.run("verify") == "1 mailing: every number equals a recount.\n"
    assert terminal.json("verify") == {"mailings": 1, "differences": [], "left": 0, "lists": [], "lists_left": 0}


def test_what_is_wrong_is_named_and_written_anew(terminal: Terminal, run: str) -> None:
    terminal.host.session.execute(update(Chunk).values(sent=17))
    terminal.host.session.execute(update(EventTally).values(hits=5))
    terminal.host.session.commit()
    told = terminal.run("verify", "--mailing", run, code=1)
    assert "0: sent" in told
    assert "17" in told
    assert "are wrong. `flask massmail verify --repair`" in told
    found = terminal.json("verify", code=1)
    assert {one["kept_in"] for one in found["differences"]} == {"chunk", "tally"}
    assert "0 still are" in terminal.run("verify", "--repair")
    assert terminal.run("verify") == "1 mailing: every number equals a recount.\n"


def test_a_mailing_that_was_never_launched(terminal: Terminal) -> None:
    assert "no launched mailing 7" in terminal.run("verify", "--mailing", "7", code=1)
    assert terminal.run("verify") == "0 mailings: every number equals a recount.\n"
