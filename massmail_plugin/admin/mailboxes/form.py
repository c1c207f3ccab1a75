"""The form of a mailbox: its fields, and the draft that comes out. Views enter; no commits."""

from dataclasses import fields

from wtforms import BooleanField, PasswordField, RadioField
from wtforms.validators import NumberRange, Optional

from massmail_plugin.admin.frame.forms import ScreenForm, choice, filled, text
from massmail_plugin.admin.senders.forms import Count
from massmail_plugin.feedback.mailboxes import MailboxDraft
from massmail_plugin.models import Mailbox
from massmail_plugin.vocabulary import AfterReading, MailboxKind, Security

KINDS = {
    MailboxKind.IMAP: "IMAP (usually port 993)",
    MailboxKind.POP3: "POP3 (usually port 995)",
    MailboxKind.MAILDIR: "Maildir, a folder on this machine",
}
SECURITIES = {
    Security.TLS: "TLS from the start",
    Security.STARTTLS: "STARTTLS",
    Security.NONE: "None (only inside your own network)",
}
AFTER = {
    AfterReading.LEAVE: "They stay where they are.",
    AfterReading.MOVE: "They are moved to another folder (not by POP3).",
    AfterReading.DELETE: "They are deleted.",
}
STORED = "One is stored and never shown. Left empty, it is kept."
NOT_KEPT = "Enter it again: what you typed is not kept in a page that comes back."


class MailboxForm(ScreenForm):
    """The stored password never comes back out of it."""

    name = text("Name", required="Give the mailbox a name.", help="How your colleagues find it in lists.")
    kind = choice("Read by")
    host = text("Server", longest=255)
    port = Count("Port", [Optional(), NumberRange(1, 65_535, "A port is between 1 and 65535.")])
    security = choice("Security", [(one.value, words) for one, words in SECURITIES.items()])
    username = text("User name", longest=255)
    secret = PasswordField("Password")
    folder = text("Folder", longest=500, help="INBOX for most mailboxes; POP3 has no folders.")
    after = RadioField("Reports about your mails, once they are read", choices=[(k.value, w) for k, w in AFTER.items()])
    move_to = text("Move to folder", longest=255, help="It must be there already.")
    shared = BooleanField(
        "People get other mail there too",
        description="Then mail that is none of yours is not even listed here. Nothing of it is ever changed.",
    )
    active = BooleanField("Read it")


def mailbox_form(mailbox: Mailbox | None, *, maildirs: bool) -> MailboxForm:
    """The form as it was posted; before that with the values of `mailbox`, or those of a new one."""
    new = MailboxDraft(name="")
    # The stored password is not even read: a key that is lost must not keep anybody from entering it anew.
    shown = [entry.name for entry in fields(MailboxDraft) if entry.name != "secret"]
    form = filled(MailboxForm, None, **{name: getattr(mailbox or new, name) for name in shown})
    kinds = [kind for kind in KINDS if maildirs or kind is not MailboxKind.MAILDIR]
    form.kind.choices = [(kind.value, KINDS[kind]) for kind in kinds]
    return form


def draft_of(form: MailboxForm) -> MailboxDraft:
    """What was entered; an empty password keeps the stored one."""
    values = {entry.name: form[entry.name].data for entry in fields(MailboxDraft)}
    return MailboxDraft(**{**values, "secret": form.secret.data or None, "port": form.port.data or 0})
