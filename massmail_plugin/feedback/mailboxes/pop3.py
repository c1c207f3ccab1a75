"""A mailbox over POP3 (RFC 1939). Opening enters; the database is not known here.

Deletions count only once QUIT was answered: until then nothing is forgotten of what was to be deleted.
"""

import poplib
import ssl
import tempfile
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import BinaryIO

from massmail_plugin.feedback.mailboxes.box import (
    FETCHED,
    TIMEOUT,
    Listing,
    MailboxAccount,
    MailboxFault,
    Waiting,
    words_of,
)
from massmail_plugin.vocabulary import Security

LINES = FETCHED // 60
"""Lines fetched of a mail beside its headers."""
_LONGEST_LINE = 64 * 1024
_IN_MEMORY = 256 * 1024


class Pop3Box:
    """An open maildrop. Its UIDs are what UIDL says; POP3 knows no folders, and nothing to move mails to."""

    def __init__(self, account: MailboxAccount, tls: ssl.SSLContext) -> None:
        """Connects and logs in; raises MailboxFault with the stage that failed."""
        self._server = _connected(account, tls)
        self._numbers: dict[str, int] = {}
        try:
            self._server.user(account.username)
            self._server.pass_(account.secret)
        except (poplib.error_proto, OSError, UnicodeError) as error:
            self.close()
            raise MailboxFault("login", f"The server refused the login: {words_of(error)}") from None

    def look(self, position: str, known: Collection[str], most: int) -> Listing:
        """Mails whose UIDL is not known."""
        try:
            _, uids, _ = self._server.uidl()
            _, sizes, _ = self._server.list()
        except poplib.error_proto as error:
            raise MailboxFault(
                "folder", f"The server does not say which mail is which (UIDL), so none can be read: {words_of(error)}"
            ) from None
        pairs = (line.split(maxsplit=1) for line in uids)
        self._numbers = {uid.decode("utf-8", "replace")[:255]: int(number) for number, uid in pairs}
        size = {int(line.split()[0]): int(line.split()[1]) for line in sizes}
        new = [Waiting(uid, size.get(number, 0)) for uid, number in self._numbers.items() if uid not in known]
        return Listing(new[:most], frozenset(self._numbers), len(self._numbers), len(new) > most)

    def fetch(self, waiting: Waiting) -> BinaryIO | None:
        """The mail, or the beginning of a large one; None where the server will not give it.

        By TOP, which servers that share the mailbox with IMAP do not take for reading, as they do RETR.
        """
        number = self._numbers[waiting.uid]
        for command in (f"TOP {number} {LINES}", f"RETR {number}"):
            try:
                return self._server.into_file(command)
            except poplib.error_proto as error:
                if "EOF" in str(error):
                    raise MailboxFault("folder", "The mail server broke off the connection.") from None
        return None

    def position(self, read: Sequence[Waiting]) -> str:
        """Nothing: the mails themselves are remembered."""
        return ""

    def remove(self, uids: Collection[str]) -> Collection[str]:
        """Mark as deleted. None of them is surely gone: the next look tells."""
        for uid in uids:
            with suppress(poplib.error_proto, KeyError):
                self._server.dele(self._numbers[uid])
        return ()

    def check_target(self) -> None:
        """There is none."""

    def close(self) -> None:
        """QUIT, by which the deletions happen."""
        with suppress(poplib.error_proto, OSError):
            self._server.quit()


class _Fetching(poplib.POP3):
    """Takes long lines and large mails, which the standard library's own reading refuses or keeps in memory."""

    def into_file(self, command: str) -> BinaryIO:
        """Send a command with a long answer, and give the answer as a file, at most 2 x FETCHED bytes of it."""
        self._shortcmd(command)  # type: ignore[attr-defined]
        file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        fresh = True
        while True:
            line = self.file.readline(_LONGEST_LINE)
            if not line:
                raise poplib.error_proto("-ERR EOF")
            if fresh and line in (b".\r\n", b".\n"):
                file.seek(0)
                return file  # type: ignore[return-value]
            if file.tell() < 2 * FETCHED:
                file.write(line[1:] if fresh and line.startswith(b"..") else line)
            fresh = line.endswith(b"\n")


class _FetchingTls(_Fetching, poplib.POP3_SSL):
    """The same, with TLS from the start."""


def _connected(account: MailboxAccount, tls: ssl.SSLContext) -> _Fetching:
    try:
        if account.security == Security.TLS:
            return _FetchingTls(account.host, account.port, context=tls, timeout=TIMEOUT)
        server = _Fetching(account.host, account.port, timeout=TIMEOUT)
        if account.security == Security.STARTTLS:
            server.stls(tls)
        return server
    except (OSError, poplib.error_proto) as error:
        raise MailboxFault("connect", f"{account.host}, port {account.port}: {words_of(error)}") from None
