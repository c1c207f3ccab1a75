"""Checks of what is heard: mailboxes are read, and somebody tells what became of the mails. The doctor enters."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import exists, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import EventFeed, Mailbox, Sender
from massmail_plugin.upkeep.check import Check, ok, warning

LONG_UNREAD = timedelta(minutes=30)


def mailboxes(host: Host) -> Iterator[Check]:
    """Every mailbox in use was read lately; where there is none, a provider has to tell of bounces."""
    found = host.session.scalars(select(Mailbox).where(Mailbox.active).order_by(Mailbox.name)).all()
    if found:
        yield from (_of(host, mailbox) for mailbox in found)
    elif host.session.scalar(select(exists().where(Sender.id > 0))) and not _has_feed(host):
        yield warning(
            "mailboxes",
            "Nobody hears of bounces and complaints, so mail goes to dead addresses again and again.",
            "Add the mailbox they come to under Mailboxes, or a provider's event feed.",
        )


def _has_feed(host: Host) -> bool:
    return bool(host.session.scalar(select(exists().where(EventFeed.active))))


def _of(host: Host, mailbox: Mailbox) -> Check:
    name, read_at = f"mailbox “{mailbox.name}”", mailbox.read_at
    if mailbox.fault:
        return warning(name, f"It could not be read: {mailbox.fault}", "Its page under Mailboxes has a test.")
    if host.clock() - (read_at or mailbox.created_at) > LONG_UNREAD:
        since = f"since {read_at:%Y-%m-%d %H:%M} UTC" if read_at else "yet"
        return warning(name, f"It was not read {since}.", "Start the scheduler and a worker: flask massmail worker.")
    return ok(name, f"Last read {read_at:%Y-%m-%d %H:%M} UTC." if read_at else "It is about to be read.")
