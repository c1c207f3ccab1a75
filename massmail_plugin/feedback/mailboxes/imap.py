"""A mailbox over IMAP (RFC 3501). Opening enters; the database is not known here.

Mails are fetched with BODY.PEEK from a folder opened for reading only, so that no flag of anybody's mail changes.
"""

import base64
import imaplib
import io
import re
import ssl
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any, BinaryIO

from massmail_plugin.feedback.mailboxes.box import (
    FETCHED,
    TIMEOUT,
    Listing,
    MailboxAccount,
    MailboxFault,
    Waiting,
    words_of,
)
from massmail_plugin.vocabulary import AfterReading, Security

PAGE = 500
"""Mails listed by one command."""
_ITEM = re.compile(rb"^\d+ \(")
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_PLAIN = re.compile(r"[\x20-\x25\x27-\x7e]+|&")


class ImapBox:
    """An open folder. UIDs are written with the UIDVALIDITY they belong to, as "1700000000:42"."""

    def __init__(self, account: MailboxAccount, tls: ssl.SSLContext) -> None:
        """Connects, logs in and opens the folder; raises MailboxFault with the stage that failed."""
        self._account = account
        self._server = _connected(account, tls)
        try:
            _log_in(self._server, account)
            # Many servers tell all they can only to who is logged in.
            self._can = frozenset(word for line in self._ask("capability") for word in _flat(line).upper().split())
            self._validity, self._count = self._open(readonly=True)
        except BaseException:
            self.close()
            raise
        self._writes = False

    def _open(self, *, readonly: bool) -> tuple[str, int]:
        try:
            answer, data = self._server.select(_quoted(self._account.folder), readonly)
        except imaplib.IMAP4.error as error:
            raise MailboxFault("folder", f"The server did not open the folder: {words_of(error)}") from None
        if answer != "OK":
            raise MailboxFault("folder", f"The server has no folder “{self._account.folder}” for us: {_said(data)}")
        _, validity = self._server.response("UIDVALIDITY")
        _, following = self._server.response("UIDNEXT")
        self._next = int(_said(following) or 0)
        return _said(validity) or "0", int(_said(data) or 0)

    def look(self, position: str, known: Collection[str], most: int) -> Listing:
        """Mails after the UID in `position`; all of them where UIDVALIDITY is another one (RFC 3501, 2.3.1.1).

        A server may make a folder anew and keep UIDVALIDITY, as Dovecot does within one second. UIDs begin at 1 then:
        a UID that is yet to be given cannot be one we read.
        """
        validity, _, last = position.rpartition(":")
        after = int(last) if validity == self._validity and last.isdecimal() else 0
        if self._next and after >= self._next:
            after = 0
        waiting: list[Waiting] = []
        first = self._first_after(after)
        for start in range(first, self._count + 1, PAGE):
            for uid, size in self._listed(start, min(start + PAGE - 1, self._count)):
                if uid > after:
                    waiting.append(Waiting(f"{self._validity}:{uid}", size))
            if len(waiting) > most:
                break
        return Listing(waiting[:most], None, self._count, len(waiting) > most)

    def _first_after(self, uid: int) -> int:
        """The number of the first mail with a higher UID. UIDs rise with the numbers, and numbers have no gaps."""
        low, high = 1, self._count + 1
        while uid and low < high:
            middle = (low + high) // 2
            listed = self._listed(middle, middle)
            if not listed or listed[0][0] > uid:
                high = middle
            else:
                low = middle + 1
        return low

    def _listed(self, first: int, last: int) -> list[tuple[int, int]]:
        """(UID, size) of the mails with these numbers."""
        lines = self._ask("fetch", f"{first}:{last}", "(UID RFC822.SIZE)")
        found = []
        for line in lines:
            uid, size = _UID.search(_flat(line)), _SIZE.search(_flat(line))
            if uid and size:
                found.append((int(uid[1]), int(size[1])))
        return sorted(found)

    def fetch(self, waiting: Waiting) -> BinaryIO | None:
        """The first FETCHED bytes of a mail."""
        try:
            _, lines = self._server.uid("FETCH", _number(waiting.uid), f"(UID BODY.PEEK[]<0.{FETCHED}>)")
        except imaplib.IMAP4.error as error:
            raise MailboxFault("folder", f"The mail server broke off: {words_of(error)}") from None
        return next((io.BytesIO(line[1]) for line in lines if isinstance(line, tuple)), None)

    def position(self, read: Sequence[Waiting]) -> str:
        """UIDVALIDITY and the last UID read."""
        return read[-1].uid if read else ""

    def remove(self, uids: Collection[str]) -> Collection[str]:
        """Move (RFC 6851) or delete what carries our UIDVALIDITY; UIDs of another one mean nothing any more."""
        mine = [uid for uid in uids if uid.rpartition(":")[0] == self._validity]
        if mine and not self._writes:
            validity, _ = self._open(readonly=False)
            self._writes = True
            if validity != self._validity:
                raise MailboxFault("folder", "The folder was made anew while it was read. It is read again.")
        if mine:
            self._remove(",".join(map(_number, mine)))
        return list(uids)

    def _remove(self, numbers: str) -> None:
        moves = self._account.after is AfterReading.MOVE
        target = _quoted(self._account.move_to)
        if moves and b"MOVE" in self._can:
            self._ask("uid", "MOVE", numbers, target)
            return
        if moves:
            self._ask("uid", "COPY", numbers, target)
        self._ask("uid", "STORE", numbers, "+FLAGS.SILENT", r"(\Deleted)")
        # Without UIDPLUS (RFC 4315), EXPUNGE would also remove what somebody else has marked.
        if b"UIDPLUS" in self._can:
            self._ask("uid", "EXPUNGE", numbers)

    def check_target(self) -> None:
        """The folder to move to must be there."""
        if self._account.after is AfterReading.MOVE:
            answer, lines = self._server.status(_quoted(self._account.move_to), "(MESSAGES)")
            if answer != "OK":
                words = f"The server has no folder “{self._account.move_to}” to move mails to: {_said(lines)}"
                raise MailboxFault("target", words)

    def close(self) -> None:
        """LOGOUT, and never CLOSE, which expunges."""
        with suppress(imaplib.IMAP4.error, OSError):
            self._server.logout()

    def _ask(self, name: str, *given: str) -> list[Any]:
        try:
            answer, lines = getattr(self._server, name)(*given)
        except imaplib.IMAP4.error as error:
            raise MailboxFault("folder", f"The mail server broke off: {words_of(error)}") from None
        if answer != "OK":
            raise MailboxFault("folder", f"The mail server refused {' '.join(given[:1])}: {_said(lines)}")
        return [line for line in lines if line is not None]


def _connected(account: MailboxAccount, tls: ssl.SSLContext) -> imaplib.IMAP4:
    try:
        if account.security == Security.TLS:
            return imaplib.IMAP4_SSL(account.host, account.port, ssl_context=tls, timeout=TIMEOUT)
        server = imaplib.IMAP4(account.host, account.port, timeout=TIMEOUT)
        if account.security == Security.STARTTLS:
            server.starttls(tls)
        return server
    except (OSError, imaplib.IMAP4.error) as error:
        raise MailboxFault("connect", f"{account.host}, port {account.port}: {words_of(error)}") from None


def _log_in(server: imaplib.IMAP4, account: MailboxAccount) -> None:
    """By AUTHENTICATE PLAIN (RFC 4616), which knows every character, where the server offers it."""
    try:
        if "AUTH=PLAIN" in server.capabilities:
            proof = f"\0{account.username}\0{account.secret}".encode()
            server.authenticate("PLAIN", lambda challenge: proof)
        else:
            server.login(account.username, account.secret)
    except UnicodeEncodeError:
        raise MailboxFault("login", "This server takes only a user name and password of plain letters.") from None
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailboxFault("login", f"The server refused the login: {words_of(error)}") from None


def _quoted(folder: str) -> str:
    """A folder's name in modified UTF-7 (RFC 3501, 5.1.3) and quotes."""
    encoded = "".join("&-" if part == "&" else part if plain else _utf7(part) for part, plain in _runs(folder))
    return '"' + encoded.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _runs(text: str) -> Iterable[tuple[str, bool]]:
    end = 0
    for found in _PLAIN.finditer(text):
        if found.start() > end:
            yield text[end : found.start()], False
        yield found[0], True
        end = found.end()
    if end < len(text):
        yield text[end:], False


def _utf7(text: str) -> str:
    return "&" + base64.b64encode(text.encode("utf-16-be")).decode("ascii").rstrip("=").replace("/", ",") + "-"


def _number(uid: str) -> str:
    return uid.rpartition(":")[2]


def _flat(line: Any) -> bytes:
    return b" ".join(part for part in line if isinstance(part, bytes)) if isinstance(line, tuple) else bytes(line)


def _said(lines: Sequence[Any]) -> str:
    return " ".join(_flat(line).decode("utf-8", "replace") for line in lines if line is not None)[:300]
