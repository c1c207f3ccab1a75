"""The door for providers: what they post about our mails. It answers 2xx for what is kept, and takes nothing unsigned.

Bodies are bounded before and after unpacking, and so is the number of requests that are worked on at once.
"""

import logging
import zlib
from threading import BoundedSemaphore

from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from massmail_plugin.contracts import EventRequest, Host
from massmail_plugin.errors import RequestRefused, SecretUnreadable
from massmail_plugin.feedback import provider_events
from massmail_plugin.models import EventFeed
from massmail_plugin.providers.request_files import LARGEST
from massmail_plugin.public.pages import mounted

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Requests that one process works on at the same time; others are asked to come again."""
_GZIP = 16 + zlib.MAX_WBITS


def add_routes(pages: Blueprint) -> None:
    door = _Door()
    pages.add_url_rule("/events/<path>", "events", door.events, methods=["POST", "HEAD"])


class _Door:
    def __init__(self) -> None:
        self._room = BoundedSemaphore(AT_ONCE)

    def events(self, path: str) -> Response:
        host = mounted()
        feed = provider_events.feed_by_path(host, path)
        if feed is None:
            return _said(404, "Nobody listens here.")
        if request.method == "HEAD":
            return _said(200, "")
        if not self._room.acquire(blocking=False):
            return _come_again("Too many requests at once.")
        try:
            return _taken(host, feed)
        finally:
            self._room.release()


def _taken(host: Host, feed: EventFeed) -> Response:
    try:
        reply = provider_events.take_request(host, feed, _event_request(host, feed))
    except RequestRefused as refused:
        return _said(refused.status, str(refused))
    except SecretUnreadable:
        log.exception("The key of feed %s cannot be read", feed.id)
        return _come_again("The request cannot be checked now.")
    except SQLAlchemyError:
        host.session.rollback()
        log.exception("A provider's events could not be kept")
        return _come_again("The events cannot be kept now.")
    return _said(reply.status, reply.words)


def _event_request(host: Host, feed: EventFeed) -> EventRequest:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return EventRequest(
        body=_body(headers.get("content-encoding", "")),
        headers=headers,
        url=provider_events.events_address(host, feed),
        at=host.clock(),
    )


def _body(encoding: str) -> bytes:
    request.max_content_length = LARGEST
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise _too_large() from error
    except ClientDisconnected as error:
        raise RequestRefused(400, "The request ended before its body was complete.") from error
    if encoding.strip().lower() in ("", "identity"):
        return body
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        raise RequestRefused(415, "The body may be packed with gzip alone.")
    return _unpacked(body)


def _unpacked(body: bytes) -> bytes:
    """Never makes more than it may, whatever the bytes promise."""
    packed = zlib.decompressobj(_GZIP)
    try:
        plain = packed.decompress(body, LARGEST + 1)
    except zlib.error as error:
        raise RequestRefused(400, "The body is not packed as its header says.") from error
    if len(plain) > LARGEST:
        raise _too_large()
    if not packed.eof:
        raise RequestRefused(400, "The packed body is not complete.")
    return plain


def _too_large() -> RequestRefused:
    return RequestRefused(413, f"The body is larger than {LARGEST:,} octets.")


def _come_again(words: str) -> Response:
    answer = _said(503, words)
    answer.headers["Retry-After"] = "60"
    return answer


def _said(status: int, words: str) -> Response:
    return Response(words, status, mimetype="text/plain")
