"""`flask massmail mailing` and `send-test`."""

import pytest
from sqlalchemy import select

from massmail_plugin import mailings
from massmail_plugin.models import Mailing, OutboxMessage
from tests.cli.conftest import Terminal


@pytest.fixture
def number(terminal: Terminal) -> str:
    """A draft to three contacts."""
    world = terminal.world
    world.join(*world.members(3))
    made = mailings.create(
        terminal.host,
        name="Spring news",
        contact_source="members",
        by="ada",
        list_ids=[world.list_id],
        template_id=world.template("Spring"),
        sender_id=world.sender_id,
    )
    terminal.host.session.commit()
    return str(made.id)


def state(terminal: Terminal, number: str) -> str:
    terminal.host.session.expire_all()
    return terminal.host.session.get_one(Mailing, int(number)).state


def test_list_and_show(terminal: Terminal, number: str) -> None:
    assert "Spring news" in terminal.run("mailing", "list")
    (row,) = terminal.json("mailing", "list", "--state", "draft")
    assert row["name"] == "Spring news"
    assert terminal.json("mailing", "list", "--state", "paused") == []
    assert "no mailing" in terminal.run("mailing", "list", "--state", "paused")
    assert terminal.json("mailing", "show", number)["planned"] == 0
    assert "Spring news" in terminal.run("mailing", "show", number)


def test_start_asks_with_the_number_and_wakes_the_workers(terminal: Terminal, number: str) -> None:
    assert "to 3 recipients?" in terminal.run("mailing", "start", number, typed="n\n", code=1)
    assert state(terminal, number) == "draft"
    terminal.run("mailing", "start", number, typed="y\n")
    assert state(terminal, number) == "filling"
    assert "fill" in terminal.queue.calls


def test_start_with_a_wrong_expectation_is_refused(terminal: Terminal, number: str) -> None:
    assert "3" in terminal.run("mailing", "start", number, "--expect", "4", code=1)
    assert state(terminal, number) == "draft"
    terminal.run("mailing", "start", number, "--expect", "3")
    assert "already" in terminal.run("mailing", "start", number, "--expect", "3", code=1)


def test_pause_resume_cancel(terminal: Terminal, number: str) -> None:
    assert "draft" in terminal.run("mailing", "pause", number, code=1)
    terminal.run("mailing", "start", number, "--expect", "3")
    mailings.fill_launched(terminal.host)
    terminal.run("mailing", "pause", number)
    assert state(terminal, number) == "paused"
    terminal.run("mailing", "resume", number)
    assert state(terminal, number) == "sending"
    terminal.run("mailing", "cancel", number, "--yes")
    assert terminal.json("mailing", "show", number)["cancelled"] == 3


def test_retry_plans_exactly_the_failed_ones(terminal: Terminal, number: str) -> None:
    terminal.run("mailing", "start", number, "--expect", "3")
    mailings.fill_launched(terminal.host)
    assert "no failed" in terminal.run("mailing", "retry", number, code=1)
    first = terminal.host.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).first()
    assert first is not None
    first.state = "refused"
    terminal.host.session.commit()
    assert terminal.run("mailing", "retry", number).startswith("1 mail")


def test_a_mailing_that_is_not_there(terminal: Terminal) -> None:
    assert "There is no mailing 77" in terminal.run("mailing", "show", "77", code=1)


def test_send_test_waits_for_a_worker(terminal: Terminal) -> None:
    terminal.world.members(1)
    terminal.world.template("Spring")
    terminal.host.session.commit()
    assert "sender" in terminal.run("send-test", "ada@example.org", "--template", "Spring", code=1)
    terminal.run("send-test", "ada@example.org", "--template", "Spring", "--sender", "Post")
    (row,) = terminal.host.session.scalars(select(OutboxMessage))
    assert row.address == "ada@example.org"
    assert "send" in terminal.queue.calls
    assert "Did you mean “Spring”?" in terminal.run("send-test", "ada@example.org", "--template", "Sprung", code=1)
    wrong = terminal.run("send-test", "not an address", "--template", "Spring", "--sender", "Post", code=1)
    assert "not an address" in wrong
