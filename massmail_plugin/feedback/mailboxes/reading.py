"""One reading of a mailbox: fetch, keep, commit, and only then move or delete. Jobs and the command line enter.

Commits by itself, batch by batch; no transaction is open while a mail server is asked.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

from sqlalchemy import and_, delete, or_, select, update

from massmail_plugin import leases
from massmail_plugin.contracts import Host
from massmail_plugin.errors import SecretUnreadable
from massmail_plugin.feedback.mailboxes.box import Box, MailboxAccount, MailboxFault, Waiting
from massmail_plugin.feedback.mailboxes.opening import opened
from massmail_plugin.feedback.received_mail import Incoming, Taken, read_incoming, take_mails
from massmail_plugin.models import Mailbox, MailboxMail
from massmail_plugin.portable_sql import changed, insert_new, one_of
from massmail_plugin.vocabulary import AfterReading, MailboxKind, ReceivedState

log = logging.getLogger(__name__)

BATCH = 50
"""Mails of one transaction."""
MOST = 5_000
"""Mails of one reading; the rest is read in the next one."""
SECONDS = 30.0
"""How long one reading goes on to take new mails."""
_LEASE_SECONDS = 300
FAULTY = 10
"""Times as long until a mailbox that could not be read is tried again: its server keeps a worker waiting."""


@dataclass
class Reading:
    """What one reading of a mailbox brought: mails by state, and by kind where they are of ours."""

    mailbox: str
    read: int = 0
    states: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    removed: int = 0
    more: bool = False
    """Whether there are mails left to read at once."""
    busy: bool = False
    """Somebody else reads it at this moment."""
    fault: str = ""

    def add(self, taken: Sequence[Taken]) -> None:
        for one in taken:
            self.read += 1
            if one.state is not None and not one.repeated:
                self.states[one.state.value] += 1
                if one.state is ReceivedState.MATCHED:
                    self.kinds[one.kind] += 1


def due(host: Host) -> list[int]:
    """The mailboxes whose turn it is, the longest unread first.

    One with a fault is tried less often.
    """
    now, wait = host.clock(), timedelta(seconds=host.config.mailbox_seconds)
    sound = and_(Mailbox.fault == "", Mailbox.read_at <= now - wait)
    late = or_(Mailbox.read_at.is_(None), sound, Mailbox.read_at <= now - FAULTY * wait)
    return list(host.session.scalars(select(Mailbox.id).where(Mailbox.active, late).order_by(Mailbox.read_at)))


def origin_of(mailbox_id: int) -> str:
    """How rows of received mails name a mailbox."""
    return f"mailbox:{mailbox_id}"


def read_mailbox(host: Host, mailbox_id: int, *, stopping: Callable[[], bool] = lambda: False) -> Reading:
    """Read what is new in a mailbox. What keeps it from being read stands in its row and in the answer."""
    mailbox = host.session.get_one(Mailbox, mailbox_id)
    reading = Reading(mailbox.name)
    lease = origin_of(mailbox_id)
    if not leases.take(host, lease, seconds=_LEASE_SECONDS):
        reading.busy = True
        return reading
    try:
        _Round(host, mailbox, reading, stopping).go()
    except (MailboxFault, SecretUnreadable) as error:
        host.session.rollback()
        reading.fault = str(error)
        log.warning("The mailbox “%s” could not be read: %s", reading.mailbox, reading.fault)
    finally:
        _note(host, mailbox_id, reading)
        leases.give_back(host, lease)
    return reading


def _note(host: Host, mailbox_id: int, reading: Reading) -> None:
    host.session.rollback()
    values = {"read_at": host.clock(), "fault": reading.fault}
    changed(host, update(Mailbox).where(Mailbox.id == mailbox_id).values(values))
    host.session.commit()


def account_of(mailbox: Mailbox) -> MailboxAccount:
    """Raises SecretUnreadable."""
    return MailboxAccount(
        kind=mailbox.kind,
        host=mailbox.host,
        port=mailbox.port,
        security=mailbox.security,
        username=mailbox.username,
        secret=mailbox.secret or "",
        folder=mailbox.folder,
        after=AfterReading(mailbox.after),
        move_to=mailbox.move_to,
    )


class _Round:
    """One reading under way."""

    def __init__(self, host: Host, mailbox: Mailbox, reading: Reading, stopping: Callable[[], bool]) -> None:
        self._host, self._id, self._reading, self._stopping = host, mailbox.id, reading, stopping
        self._account = account_of(mailbox)
        self._shared, self._position = mailbox.shared, mailbox.position
        remembered = select(MailboxMail.uid, MailboxMail.leaves).where(MailboxMail.mailbox_id == mailbox.id)
        self._known: Mapping[str, bool] = dict(host.session.execute(remembered).all())
        self._until = monotonic() + SECONDS

    def go(self) -> None:
        """Read until nothing is left, or it is enough for one time."""
        self._host.session.commit()
        with opened(self._account, maildir_root=self._host.config.maildir_root) as box:
            listing = box.look(self._position, self._known.keys(), MOST)
            self._forget_absent(listing.present)
            self._remove(box, [uid for uid, leaves in self._known.items() if leaves])
            for batch in _batches(listing.waiting):
                if self._stopping() or monotonic() > self._until:
                    self._reading.more = True
                    return
                self._take(box, batch, remembers_all=listing.present is not None)
            self._reading.more = listing.more

    def _take(self, box: Box, batch: Sequence[Waiting], *, remembers_all: bool) -> None:
        """Fetch, keep and commit some mails; then move or delete those that may be."""
        fetched, broken = _fetched(box, batch)
        taken = take_mails(
            self._host, origin_of(self._id), [mail for _, mail in fetched if mail is not None], shared=self._shared
        )
        self._reading.add(taken)
        became = iter(taken)
        leaves = {one.uid: next(became).leaves and self._removes for one, mail in fetched if mail is not None}
        self._remember({uid: leaving for uid, leaving in leaves.items() if leaving or remembers_all})
        position = box.position([one for one, _ in fetched])
        if position:
            changed(self._host, update(Mailbox).where(Mailbox.id == self._id).values(position=position))
        self._host.session.commit()
        if broken is not None:
            raise broken
        leases.take(self._host, origin_of(self._id), seconds=_LEASE_SECONDS)
        self._remove(box, [uid for uid, leaving in leaves.items() if leaving])

    @property
    def _removes(self) -> bool:
        """POP3 has nothing to move to."""
        moves = self._account.after is AfterReading.MOVE and self._account.kind != MailboxKind.POP3
        return moves or self._account.after is AfterReading.DELETE

    def _remember(self, mails: Mapping[str, bool]) -> None:
        rows = [{"mailbox_id": self._id, "uid": uid, "leaves": leaves} for uid, leaves in mails.items()]
        if rows:
            changed(self._host, insert_new(self._host, MailboxMail).values(rows))

    def _forget_absent(self, present: Collection[str] | None) -> None:
        if present is not None:
            self._forget([uid for uid in self._known if uid not in present])

    def _forget(self, uids: Collection[str]) -> None:
        if uids:
            gone = (MailboxMail.mailbox_id == self._id, one_of(MailboxMail.uid, list(uids)))
            changed(self._host, delete(MailboxMail).where(*gone))
        self._host.session.commit()

    def _remove(self, box: Box, uids: Collection[str]) -> None:
        """What cannot be removed now is remembered, and keeps no other mail from being read."""
        if not uids or self._reading.fault:
            return
        try:
            self._forget(box.remove(uids))
            self._reading.removed += len(uids)
        except MailboxFault as fault:
            self._reading.fault = str(fault)


def _batches(waiting: Sequence[Waiting]) -> Iterator[Sequence[Waiting]]:
    return (waiting[start : start + BATCH] for start in range(0, len(waiting), BATCH))


def _fetched(box: Box, batch: Sequence[Waiting]) -> tuple[list[tuple[Waiting, Incoming | None]], Exception | None]:
    """Mails with what was read of them, None where one is gone; and why it broke off, if it did."""
    fetched: list[tuple[Waiting, Incoming | None]] = []
    for one in batch:
        try:
            stream = box.fetch(one)
        except (MailboxFault, OSError) as fault:
            return fetched, fault
        fetched.append((one, None if stream is None else read_incoming(stream, one.size)))
    return fetched, None
