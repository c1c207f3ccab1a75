"""Real mail servers where they are installed, a line to them that can be cut, and a host that reads from them."""

import smtplib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from flask import current_app
from sqlalchemy import select

from massmail_plugin.feedback import mailboxes
from massmail_plugin.feedback.mailboxes import MailboxDraft, Reading
from massmail_plugin.models import Mailbox, MailboxMail
from massmail_plugin.vocabulary import AfterReading, MailboxKind, Security
from realmail.dovecot import PASSWORD, maildir
from realmail.run import servers
from realmail.servers import MailServers
from sample_host.services.child_process import ServiceMissing
from tests.feedback.received_mail.conftest import Office
from tests.requirements import need
from tests.upkeep.small_host import small_host


@pytest.fixture(scope="session")
def running() -> Iterator[MailServers]:
    """Postfix and Dovecot of this test worker's own."""
    try:
        with servers() as started:
            yield started
    except ServiceMissing as missing:
        need("mailservers", str(missing))


class Line:
    """A wire to a server that passes everything on, until somebody says `cut_at`; then it is gone at once."""

    def __init__(self, port: int, cut_at: bytes = b"") -> None:
        self.cut_at = cut_at
        self.received = 0
        """Octets that came from the server."""
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                for one, other, cuts in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass_on, args=(one, other, cuts), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, cuts: bool) -> None:
        with suppress(OSError), source, target:
            while data := source.recv(65536):
                if cuts and self.cut_at and self.cut_at in data.upper():
                    break
                if not cuts:
                    self.received += len(data)
                target.sendall(data)
            for one in (source, target):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


class Reader(Office):
    """The host with a mailbox called "bounces" at the real server, or in a folder."""

    line: Line
    running: MailServers
    user = "bounces"
    mailbox_id: int

    def deliver(self, *mails: bytes) -> None:
        """Put mails into the mailbox, as a server does."""
        with smtplib.LMTP("127.0.0.1", self.running.ports.lmtp) as lmtp:
            for mail in mails:
                lmtp.sendmail("", [f"{self.user}@crm.test"], mail)

    def read(self) -> Reading:
        return mailboxes.read_mailbox(self.host, self.mailbox_id)

    @property
    def row(self) -> Mailbox:
        self.host.session.rollback()
        return self.host.session.get_one(Mailbox, self.mailbox_id)

    def remembered(self) -> list[tuple[str, bool]]:
        self.host.session.rollback()
        return [(uid, leaves) for uid, leaves in self.host.session.execute(select(MailboxMail.uid, MailboxMail.leaves))]

    def files(self, folder: str = "") -> list[str]:
        """Names of the mails that lie in the mailbox, or in another folder of its user."""
        top = maildir(self.running.folder, self.user)
        return sorted(path.name for part in ("new", "cur") for path in (top / folder / part).glob("*"))


MakeReader = Callable[..., Reader]


@pytest.fixture
def plain_office(database_url: str, tmp_path: Path) -> Iterator[Reader]:
    with small_host(database_url, tmp_path) as (_, host, clock, _):
        host = replace(host, config=replace(host.config, maildir_root=str(tmp_path / "mail")))
        current_app.extensions["massmail"] = host
        yield Reader(host, clock)


@pytest.fixture
def make_reader(plain_office: Reader, running: MailServers) -> Iterator[MakeReader]:
    """Sets the mailbox up: make_reader(MailboxKind.POP3, after=AfterReading.DELETE); the mailbox is empty."""
    lines = []

    def make(kind: MailboxKind, after: AfterReading = AfterReading.DELETE, move_to: str = "", **more: object) -> Reader:
        reader = plain_office
        reader.running = running
        for path in maildir(running.folder, reader.user).rglob("*"):
            if path.is_file() and path.parent.name in ("new", "cur"):
                path.unlink()
        port = running.ports.pop3 if kind is MailboxKind.POP3 else running.ports.imap
        reader.line = Line(port)
        lines.append(reader.line)
        values = {"security": Security.NONE, "username": reader.user, "secret": PASSWORD, "host": "127.0.0.1", **more}
        draft = MailboxDraft(name="bounces", kind=kind, port=reader.line.port, after=after, move_to=move_to, **values)  # type: ignore[arg-type]
        assert mailboxes.problems(reader.host, None, draft) == {}
        reader.mailbox_id = mailboxes.save(reader.host, None, draft).id
        reader.host.session.commit()
        return reader

    yield make
    for line in lines:
        line.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty Maildir."""
    return make_maildir(tmp_path / "mail" / "bounces")


def make_maildir(path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (path / name).mkdir(parents=True)
    return path


@pytest.fixture
def local(plain_office: Reader, folder: Path) -> Reader:
    """A host that reads the Maildir, and deletes what it may."""
    draft = MailboxDraft(name="bounces", kind=MailboxKind.MAILDIR, folder=str(folder), after=AfterReading.DELETE)
    assert mailboxes.problems(plain_office.host, None, draft) == {}
    plain_office.mailbox_id = mailboxes.save(plain_office.host, None, draft).id
    plain_office.host.session.commit()
    return plain_office
