"""A Maildir that other programs use at the same time: nothing is read twice, nothing of others is touched."""

import os
from pathlib import Path

import pytest

from massmail_plugin.feedback import mailboxes
from massmail_plugin.feedback.mailboxes import MailboxDraft
from massmail_plugin.feedback.mailboxes.maildir import MaildirBox
from massmail_plugin.vocabulary import AfterReading, MailboxKind
from tests.feedback import post
from tests.feedback.mailboxes.conftest import Reader, make_maildir


def put(folder: Path, name: str, mail: bytes, part: str = "new") -> Path:
    path = folder / part / name
    path.write_bytes(mail)
    return path


def lying(folder: Path) -> list[str]:
    return sorted(f"{path.parent.name}/{path.name}" for part in ("new", "cur") for path in (folder / part).iterdir())


def test_reports_go_and_other_mail_stays_as_it_is(local: Reader, folder: Path) -> None:
    put(folder, "1.a.mx", post.report(local.sent()))
    put(folder, "2.a.mx", post.ordinary())
    put(folder, "3.a.mx:2,S", post.report(post.forged("member1@box.test")), "cur")
    assert local.read().states == {"matched": 1, "ignored": 1, "unmatched": 1}
    assert lying(folder) == ["cur/3.a.mx:2,S", "new/2.a.mx"]
    assert local.read().read == 0
    assert sorted(local.remembered()) == [("2.a.mx", False), ("3.a.mx", False)]


def test_who_opts_out_by_mail_is_out_and_the_mail_goes(local: Reader, folder: Path) -> None:
    put(folder, "1.a.mx", post.leaving(local.sent().opt_out_address))
    put(folder, "2.a.mx", post.leaving(post.forged("member1@box.test").opt_out_address))
    assert local.read().kinds == {"opt_out": 1}
    assert lying(folder) == ["new/2.a.mx"]
    assert local.events() == [("opt_out", "")]
    assert local.outcomes() == ["removed"]
    assert local.read().read == 0


def test_what_a_mail_program_marks_as_seen_is_not_read_again(local: Reader, folder: Path) -> None:
    mail = put(folder, "1.a.mx", post.ordinary())
    local.read()
    mail.rename(folder / "cur" / "1.a.mx:2,S")
    assert local.read().read == 0


@pytest.mark.parametrize("moved_to", ["cur/1.a.mx:2,S", None])
def test_another_program_is_faster(
    local: Reader, folder: Path, moved_to: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the reading, a mail goes to cur, or is gone."""
    mail = put(folder, "1.a.mx", post.report(local.sent()))
    look = MaildirBox.look

    def look_and_lose(self: MaildirBox, *given: object) -> object:
        listing = look(self, *given)  # type: ignore[arg-type]
        if mail.exists():
            mail.rename(folder / moved_to) if moved_to else mail.unlink()
        return listing

    monkeypatch.setattr(MaildirBox, "look", look_and_lose)
    assert local.read().fault == ""
    assert lying(folder) == []
    assert local.events() == ([("bounce", "hard")] if moved_to else [])


@pytest.mark.parametrize("after", [AfterReading.DELETE, AfterReading.MOVE])
def test_another_program_moves_it_while_it_is_kept(
    local: Reader, folder: Path, after: AfterReading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the reading and the removal."""
    done = make_maildir(folder.parent / "done")
    row = local.row
    row.after, row.move_to = after.value, str(done)
    local.host.session.commit()
    mail = put(folder, "1.a.mx", post.report(local.sent()))
    remove = MaildirBox.remove

    def mark_and_remove(self: MaildirBox, uids: list[str]) -> object:
        mail.rename(folder / "cur" / "1.a.mx:2,S")
        return remove(self, uids)

    monkeypatch.setattr(MaildirBox, "remove", mark_and_remove)
    local.read()
    assert lying(folder) == []
    assert lying(done) == (["cur/1.a.mx:2,S"] if after is AfterReading.MOVE else [])
    assert local.events() == [("bounce", "hard")]
    assert local.tallied() == {"bounce": 1}
    assert local.remembered() == []


def test_the_same_mail_in_two_places_at_once_counts_once(local: Reader, folder: Path) -> None:
    """A program that moves by link and unlink."""
    mail = put(folder, "1.a.mx", post.report(local.sent()))
    os.link(mail, folder / "cur" / "1.a.mx:2,")
    local.read()
    local.read()
    assert local.events() == [("bounce", "hard")]
    assert lying(folder) == [] or local.read().fault == ""


def test_a_mail_no_parser_can_stand_stops_nothing(local: Reader, folder: Path) -> None:
    put(folder, "1.a.mx", b"")
    put(folder, "2.a.mx", b"\x00\xff\r\nContent-Type: multipart/mixed; boundary=\r\n\r\n--\r\n" * 50)
    put(folder, "3.a.mx", post.report(local.sent()))
    assert local.read().read == 3
    assert local.events() == [("bounce", "hard")]


def test_links_are_not_followed(local: Reader, folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(post.ordinary("secret"))
    (folder / "new" / "1.a.mx").symlink_to(secret)
    assert local.read().read == 0


@pytest.mark.parametrize("outside", ["/etc", "../..", "bounces/../../outside"])
def test_only_maildirs_below_the_root_are_read(local: Reader, tmp_path: Path, outside: str) -> None:
    make_maildir(tmp_path / "outside")
    draft = MailboxDraft(name="other", kind=MailboxKind.MAILDIR, folder=outside)
    assert "MASSMAIL_MAILDIR_ROOT" in mailboxes.problems(local.host, None, draft)["folder"]


def test_a_folder_that_is_no_maildir_is_refused(local: Reader, tmp_path: Path) -> None:
    (tmp_path / "mail" / "plain").mkdir()
    draft = MailboxDraft(name="other", kind=MailboxKind.MAILDIR, folder="plain")
    assert "no Maildir" in mailboxes.problems(local.host, None, draft)["folder"]


def test_a_maildir_that_went_away_is_a_fault_in_words(local: Reader, folder: Path) -> None:
    (folder / "new").rename(folder / "old")
    assert "no Maildir" in local.read().fault
    assert "no Maildir" in local.row.fault
