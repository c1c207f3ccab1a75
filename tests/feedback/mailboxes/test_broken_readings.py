"""Readings that break off, mailboxes that change under them: every event is kept once, and every report is removed."""

import shutil
import threading

import pytest

from massmail_plugin import leases
from massmail_plugin.feedback import mailboxes
from massmail_plugin.feedback.mailboxes import box, reading
from massmail_plugin.vocabulary import AfterReading, MailboxKind
from realmail.dovecot import maildir
from tests.feedback import post
from tests.feedback.mailboxes.conftest import MakeReader, Reader

pytestmark = pytest.mark.xdist_group("mailservers")
IMAP, POP3 = MailboxKind.IMAP, MailboxKind.POP3


def exactly_once(reader: Reader) -> bool:
    """One bounce, one event, one of everything."""
    return (
        reader.events() == [("bounce", "hard")]
        and reader.tallied() == {"bounce": 1}
        and reader.outcomes() == ["bounced"]
        and reader.suppressed() == [("member1@box.test", "hard_bounce")]
    )


def test_pop3_lost_before_quit(make_reader: MakeReader) -> None:
    """Nothing is deleted without QUIT (RFC 1939, 6): the result stays, and the mail goes at the next reading."""
    reader = make_reader(POP3)
    reader.deliver(post.report(reader.sent()), post.ordinary())
    reader.line.cut_at = b"QUIT"
    assert reader.read().states == {"matched": 1, "ignored": 1}
    assert len(reader.files()) == 2
    reader.line.cut_at = b""
    again = reader.read()
    assert (again.read, again.fault) == (0, "")
    assert exactly_once(reader)
    assert len(reader.files()) == 1
    reader.read()
    assert [leaves for _, leaves in reader.remembered()] == [False], "only the mail that lies there is remembered"


@pytest.mark.parametrize("kind", [IMAP, POP3])
def test_lost_in_the_middle(make_reader: MakeReader, kind: MailboxKind) -> None:
    reader = make_reader(kind)
    reader.deliver(post.report(reader.sent()), post.ordinary())
    reader.line.cut_at = b"BODY.PEEK" if kind is IMAP else b"TOP 1"
    assert reader.read().fault
    assert reader.row.fault
    assert reader.changed_nothing()
    assert len(reader.files()) == 2
    reader.line.cut_at = b""
    assert reader.read().fault == ""
    assert reader.row.fault == ""
    assert exactly_once(reader)
    assert len(reader.files()) == 1


def test_what_was_read_before_it_broke_is_kept(make_reader: MakeReader) -> None:
    reader = make_reader(POP3)
    reader.deliver(post.report(reader.sent()), post.ordinary())
    reader.line.cut_at = b"TOP 2"
    assert reader.read().fault
    assert exactly_once(reader)
    reader.line.cut_at = b""
    assert reader.read().read == 1
    assert exactly_once(reader)


@pytest.mark.parametrize("after", [AfterReading.DELETE, AfterReading.MOVE])
def test_imap_lost_before_the_mail_was_removed(make_reader: MakeReader, after: AfterReading) -> None:
    """The result is committed first; the next reading removes what is left, without reading it again."""
    reader = make_reader(IMAP, after, move_to="Done" if after is AfterReading.MOVE else "")
    make_folder(reader, "Done")
    reader.deliver(post.report(reader.sent()))
    reader.line.cut_at = b"UID STORE" if after is AfterReading.DELETE else b"UID MOVE"
    assert reader.read().fault
    assert exactly_once(reader)
    assert len(reader.files()) == 1
    assert [leaves for _, leaves in reader.remembered()] == [True]
    reader.line.cut_at = b""
    again = reader.read()
    assert (again.read, again.removed, again.fault) == (0, 1, "")
    assert exactly_once(reader)
    assert reader.files() == []
    assert reader.remembered() == []
    assert len(reader.files(".Done")) == (1 if after is AfterReading.MOVE else 0)


@pytest.mark.parametrize("after", list(AfterReading))
def test_imap_read_again_from_the_start(make_reader: MakeReader, after: AfterReading) -> None:
    reader = make_reader(IMAP, after, move_to="Done" if after is AfterReading.MOVE else "")
    make_folder(reader, "Done")
    bounce = post.report(reader.sent())
    reader.deliver(bounce, post.ordinary())
    reader.read()
    reader.deliver(bounce)
    reader.row.position = ""
    reader.host.session.commit()
    reader.read()
    assert exactly_once(reader)
    assert len(reader.files()) == (3 if after is AfterReading.LEAVE else 1)


def test_imap_uidvalidity_changes(make_reader: MakeReader) -> None:
    """All UIDs mean other mails then (RFC 3501, 2.3.1.1): everything is read again, and nothing counts twice."""
    reader = make_reader(IMAP, AfterReading.LEAVE)
    reader.deliver(post.report(reader.sent()), post.ordinary())
    reader.read()
    before = reader.row.position
    renumber(reader)
    second = reader.sent("2")
    reader.deliver(post.report(second))
    again = reader.read()
    assert again.read == 3
    assert again.states == {"matched": 1}
    assert reader.row.position.partition(":")[0] != before.partition(":")[0]
    assert reader.events() == [("bounce", "hard")] * 2
    assert reader.tallied() == {"bounce": 2}


def test_imap_renumbered_while_something_was_to_be_removed(make_reader: MakeReader) -> None:
    reader = make_reader(IMAP)
    reader.deliver(post.ordinary(), post.report(reader.sent()))
    reader.line.cut_at = b"UID STORE"
    reader.read()
    reader.line.cut_at = b""
    renumber(reader)
    reader.read()
    assert exactly_once(reader)
    assert len(reader.files()) == 1, "the report is gone, the ordinary mail is not"
    assert reader.remembered() == []


def test_only_what_is_new_is_fetched(make_reader: MakeReader) -> None:
    reader = make_reader(IMAP, AfterReading.LEAVE)
    reader.deliver(*(post.ordinary(str(number)) for number in range(20)))
    assert reader.read().read == 20
    assert reader.read().read == 0
    reader.deliver(post.report(reader.sent()))
    assert reader.read().read == 1


@pytest.mark.parametrize("kind", [IMAP, POP3])
def test_a_huge_mail_is_not_fetched_whole(make_reader: MakeReader, kind: MailboxKind) -> None:
    reader = make_reader(kind, AfterReading.LEAVE)
    bounce = post.report(reader.sent()).replace(b"--cut--", b"x" * 76 + b"\r\n" + b"y" * 76 + b"\r\n--cut--")
    padded = bounce.replace(b"y" * 76 + b"\r\n", (b"y" * 76 + b"\r\n") * 200_000)
    assert len(padded) > 15_000_000
    reader.deliver(padded)
    before = reader.line.received
    assert reader.read().states == {"matched": 1}
    assert reader.line.received - before < 2.5 * box.FETCHED
    assert exactly_once(reader)


def test_one_reads_at_a_time(make_reader: MakeReader, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = make_reader(POP3)
    reader.deliver(post.report(reader.sent()))
    monkeypatch.setattr(leases, "holder_name", lambda: "another process")
    assert leases.take(reader.host, mailboxes.origin_of(reader.mailbox_id), seconds=60)
    monkeypatch.undo()
    answer = reader.read()
    assert answer.busy
    assert reader.changed_nothing()


def test_a_reading_that_is_told_to_stop_leaves_the_rest_for_later(
    make_reader: MakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH", 2)
    reader = make_reader(IMAP)
    reader.deliver(*(post.report(reader.sent(str(number))) for number in range(1, 6)))
    stop = threading.Event()

    def stopping() -> bool:
        """After the first batch."""
        told, _ = stop.is_set(), stop.set()
        return told

    first = mailboxes.read_mailbox(reader.host, reader.mailbox_id, stopping=stopping)
    assert (first.read, first.more) == (2, True)
    assert len(reader.files()) == 3
    assert reader.read().read == 3
    assert len(reader.events()) == 5
    assert reader.files() == []


def make_folder(reader: Reader, name: str) -> None:
    """As a person does in their mail program."""
    top = maildir(reader.running.folder, reader.user)
    shutil.rmtree(top / f".{name}", ignore_errors=True)
    for part in ("new", "cur", "tmp"):
        (top / f".{name}" / part).mkdir(parents=True)
    for path in (top / f".{name}", *(top / f".{name}").iterdir()):
        shutil.chown(path, "nobody", "nogroup")


def renumber(reader: Reader) -> None:
    """What happens when a mailbox is restored from a backup, or moved to another server."""
    for path in maildir(reader.running.folder, reader.user).glob("dovecot*"):
        path.unlink()
