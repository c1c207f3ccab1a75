"""One request of a provider: checked, read, taken in. The HTTP door enters; this owns its short transactions.

No transaction is open while a certificate is fetched or a subscription confirmed.
"""

import hashlib
import logging
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import delete, or_, select, update

from massmail_plugin.contracts import EventReader, EventRequest, Host, ProviderEvent
from massmail_plugin.errors import RequestRefused
from massmail_plugin.feedback.provider_events.feeds import note_fault
from massmail_plugin.feedback.provider_events.taking import take_events
from massmail_plugin.models import EventFeed, FeedNonce
from massmail_plugin.portable_sql import changed, insert_new
from massmail_plugin.providers.request_files import answered

log = logging.getLogger(__name__)

HEARD_AGAIN = timedelta(minutes=1)
"""So often, at most, it is written down that a feed was heard."""
NONCES_KEPT = timedelta(days=2)
"""Longer than any provider's signature holds."""


class Reply(NamedTuple):
    """What the provider is answered."""

    status: int
    words: str


class _Feed(NamedTuple):
    id: int
    origin: str
    reader: EventReader
    secret: str


def take_request(host: Host, feed: EventFeed, request: EventRequest) -> Reply:
    """Check a request, keep its events, commit. 200 says that they are kept; 4xx that nothing of it is.

    Raises SQLAlchemyError where the database does not take it: the provider must come again.
    """
    reader = host.event_readers.get(feed.provider)
    if reader is None:
        return Reply(503, f"The provider {feed.provider} is not known here any more.")
    known = _Feed(feed.id, f"feed:{feed.id}", reader, feed.secret or "")
    host.session.commit()
    answer = answered(reader, request, known.secret)
    try:
        if answer.http != 200:
            raise RequestRefused(answer.http, answer.problem)
        done = _answer(reader, request)
        _take(host, known, request, answer.events)
    except RequestRefused as refused:
        return _refused(host, known, refused)
    return Reply(200, done or "Thank you.")


def _answer(reader: EventReader, request: EventRequest) -> str:
    """What a provider wants besides: Amazon asks whether a subscription is meant."""
    answer = getattr(reader, "answer", None)
    return str(answer(request)) if answer else ""


def _take(host: Host, feed: _Feed, request: EventRequest, events: tuple[ProviderEvent, ...]) -> None:
    nonce = getattr(feed.reader, "nonce", None)
    if nonce:
        _use(host, feed, str(nonce(request)), request)
    counted = take_events(host, feed.origin, feed.reader.name, events)
    _heard(host, feed)
    host.session.commit()
    log.info("Feed %s (%s): %s", feed.id, feed.reader.name, counted)


def _use(host: Host, feed: _Feed, nonce: str, request: EventRequest) -> None:
    """Refuse a signature that came with another body before. Two at once wait for each other at the key."""
    digest = hashlib.sha256(request.body).hexdigest()
    row = {"feed_id": feed.id, "nonce": nonce[:200], "body_hash": digest, "at": host.clock()}
    if changed(host, insert_new(host, FeedNonce).values(**row)):
        changed(host, delete(FeedNonce).where(FeedNonce.feed_id == feed.id, FeedNonce.at < host.clock() - NONCES_KEPT))
        return
    query = select(FeedNonce.body_hash).where(FeedNonce.feed_id == feed.id, FeedNonce.nonce == nonce[:200])
    if host.session.scalar(query) != digest:
        raise RequestRefused(401, "The signature came with another body before.")


def _heard(host: Host, feed: _Feed) -> None:
    now = host.clock()
    stale = or_(EventFeed.heard_at.is_(None), EventFeed.heard_at < now - HEARD_AGAIN, EventFeed.fault != "")
    changed(host, update(EventFeed).where(EventFeed.id == feed.id, stale).values(heard_at=now, fault=""))


def _refused(host: Host, feed: _Feed, refused: RequestRefused) -> Reply:
    host.session.rollback()
    note_fault(host, feed.id, str(refused))
    host.session.commit()
    log.warning("Feed %s (%s) refused a request: %s", feed.id, feed.reader.name, refused)
    return Reply(refused.status, str(refused))
