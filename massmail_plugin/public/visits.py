"""The open pixel and the click redirect. HEAD counts nothing; a failing count keeps no reader from the target."""

import logging
from collections.abc import Callable
from functools import partial

from flask import Blueprint, Response, redirect, request
from sqlalchemy.exc import SQLAlchemyError

from massmail_plugin import feedback
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadLink
from massmail_plugin.public.pages import message_id, mounted

log = logging.getLogger(__name__)

PIXEL = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")
"""A transparent GIF of one dot, 43 bytes."""


def add_routes(pages: Blueprint) -> None:
    pages.add_url_rule("/o/<token>.gif", "open", _open)
    pages.add_url_rule("/c/<token>/<int:number>", "click", _click)


def _open(token: str) -> Response:
    try:
        number = message_id(token)
        if request.method != "HEAD":
            host = mounted()
            _count(host, partial(feedback.record_open, host, number, _visitor()))
    except BadLink:
        return Response(PIXEL, 404, mimetype="image/gif")
    return Response(PIXEL, mimetype="image/gif")


def _click(token: str, number: int) -> Response:
    host = mounted()
    to = feedback.destination(host, message_id(token), number)
    if request.method != "HEAD":
        _count(host, partial(feedback.record_click, host, to, _visitor()))
    # Werkzeug's redirect says 302 and escapes the target in its small page.
    return redirect(to.url, 302, Response)  # type: ignore[return-value]


def _visitor() -> feedback.Visitor:
    return feedback.Visitor(request.headers.get("User-Agent", ""), dict(request.headers))


def _count(host: Host, count: Callable[[], None]) -> None:
    try:
        count()
        host.session.commit()
    except SQLAlchemyError:
        host.session.rollback()
        log.exception("An open or click could not be counted")
