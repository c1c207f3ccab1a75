"""`flask massmail feedback`: what somebody read about a mail, told by its Message-ID."""

import pytest
from sqlalchemy import select

from massmail_plugin.models import OutboxMessage, OutcomeReport, Suppression
from massmail_plugin.signed_links import message_id_field
from tests.cli.conftest import Terminal


def field(terminal: Terminal, message: OutboxMessage) -> str:
    return message_id_field(terminal.host.config, message.id, "example.org")


def test_a_complaint_suppresses_the_address_and_is_reported(terminal: Terminal, message: OutboxMessage) -> None:
    said = terminal.run("feedback", "complaint", field(terminal, message), "--detail", "spam button")
    assert "gets no more mail" in said
    kept = terminal.host.session.scalars(select(Suppression)).one()
    assert (kept.address, kept.reason, kept.note) == (message.address, "complaint", "spam button")
    assert terminal.host.session.scalars(select(OutcomeReport.outcome)).all() == ["complained"]


@pytest.mark.parametrize(
    ("code", "words", "meaning", "suppressed"),
    [
        ("550", "5.1.1 no such user", "hard", 1),
        ("552", "5.2.2 mailbox full", "full", 0),
        ("550", "5.7.26 not authenticated", "sender_fault", 0),
    ],
)
def test_only_a_dead_mailbox_is_suppressed(
    terminal: Terminal, message: OutboxMessage, code: str, words: str, meaning: str, suppressed: int
) -> None:
    assert meaning in terminal.run("feedback", "bounce", field(terminal, message), code, words)
    assert len(terminal.host.session.scalars(select(Suppression)).all()) == suppressed


def test_a_message_id_that_is_not_ours_changes_nothing(terminal: Terminal, message: OutboxMessage) -> None:
    assert "not the Message-ID of a mail we sent" in terminal.run("feedback", "complaint", "<1@example.org>", code=1)
    assert terminal.host.session.scalars(select(Suppression)).all() == []
