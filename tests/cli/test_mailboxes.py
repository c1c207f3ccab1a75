"""`flask massmail mailboxes` and `bounces import`: read now, as one types it."""

from pathlib import Path

import pytest
from sqlalchemy import select

from massmail_plugin import mailings
from massmail_plugin.feedback import mailboxes
from massmail_plugin.feedback.mailboxes import MailboxDraft
from massmail_plugin.models import Event, OutboxMessage
from massmail_plugin.vocabulary import MailboxKind
from tests.cli.conftest import Terminal
from tests.feedback import post


@pytest.fixture
def bounce(terminal: Terminal) -> bytes:
    """About a mail of a mailing that was launched."""
    world, host = terminal.world, terminal.host
    world.join(*world.members(1))
    values = {"list_ids": [world.list_id], "template_id": world.template("Spring"), "sender_id": world.sender_id}
    made = mailings.create(host, name="Spring news", contact_source="members", by="ada", **values)
    mailings.launch(host, made, by="ada")
    host.session.commit()
    mailings.fill_launched(host)
    return post.report(post.sent(host, host.session.scalars(select(OutboxMessage)).one()))


@pytest.fixture
def folder(terminal: Terminal, tmp_path: Path) -> Path:
    """A Maildir that the mailbox called Bounces reads."""
    folder = tmp_path / "mail" / "bounces"
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True)
    object.__setattr__(terminal.host.config, "maildir_root", str(tmp_path / "mail"))
    draft = MailboxDraft(name="Bounces", kind=MailboxKind.MAILDIR, folder="bounces")
    mailboxes.save(terminal.host, None, draft)
    terminal.host.session.commit()
    return folder


def kinds(terminal: Terminal) -> list[str]:
    return list(terminal.host.session.scalars(select(Event.kind)))


def test_reading_once(terminal: Terminal, folder: Path, bounce: bytes) -> None:
    (folder / "new" / "1.a").write_bytes(bounce)
    (folder / "new" / "2.a").write_bytes(post.ordinary())
    (row,) = terminal.json("mailboxes", "read", "--once")
    wanted = {"mailbox": "Bounces", "read": 2, "matched": 1, "unmatched": 0, "ignored": 1, "removed": 0, "fault": ""}
    assert row == wanted
    assert kinds(terminal) == ["bounce"]
    assert "Bounces" in terminal.run("mailboxes", "read", "Bounces", "--once")
    assert kinds(terminal) == ["bounce"]


def test_a_fault_is_an_exit_code(terminal: Terminal, folder: Path) -> None:
    (folder / "new").rmdir()
    assert "no Maildir" in terminal.run("mailboxes", "read", "--once", code=1)
    assert "no Maildir" in terminal.run("mailboxes", "test", "Bounces", code=1)
    assert terminal.json("mailboxes", "list")[0]["fault"]


def test_a_test_reads_nothing(terminal: Terminal, folder: Path, bounce: bytes) -> None:
    (folder / "new" / "1.a").write_bytes(bounce)
    assert "1 mails lie there." in terminal.run("mailboxes", "test", "Bounces")
    assert kinds(terminal) == []


def test_a_name_nobody_gave(terminal: Terminal, folder: Path) -> None:
    assert "Did you mean “Bounces”?" in terminal.run("mailboxes", "read", "Bounce", "--once", code=1)


def test_there_is_none_yet(terminal: Terminal) -> None:
    assert "There are no mailboxes." in terminal.run("mailboxes", "list")
    assert terminal.run("mailboxes", "read", "--once") == ""


@pytest.mark.parametrize("form", ["file", "folder", "maildir", "mbox"])
def test_mails_kept_as_files(terminal: Terminal, bounce: bytes, tmp_path: Path, form: str) -> None:
    place = tmp_path / "kept"
    strange = post.report(post.forged("somebody@box.test"))
    if form == "mbox":
        place.write_bytes(
            b"".join(b"From - Sun Mar  1 2026\n" + mail.replace(b"\r", b"") + b"\n" for mail in (bounce, strange))
        )
    elif form == "file":
        place.write_bytes(bounce)
    else:
        parts = ["new", "cur"] if form == "maildir" else ["a", "b/c"]
        for part, mail in zip(parts, (bounce, strange), strict=True):
            (place / part).mkdir(parents=True)
            (place / part / "1.eml").write_bytes(mail)
    unmatched = 0 if form == "file" else 1
    counts = {"matched": 1} | ({"unmatched": 1} if unmatched else {})
    assert terminal.json("bounces", "import", str(place)) == counts
    assert kinds(terminal) == ["bounce"]
    assert f"{1 + unmatched} known already" in terminal.run("bounces", "import", str(place))
    assert kinds(terminal) == ["bounce"]
