"""`flask massmail uncertain`: list, resend, leave; and what `mailing` says when it stops or retries."""

import pytest
from sqlalchemy import select, update

from massmail_plugin import mailings, outbox
from massmail_plugin.models import Chunk, Mailing, OutboxMessage
from tests.cli.conftest import Terminal
from tests.cli.test_mailings import number, state

__all__ = ["number"]


@pytest.fixture
def ids(terminal: Terminal, number: str) -> list[str]:
    """The mails of a run to three: two uncertain, the last sent."""
    terminal.run("mailing", "start", number, "--expect", "3")
    mailings.fill_launched(terminal.host)
    session = terminal.host.session
    found = list(session.scalars(select(OutboxMessage.id).order_by(OutboxMessage.id)))
    session.execute(update(OutboxMessage).values(state="sent", due_at=None))
    unsure = OutboxMessage.id.in_(found[:2])
    session.execute(update(OutboxMessage).where(unsure).values(state="uncertain", reply_text="No answer came."))
    outbox.recount(terminal.host, int(number))
    outbox.finish_if_done(terminal.host, int(number))
    session.commit()
    return [str(one) for one in found]


def test_list_tells_who_and_what_is_known(terminal: Terminal, number: str, ids: list[str]) -> None:
    rows = terminal.json("uncertain", "list")
    assert [str(row["id"]) for row in rows] == ids[:2]
    assert rows[0]["known"] == "No answer came."
    assert rows[0]["sender"] == "Post"
    assert rows[0]["contact"].startswith("members:")
    assert "No answer came." in terminal.run("uncertain", "list", "--mailing", number)
    assert terminal.json("mailing", "show", number)["undecided"] == 2


def test_resend_some_and_leave_the_rest(terminal: Terminal, number: str, ids: list[str]) -> None:
    assert terminal.json("uncertain", "resend", ids[0]) == {"decided": 1}
    assert state(terminal, number) == "sending"
    assert terminal.run("uncertain", "leave", "--mailing", number) == "1 mail left uncertain.\n"
    assert terminal.run("uncertain", "list") == "No mail is uncertain.\n"
    (left,) = terminal.json("uncertain", "list", "--decided")
    assert (left["decided"], "by command line" in left["known"]) == (True, True)


@pytest.mark.parametrize("decision", ["resend", "leave"])
def test_what_is_not_there_is_refused_and_nothing_is_decided(
    terminal: Terminal, number: str, ids: list[str], decision: str
) -> None:
    assert "Name mails by their ids" in terminal.run("uncertain", decision, code=1)
    assert "9999: there is no such mail" in terminal.run("uncertain", decision, ids[0], "9999", code=1)
    assert "in mailing 77" in terminal.run("uncertain", decision, ids[0], "--mailing", "77", code=1)
    assert "no mailing 77" in terminal.run("uncertain", decision, "--mailing", "77", code=1)
    assert "waits for this decision" in terminal.run("uncertain", decision, ids[2], code=1)
    assert len(terminal.json("uncertain", "list")) == 2


def test_a_stopped_mailing_says_how_far_it_came(terminal: Terminal, number: str) -> None:
    terminal.run("mailing", "start", number, "--expect", "3")
    mailings.fill_launched(terminal.host)
    assert "0 mails had been sent; 3 wait." in terminal.run("mailing", "pause", number)
    terminal.run("mailing", "resume", number)
    terminal.host.session.execute(update(Chunk).values(leased_by="a worker:1"))
    terminal.host.session.commit()
    said = terminal.run("mailing", "cancel", number, "--yes")
    assert "up to 3 more are on their way" in said or "0 mails had been sent; 3 are not sent any more." in said


def test_retry_names_the_reasons(terminal: Terminal, number: str) -> None:
    terminal.run("mailing", "start", number, "--expect", "3")
    mailings.fill_launched(terminal.host)
    session = terminal.host.session
    session.execute(update(OutboxMessage).values(state="refused", reason="not_retried"))
    outbox.recount(terminal.host, int(number))
    session.commit()
    assert "3 not_retried" in terminal.run("mailing", "retry", number)
    assert session.get_one(Mailing, int(number)).state == "sending"
