"""Opens a mailbox by its kind. Reading and the mailbox's test enter; the database is not known here."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from massmail_plugin.feedback.mailboxes.box import Box, MailboxAccount, MailboxFault, words_of
from massmail_plugin.feedback.mailboxes.imap import ImapBox
from massmail_plugin.feedback.mailboxes.maildir import MaildirBox
from massmail_plugin.feedback.mailboxes.pop3 import Pop3Box
from massmail_plugin.vocabulary import MailboxKind


@contextmanager
def opened(account: MailboxAccount, *, maildir_root: str) -> Iterator[Box]:
    """The mailbox, left in good order afterwards. Whatever goes wrong with it is a MailboxFault."""
    try:
        box = _open(account, maildir_root)
        try:
            yield box
        finally:
            box.close()
    except OSError as error:
        raise MailboxFault("folder", f"Reading broke off: {words_of(error)}") from error


def _open(account: MailboxAccount, maildir_root: str) -> Box:
    if account.kind == MailboxKind.MAILDIR:
        return MaildirBox(account, maildir_root)
    tls = ssl.create_default_context()
    return Pop3Box(account, tls) if account.kind == MailboxKind.POP3 else ImapBox(account, tls)
