"""Checks of what is heard: mailboxes are read, providers are understood, and somebody tells what became of the mails.

The doctor enters; reads only.
"""

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


def opting_out(host: Host) -> Iterator[Check]:
    """An address to opt out by mail is left out of mails while no mailbox is in use."""
    asked = exists().where(Sender.opt_out_address != "")
    if host.session.scalar(select(asked)) and not host.session.scalar(select(exists().where(Mailbox.active))):
        yield warning(
            "opting out by mail",
            "A sender has an address for it, but no mailbox is read, so the mails do not name it.",
            "Add the mailbox of that address under Mailboxes.",
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


# --- Event feeds ----------------------------------------------------------------------------------------------


def feeds(host: Host) -> Iterator[Check]:
    """Every event feed in use was understood when it last spoke."""
    for feed in host.session.scalars(select(EventFeed).where(EventFeed.active).order_by(EventFeed.name)):
        name = f"event feed “{feed.name}”"
        if feed.fault:
            what = f"Its last request was refused: {feed.fault}"
            yield warning(name, what, "Compare its signing key, under Event feeds, with the provider's.")
        elif feed.exchanges and feed.exchange_fault:
            what = f"The provider's own list could not be exchanged: {feed.exchange_fault}"
            yield warning(name, what, "Its page under Event feeds holds the account and the key for that.")
        else:
            yield ok(name, f"Last heard {feed.heard_at:%Y-%m-%d %H:%M} UTC." if feed.heard_at else "Nothing came yet.")
