"""Mails that came in: read, tied to ours by our own tokens, kept, and acted upon. Mailboxes and imports enter."""

from massmail_plugin.feedback.received_mail.bounds import keep_within_bounds
from massmail_plugin.feedback.received_mail.incoming import Incoming, read_incoming
from massmail_plugin.feedback.received_mail.taking import Taken, take_mails

__all__ = ["Incoming", "Taken", "keep_within_bounds", "read_incoming", "take_mails"]
