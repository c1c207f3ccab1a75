"""Setting a mailbox up: what is refused, what its test says, and where a stored password never goes."""

from dataclasses import replace

import pytest

from massmail_plugin.feedback import mailboxes
from massmail_plugin.feedback.mailboxes import MailboxDraft
from massmail_plugin.models import Mailbox
from massmail_plugin.vocabulary import AfterReading, MailboxKind, Security
from realmail.dovecot import PASSWORD
from realmail.servers import MailServers
from tests.feedback import post
from tests.feedback.mailboxes.conftest import MakeReader, Reader

pytestmark = pytest.mark.xdist_group("mailservers")
DRAFT = MailboxDraft(name="bounces", host="imap.example.org", username="bounces", secret="a secret")


def saved(reader: Reader, draft: MailboxDraft = DRAFT) -> Mailbox:
    mailbox = mailboxes.save(reader.host, None, draft)
    reader.host.session.commit()
    return mailbox


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"host": ""}, "host"),
        ({"port": 0}, "port"),
        ({"username": ""}, "username"),
        ({"secret": None}, "secret"),
        ({"folder": ""}, "folder"),
        ({"after": AfterReading.MOVE}, "move_to"),
        ({"after": AfterReading.MOVE, "move_to": "INBOX"}, "move_to"),
        ({"kind": MailboxKind.POP3, "after": AfterReading.MOVE, "move_to": "Done"}, "after"),
        ({"security": "perhaps"}, "security"),
        ({"after": "burn"}, "after"),
        ({"kind": "fax"}, "kind"),
    ],
)
def test_a_draft_with_a_problem(plain_office: Reader, changed: dict[str, object], field: str) -> None:
    assert list(mailboxes.problems(plain_office.host, None, replace(DRAFT, **changed))) == [field]  # type: ignore[arg-type]


def test_two_mailboxes_of_one_name(plain_office: Reader) -> None:
    mailbox = saved(plain_office)
    assert list(mailboxes.problems(plain_office.host, None, DRAFT)) == ["name"]
    assert mailboxes.problems(plain_office.host, mailbox, DRAFT) == {}


@pytest.mark.parametrize("changed", [{"host": "evil.example"}, {"port": 143}, {"security": Security.NONE}])
def test_a_stored_password_goes_to_no_other_server(plain_office: Reader, changed: dict[str, object]) -> None:
    mailbox = saved(plain_office)
    draft = replace(DRAFT, secret=None, **changed)  # type: ignore[arg-type]
    assert "Enter the password again" in mailboxes.problems(plain_office.host, mailbox, draft)["secret"]
    assert mailboxes.problems(plain_office.host, mailbox, replace(DRAFT, secret=None)) == {}


def test_at_another_place_everything_is_new(make_reader: MakeReader) -> None:
    reader = make_reader(MailboxKind.POP3, AfterReading.LEAVE)
    reader.deliver(post.ordinary())
    reader.read()
    assert reader.remembered()
    draft = replace(DRAFT, kind=MailboxKind.POP3, username="somebody", host="127.0.0.1")
    mailboxes.save(reader.host, reader.row, draft)
    reader.host.session.commit()
    assert reader.remembered() == []


def test_deleting_keeps_what_was_read(make_reader: MakeReader) -> None:
    reader = make_reader(MailboxKind.POP3, AfterReading.LEAVE)
    reader.deliver(post.report(reader.sent()))
    reader.read()
    mailboxes.delete(reader.host, reader.row)
    reader.host.session.commit()
    assert reader.remembered() == []
    assert reader.received() == {("matched", "bounce"): 1}
    assert reader.events() == [("bounce", "hard")]


@pytest.mark.parametrize("kind", [MailboxKind.IMAP, MailboxKind.POP3])
def test_the_test_names_the_step_that_fails(make_reader: MakeReader, kind: MailboxKind) -> None:
    reader = make_reader(kind)
    good = mailboxes.try_out(reader.host, reader.row)
    assert [(stage.name, stage.ok) for stage in good] == [("connect", True), ("login", True), ("folder", True)]
    reader.row.secret = "wrong"
    assert first_fault(reader) == "login"
    reader.row.secret = "wrong \u4e16"
    assert first_fault(reader) == "login"
    row = reader.row
    row.secret, row.port = PASSWORD, 9
    assert first_fault(reader) == "connect"


def test_a_folder_that_is_not_there(make_reader: MakeReader) -> None:
    reader = make_reader(MailboxKind.IMAP)
    reader.row.folder = "Bürö & Söhne"
    assert first_fault(reader) == "folder"
    row = reader.row
    row.folder, row.after, row.move_to = "INBOX", AfterReading.MOVE, "Nowhere"
    assert first_fault(reader) == "target"
    assert "Nowhere" in mailboxes.try_out(reader.host, reader.row)[-1].detail


def test_a_server_nobody_vouches_for_gets_no_password(
    make_reader: MakeReader, running: MailServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = make_reader(MailboxKind.IMAP)
    monkeypatch.delenv("SSL_CERT_FILE")
    for kind, security, port in (
        (MailboxKind.IMAP, Security.TLS, running.ports.imaps),
        (MailboxKind.IMAP, Security.STARTTLS, running.ports.imap),
        (MailboxKind.POP3, Security.TLS, running.ports.pop3s),
        (MailboxKind.POP3, Security.STARTTLS, running.ports.pop3),
    ):
        row = reader.row
        row.kind, row.security, row.port = kind, security, port
        assert first_fault(reader) == "connect"


def test_a_password_that_no_key_opens_is_said_in_words(make_reader: MakeReader) -> None:
    reader = make_reader(MailboxKind.IMAP)
    reader.host.session.execute(Mailbox.__table__.update().values(secret=None))
    reader.host.session.connection().exec_driver_sql("UPDATE massmail_mailbox SET secret = 'nonsense'")
    reader.host.session.commit()
    assert "cannot be read" in reader.read().fault
    assert first_fault(reader) == "login"


def first_fault(reader: Reader) -> str:
    reader.host.session.commit()
    stages = mailboxes.try_out(reader.host, reader.row)
    return next((stage.name for stage in stages if not stage.ok), "")
