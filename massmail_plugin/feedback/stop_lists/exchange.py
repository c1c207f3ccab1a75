"""One exchange with one provider: theirs is read, ours is added, what is stopped no more is taken off.

It owns its short transactions: none is open while the provider is asked. Whatever was done before a fault stays done,
and the next exchange goes on from there.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import or_, select, update

from massmail_plugin import leases
from massmail_plugin.contracts import Host
from massmail_plugin.errors import MassMailError, SecretUnreadable
from massmail_plugin.feedback.stop_lists.ours import Unlisted, forget, note_added, stopped_no_more, unlisted
from massmail_plugin.feedback.stop_lists.theirs import take_over
from massmail_plugin.models import EventFeed
from massmail_plugin.portable_sql import changed
from massmail_plugin.providers.stop_lists import ListAccount, ListFault, StopList, load_stop_lists

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
OVERLAP = timedelta(hours=6)
"""What came on the list so long before the last exchange is read again: clocks differ, and lists lag."""
WHOLE = timedelta(days=1)
"""So often the whole list is read, whatever is known of it."""
LEASE_SECONDS = 1_800


class Exchanged(NamedTuple):
    """What an exchange changed: stops that came from the provider, stops it was told of, and those taken back."""

    taken_over: int
    added: int
    removed: int


class _Feed(NamedTuple):
    id: int
    name: str
    list: StopList
    where: ListAccount
    since: datetime | None


def due(host: Host) -> list[int]:
    """The feeds whose lists are to be exchanged now."""
    turn = or_(EventFeed.exchanged_at.is_(None), EventFeed.exchanged_at <= host.clock() - EVERY)
    query = select(EventFeed.id).where(EventFeed.active, EventFeed.exchanges, turn).order_by(EventFeed.id)
    return list(host.session.scalars(query))


def exchange(
    host: Host,
    feed_id: int,
    *,
    lists: Mapping[str, StopList] | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Exchanged | None:
    """Bring our stops and the provider's list together; None where another process does so at this moment.

    Raises ListFault, which the feed also remembers.
    """
    lease = f"stop list {feed_id}"
    if not leases.take(host, lease, seconds=LEASE_SECONDS):
        return None
    try:
        return _exchanged(host, _feed(host, feed_id, lists or load_stop_lists()), stopping)
    except MassMailError as fault:
        host.session.rollback()
        _note(host, feed_id, str(fault))
        raise
    finally:
        host.session.rollback()
        leases.give_back(host, lease)


def _feed(host: Host, feed_id: int, lists: Mapping[str, StopList]) -> _Feed:
    feed = host.session.get_one(EventFeed, feed_id)
    if feed.provider not in lists:
        raise ListFault(f"The list of {feed.provider} cannot be read by program. Import its export instead.")
    try:
        where = ListAccount(feed.account.strip(), (feed.api_key or "").strip(), host.clock)
    except SecretUnreadable as error:
        raise ListFault(str(error)) from error
    since = feed.exchanged_at
    recent = since is not None and not feed.exchange_fault and host.clock() - since < WHOLE
    return _Feed(feed.id, feed.name, lists[feed.provider], where, since - OVERLAP if since and recent else None)


def _exchanged(host: Host, feed: _Feed, stopping: Callable[[], bool]) -> Exchanged:
    began = host.clock()
    host.session.commit()
    taken_over = _read(host, feed, stopping)
    added = _add(host, feed, stopping)
    removed = _remove(host, feed, stopping)
    if not stopping():
        _note(host, feed.id, "", began)
    log.info("Feed %s: %s stops taken over, %s told, %s taken back", feed.id, taken_over, added, removed)
    return Exchanged(taken_over, added, removed)


def _read(host: Host, feed: _Feed, stopping: Callable[[], bool]) -> int:
    total = 0
    for page in feed.list.read(feed.where, feed.since):
        if stopping():
            break
        total += take_over(host, feed.id, feed.name, feed.list.name, page)
        host.session.commit()
    return total


def _add(host: Host, feed: _Feed, stopping: Callable[[], bool]) -> int:
    total = 0
    for page in unlisted(host, feed.id):
        host.session.commit()
        for some in _parts(page, feed.list.most):
            if stopping():
                return total
            feed.list.add(feed.where, [one.address for one in some])
            note_added(host, feed.id, some)
            host.session.commit()
            total += len(some)
    return total


def _parts(page: list[Unlisted], size: int) -> list[list[Unlisted]]:
    return [page[start : start + size] for start in range(0, len(page), size)]


def _remove(host: Host, feed: _Feed, stopping: Callable[[], bool]) -> int:
    total = 0
    while not stopping() and (addresses := stopped_no_more(host, feed.id, limit=feed.list.most)):
        host.session.commit()
        feed.list.remove(feed.where, addresses)
        forget(host, feed.id, addresses)
        host.session.commit()
        total += len(addresses)
    return total


def _note(host: Host, feed_id: int, fault: str, at: datetime | None = None) -> None:
    values = {"exchange_fault": fault, "exchanged_at": at or host.clock()}
    changed(host, update(EventFeed).where(EventFeed.id == feed_id).values(**values))
    host.session.commit()
