"""Mailboxes that bounces, complaints and replies come to: IMAP, POP3 and Maildir. Jobs, admin and CLI enter."""

from massmail_plugin.feedback.mailboxes.box import MailboxFault
from massmail_plugin.feedback.mailboxes.reading import Reading, due, origin_of, read_mailbox
from massmail_plugin.feedback.mailboxes.settings import (
    MailboxDraft,
    delete,
    has_secret,
    problems,
    save,
    try_out,
)

__all__ = [
    "MailboxDraft",
    "MailboxFault",
    "Reading",
    "delete",
    "due",
    "has_secret",
    "origin_of",
    "problems",
    "read_mailbox",
    "save",
    "try_out",
]
