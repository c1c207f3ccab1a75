"""Addresses whose mail could not be delivered again and again. Feedback and sending enter; nothing is committed.

Counted are mails, in a window of days; a sign that mail arrives there begins the count anew.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select

from massmail_plugin.consent.addresses import normalised
from massmail_plugin.contracts import Host
from massmail_plugin.models import Event, OutboxMessage
from massmail_plugin.portable_sql import one_of
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import NOBODY, EventKind, MessageState

COUNTING = frozenset({Meaning.SOFT.value, Meaning.FULL.value})
"""Meanings that speak of the mailbox. A block or a fault of the sender says nothing about it."""

QUIET = timedelta(days=5)
"""Servers try for so long (RFC 5321, 4.5.4.1): a mail of which nothing bad was heard since then has arrived."""

_LIFE = (EventKind.DELIVERED, EventKind.OPEN, EventKind.CLICK, EventKind.REPLY)
_TROUBLE = (EventKind.BOUNCE, EventKind.DELAY)

_Place = tuple[str, str, str]


def worn_out(host: Host, bouncing: Sequence[OutboxMessage]) -> set[int]:
    """Of mails that come back now with a temporary failure, those whose address had its last one.

    That is so from `MASSMAIL_SOFT_BOUNCES` mails within `MASSMAIL_SOFT_BOUNCE_DAYS` on, since the last success. Three
    queries whatever the number. Addresses of nobody we know are not counted.
    """
    limit = host.config.soft_bounces
    bouncing = [message for message in bouncing if message.contact_key != NOBODY]
    if not bouncing or limit < 1:
        return set()
    now = host.clock()
    mails = _mails(host, bouncing, now - timedelta(days=host.config.soft_bounce_days))
    events = _events(host, mails)
    histories: dict[_Place, _History] = {}
    for mail in mails.values():
        histories.setdefault(_place(mail), _History()).add(mail, events.get(mail.id, ()), now)
    for message in bouncing:
        histories.setdefault(_place(message), _History()).bounced[message.id] = now
    return {message.id for message in bouncing if histories[_place(message)].count() >= limit}


def _place(message: OutboxMessage) -> _Place:
    return message.contact_source, message.contact_key, normalised(message.address)


class _History:
    """What became of the mails to one address of one contact."""

    def __init__(self) -> None:
        self.bounced: dict[int, datetime] = {}
        """Mail -> when it came back."""
        self.arrived: datetime | None = None
        """The last time that mail is known to have arrived."""

    def add(self, mail: OutboxMessage, events: Iterable[Event], now: datetime) -> None:
        trouble = False
        for event in events:
            if event.kind in _LIFE:
                self._alive(event.at)
            else:
                trouble = True
                if event.kind == EventKind.BOUNCE and event.meaning in COUNTING:
                    self.bounced[mail.id] = event.at
        if not trouble and mail.state == MessageState.SENT and mail.settled_at and mail.settled_at < now - QUIET:
            self._alive(mail.settled_at)

    def count(self) -> int:
        return sum(self.arrived is None or at > self.arrived for at in self.bounced.values())

    def _alive(self, at: datetime) -> None:
        self.arrived = at if self.arrived is None else max(self.arrived, at)


def _mails(host: Host, bouncing: Sequence[OutboxMessage], since: datetime) -> dict[int, OutboxMessage]:
    """Mails to the same contacts that left since then."""
    found: dict[int, OutboxMessage] = {}
    for source in sorted({message.contact_source for message in bouncing}):
        keys = sorted({message.contact_key for message in bouncing if message.contact_source == source})
        contacts = and_(OutboxMessage.contact_source == source, one_of(OutboxMessage.contact_key, keys))
        query = select(OutboxMessage).where(contacts, OutboxMessage.settled_at >= since)
        found |= {mail.id: mail for mail in host.session.scalars(query)}
    return found


def _events(host: Host, mails: Iterable[int]) -> dict[int, list[Event]]:
    kinds: ColumnElement[bool] = or_(
        Event.kind.in_([kind.value for kind in _TROUBLE]),
        and_(Event.kind.in_([kind.value for kind in _LIFE]), Event.by_machine.is_(False)),
    )
    found: dict[int, list[Event]] = {}
    for event in host.session.scalars(select(Event).where(one_of(Event.message_id, sorted(mails)), kinds)):
        found.setdefault(event.message_id, []).append(event)
    return found
