"""Mailboxes as people set them up: what speaks against a draft, saving, trying out. Admin and CLI enter and commit."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from sqlalchemy import delete as delete_rows
from sqlalchemy import select

from massmail_plugin.contracts import Host, Stage
from massmail_plugin.errors import SecretUnreadable
from massmail_plugin.feedback.mailboxes.box import Box, MailboxAccount, MailboxFault
from massmail_plugin.feedback.mailboxes.maildir import maildir_below
from massmail_plugin.feedback.mailboxes.opening import opened
from massmail_plugin.feedback.mailboxes.reading import account_of
from massmail_plugin.models import Mailbox, MailboxMail
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import AfterReading, MailboxKind, Security

STAGES = ("connect", "login", "folder", "target")
ENTER_AGAIN = "Enter the password again: it is kept for the server it was entered for, and for no other."
_PLACE = ("kind", "host", "username", "folder")


@dataclass(frozen=True, kw_only=True)
class MailboxDraft:
    """What a person entered; the fields are those of models.Mailbox. A `secret` of None keeps what is stored."""

    name: str
    kind: str = MailboxKind.IMAP
    host: str = ""
    port: int = 993
    security: str = Security.TLS
    username: str = ""
    secret: str | None = field(default=None, repr=False)
    folder: str = "INBOX"
    after: str = AfterReading.LEAVE
    move_to: str = ""
    shared: bool = False
    active: bool = True


def problems(host: Host, mailbox: Mailbox | None, draft: MailboxDraft) -> dict[str, str]:
    """What keeps the draft from being saved, in words, by the field to change."""
    found = [*_name(host, mailbox, draft), *_server(host, mailbox, draft), *_folders(host, draft)]
    return dict(reversed(found))


def save(host: Host, mailbox: Mailbox | None, draft: MailboxDraft) -> Mailbox:
    """Keep a draft without problems. What was read at another place is forgotten: there, everything is new."""
    values = asdict(draft)
    if draft.secret is None:
        del values["secret"]
    row = mailbox or Mailbox(created_at=host.clock())
    moved = mailbox is not None and any(getattr(mailbox, name) != values[name] for name in _PLACE)
    for name, value in values.items():
        setattr(row, name, value)
    if moved:
        _forget(host, row)
    row.fault, row.read_at = "", None
    host.session.add(row)
    host.session.flush()
    return row


def delete(host: Host, mailbox: Mailbox) -> None:
    """Listen to it no more. What was read from it stays."""
    _forget(host, mailbox)
    host.session.delete(mailbox)
    host.session.flush()


def has_secret(host: Host, mailbox: Mailbox | None) -> bool:
    """Whether a password is stored; nothing is decrypted."""
    if mailbox is None:
        return False
    return bool(host.session.scalar(select(Mailbox.secret.is_not(None)).where(Mailbox.id == mailbox.id)))


def try_out(host: Host, mailbox: Mailbox) -> list[Stage]:
    """Open a mailbox step by step, up to the first step that fails. Nothing is read or changed there.

    Ends the transaction: the network is asked.
    """
    try:
        account = account_of(mailbox)
    except SecretUnreadable as error:
        return [Stage("login", False, str(error))]
    host.session.commit()
    try:
        with opened(account, maildir_root=host.config.maildir_root) as box:
            return list(_tried(account, box))
    except MailboxFault as fault:
        before = STAGES[: STAGES.index(fault.stage)] if account.kind != MailboxKind.MAILDIR else ()
        return [*(Stage(name, True, "") for name in before), Stage(fault.stage, False, str(fault))]


def _tried(account: MailboxAccount, box: Box) -> Iterator[Stage]:
    total = box.look("", (), 1).total
    if account.kind != MailboxKind.MAILDIR:
        yield Stage("connect", True, f"{account.host}, port {account.port}")
        yield Stage("login", True, f"as {account.username}")
    yield Stage("folder", True, f"{total:,} mails lie there.")
    box.check_target()
    if account.after is AfterReading.MOVE:
        yield Stage("target", True, account.move_to)


def _forget(host: Host, mailbox: Mailbox) -> None:
    mailbox.position = ""
    changed(host, delete_rows(MailboxMail).where(MailboxMail.mailbox_id == mailbox.id))


Problems = Iterator[tuple[str, str]]


def _name(host: Host, mailbox: Mailbox | None, draft: MailboxDraft) -> Problems:
    found = host.session.scalar(select(Mailbox.id).where(Mailbox.name == draft.name))
    if found is not None and (mailbox is None or found != mailbox.id):
        yield "name", f"There is a mailbox called “{draft.name}” already."
    if draft.kind not in list(MailboxKind):
        yield "kind", "Choose how it is read."


def _server(host: Host, mailbox: Mailbox | None, draft: MailboxDraft) -> Problems:
    if draft.kind == MailboxKind.MAILDIR:
        return
    if not draft.host:
        yield "host", "Enter the server's name, such as imap.example.org."
    if not 1 <= draft.port <= 65_535:
        yield "port", "A port is between 1 and 65535."
    if draft.security not in list(Security):
        yield "security", "Choose how the connection is protected."
    if not draft.username:
        yield "username", "Enter the user name of the mailbox."
    if draft.secret is None and not has_secret(host, mailbox):
        yield "secret", "Enter the password of the mailbox."
    elif draft.secret is None and mailbox is not None and _leaves(mailbox, draft):
        yield "secret", ENTER_AGAIN


def _leaves(mailbox: Mailbox, draft: MailboxDraft) -> bool:
    """True where a stored password would go to another server, or in clear: who changes that must know it."""
    in_clear = draft.security == Security.NONE and mailbox.security != Security.NONE
    return mailbox.host.lower() != draft.host.lower() or mailbox.port != draft.port or in_clear


def _folders(host: Host, draft: MailboxDraft) -> Problems:
    if draft.after not in list(AfterReading):
        yield "after", "Choose what becomes of reports that were read."
    moves = draft.after == AfterReading.MOVE
    if moves and draft.kind == MailboxKind.POP3:
        yield "after", "POP3 knows no folders to move mails to. Leave or delete them, or read by IMAP."
    elif moves and not draft.move_to:
        yield "move_to", "Enter the folder they are moved to."
    elif moves and draft.move_to == draft.folder:
        yield "move_to", "Enter another folder than the one that is read."
    if not draft.folder and draft.kind != MailboxKind.POP3:
        yield "folder", "Enter the folder, such as INBOX."
    elif draft.kind == MailboxKind.MAILDIR:
        yield from _maildirs(host, draft)


def _maildirs(host: Host, draft: MailboxDraft) -> Problems:
    named = {"folder": draft.folder} | ({"move_to": draft.move_to} if draft.after == AfterReading.MOVE else {})
    for name, folder in named.items():
        try:
            maildir_below(host.config.maildir_root, folder)
        except MailboxFault as fault:
            yield name, str(fault)
