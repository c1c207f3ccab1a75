"""`flask massmail bounces read`: what kept mails say, printed for people and for programs, without any database."""

import json
from pathlib import Path
from shutil import copy

import pytest
from sqlalchemy import event

from massmail_plugin.signed_links import message_id_field
from tests.cli.conftest import Terminal

MAILS = Path(__file__).parents[1] / "feedback" / "reports" / "mails"


@pytest.fixture
def unplugged(bare: Terminal) -> Terminal:
    """A terminal whose database must not be asked."""

    @event.listens_for(bare.host.db.engine, "do_connect")
    def refuse(*arguments: object) -> None:
        pytest.fail("The database was asked.")

    return bare


def lines(terminal: Terminal, *paths: Path) -> list[dict[str, object]]:
    said = terminal.run("bounces", "read", *map(str, paths), "--json")
    return [json.loads(line) for line in said.splitlines()]


def test_a_mail_becomes_one_line_of_json(unplugged: Terminal) -> None:
    assert lines(unplugged, MAILS / "postfix-unknown.eml") == [
        {
            "file": "postfix-unknown.eml",
            "kind": "bounce",
            "recipients": [
                {
                    "address": "anna@shop.example",
                    "status": "5.1.1",
                    "class": "permanent",
                    "hard": True,
                    "final": True,
                    "reason": "userunknown",
                    "action": "failed",
                }
            ],
            "token": None,
        }
    ]


def test_what_a_mail_does_not_say_is_null_or_empty(unplugged: Terminal) -> None:
    [line] = lines(unplugged, MAILS / "local-mailbox.eml")
    assert line["recipients"] == [
        {
            "address": "nora@shop.example",
            "status": "",
            "class": None,
            "hard": False,
            "final": True,
            "reason": "mailboxfull",
            "action": "failed",
        }
    ]


def test_a_folder_is_read_mail_by_mail(unplugged: Terminal, tmp_path: Path) -> None:
    (tmp_path / "labels.jsonl").write_text("{}")
    for name in ("gmail-delay", "arf-abuse", "reply-by-a-person"):
        copy(MAILS / f"{name}.eml", tmp_path)
    assert [(one["file"], one["kind"]) for one in lines(unplugged, tmp_path)] == [
        ("arf-abuse.eml", "complaint"),
        ("gmail-delay.eml", "delay"),
        ("reply-by-a-person.eml", "none"),
    ]


def test_a_maildir_is_read(unplugged: Terminal, tmp_path: Path) -> None:
    for part in ("new", "cur", "tmp"):
        (tmp_path / part).mkdir()
    copy(MAILS / "qmail-two.eml", tmp_path / "new" / "1741078800.M1P1.host")
    copy(MAILS / "auto-english.eml", tmp_path / "cur" / "1741078801.M1P1.host:2,S")
    assert [one["kind"] for one in lines(unplugged, tmp_path)] == ["bounce", "autoreply"]


def test_several_paths_are_read_in_their_order(unplugged: Terminal) -> None:
    read = lines(unplugged, MAILS / "delivered.eml", MAILS / "arf-auth-failure.eml")
    assert [one["kind"] for one in read] == ["delivered", "report-not-complaint"]


def test_our_own_token_is_shown_and_a_foreign_one_is_not(unplugged: Terminal, tmp_path: Path) -> None:
    ours = message_id_field(unplugged.host.config, 17, "crm.example")
    mail = (MAILS / "postfix-unknown.eml").read_bytes().replace(b"<mail-17@crm.example>", ours.encode())
    (tmp_path / "ours.eml").write_bytes(mail)
    (tmp_path / "theirs.eml").write_bytes(mail.replace(ours[:10].encode(), b"<AAAAAAAAA"))
    assert [one["token"] for one in lines(unplugged, tmp_path)] == [ours, None]


def test_people_get_a_table(unplugged: Terminal) -> None:
    said = unplugged.run("bounces", "read", str(MAILS / "exim-two.eml"))
    assert "gerd@shop.example (userunknown), hanna@other.example (hostunknown)" in said


def test_a_path_that_is_not_there_is_wrong_usage(unplugged: Terminal) -> None:
    assert "does not exist" in unplugged.run("bounces", "read", "/nowhere.eml", "--json", code=2)
