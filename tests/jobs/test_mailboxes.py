"""Mailboxes in the round of the processes: read when their turn comes, less often where they cannot be read."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import current_app

from massmail_plugin.feedback import mailboxes
from massmail_plugin.feedback.mailboxes import MailboxDraft
from massmail_plugin.feedback.mailboxes.reading import FAULTY
from massmail_plugin.jobs import functions, scheduler
from massmail_plugin.models import Mailbox
from massmail_plugin.vocabulary import MailboxKind
from tests.consent.small_host import clock


@pytest.fixture
def reading(host, tmp_path):
    """A host that reads Maildirs, and whom it called."""
    calls = []
    session = host.session()

    def wake(work):
        assert not session.in_transaction()
        calls.append(work)

    host = replace(host, wake=wake, config=replace(host.config, maildir_root=str(tmp_path)))
    current_app.extensions["massmail"] = host
    return host, calls


def maildir(folder: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True)
    return folder


def mailbox(host, folder: str, **values) -> int:
    draft = MailboxDraft(name=folder, kind=MailboxKind.MAILDIR, folder=folder, **values)
    made = mailboxes.save(host, None, draft)
    host.session.commit()
    return made.id


def wait(host, **span):
    clock(host).tick(seconds=timedelta(**span).total_seconds())


def test_the_scheduler_calls_a_worker_when_a_turn_comes(reading, tmp_path):
    host, calls = reading
    maildir(tmp_path / "bounces")
    read = mailbox(host, "bounces")
    mailbox(host, "unused", active=False)
    scheduler.tick(host)
    assert calls == ["mailboxes"]
    functions.read_mailboxes()
    assert host.session.get_one(Mailbox, read).read_at is not None
    host.session.rollback()
    scheduler.tick(host)
    assert calls == ["mailboxes"], "it was read just now"
    wait(host, seconds=host.config.mailbox_seconds + 1)
    scheduler.tick(host)
    assert calls == ["mailboxes"] * 2


def test_one_that_cannot_be_read_keeps_no_other_from_it_and_waits_longer(reading, tmp_path):
    host, _ = reading
    maildir(tmp_path / "bounces")
    broken, sound = mailbox(host, "gone"), mailbox(host, "bounces")
    functions.read_mailboxes()
    assert "no Maildir" in host.session.get_one(Mailbox, broken).fault
    assert host.session.get_one(Mailbox, sound).fault == ""
    host.session.rollback()
    wait(host, seconds=host.config.mailbox_seconds + 1)
    assert mailboxes.due(host) == [sound]
    wait(host, seconds=FAULTY * host.config.mailbox_seconds)
    assert set(mailboxes.due(host)) == {broken, sound}
    maildir(tmp_path / "gone")
    functions.read_mailboxes()
    assert host.session.get_one(Mailbox, broken).fault == ""


def test_a_worker_that_is_told_to_stop_begins_no_other_mailbox(reading, tmp_path, monkeypatch):
    host, _ = reading
    maildir(tmp_path / "bounces")
    mailbox(host, "bounces")
    monkeypatch.setattr(functions.stopping, "is_set", lambda: True)
    functions.read_mailboxes()
    assert len(mailboxes.due(host)) == 1
