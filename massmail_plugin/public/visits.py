"""The open pixel and the click redirect. What is counted is safe before the answer leaves, and never in its way."""

import logging
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request
from markupsafe import escape
from sqlalchemy.exc import SQLAlchemyError

from massmail_plugin import feedback
from massmail_plugin.composing import HIDDEN_LINK
from massmail_plugin.errors import BadLink
from massmail_plugin.public.headers import HEADERS, NOT_KEPT
from massmail_plugin.public.pages import mounted
from massmail_plugin.signed_links import Linked, read_link_token

log = logging.getLogger(__name__)

PIXEL = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")
"""A transparent GIF of one dot, 43 bytes."""

Pairs = list[tuple[str, str]]


def add_routes(pages: Blueprint) -> None:
    pages.add_url_rule("/o/<token>.gif", "open", _open)
    pages.add_url_rule("/c/<token>/<int:number>", "click", _click)


def _open(token: str) -> Response:
    host = mounted()
    try:
        mail = read_link_token(host.config, token)
    except BadLink:
        return Response(PIXEL, 404, PIXEL_HEADERS)
    take(_app(), mail, None, request.environ)
    return Response(PIXEL, 200, PIXEL_HEADERS)


def _click(token: str, number: int) -> Response:
    host = mounted()
    mail = read_link_token(host.config, token)
    if number == HIDDEN_LINK:
        take(_app(), mail, number, request.environ)
        return Response(status=204)
    try:
        url = feedback.destination(host, mail, number)
    except SQLAlchemyError:
        log.exception("A link cannot be followed at the moment")
        take(_app(), mail, number, request.environ)
        return _later()
    take(_app(), mail, number, request.environ)
    headers, body = leading_to(url)
    return Response(body, 302, headers)


def _app() -> Flask:
    return current_app._get_current_object()  # type: ignore[attr-defined, no-any-return]


def _later() -> Response:
    """Without the host's dress, which may need the database."""
    words = "This link cannot be opened at the moment. Please try again in a minute.\n"
    return Response(words, 503, {"Retry-After": "60"}, "text/plain")


def take(app: Flask, mail: Linked, number: int | None, environ: Mapping[str, Any]) -> None:
    """Keep that somebody followed link `number` of a mail, or, where that is None, loaded its pixel."""
    method = str(environ["REQUEST_METHOD"])
    feedback.take_hit(app, mail.message_id, number, method=method, headers=_Headers(environ))


# --- Answers --------------------------------------------------------------------------------------------------

PIXEL_HEADERS: Pairs = [("Content-Type", "image/gif"), ("Content-Length", str(len(PIXEL))), *NOT_KEPT, *HEADERS.items()]


@lru_cache(maxsize=1024)
def leading_to(url: str) -> tuple[Pairs, bytes]:
    """Headers and body of a redirect; `url` is ASCII."""
    body = f'<!doctype html>\n<title>Redirecting</title>\n<a href="{escape(url)}">Go on</a>\n'.encode("ascii")
    what = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body))), ("Location", url)]
    return [*what, *NOT_KEPT, *HEADERS.items()], body


# --- Requests -------------------------------------------------------------------------------------------------


class _Headers(Mapping[str, str]):
    """A request's headers by name in any case; quicker to ask than Werkzeug's."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        return str(self._environ[_key(name)])

    def __contains__(self, name: object) -> bool:
        return _key(str(name)) in self._environ

    def get(self, name: str, default: Any = None) -> Any:
        return self._environ.get(_key(name), default)

    def __iter__(self) -> Iterator[str]:
        return (key[5:].replace("_", "-").title() for key in self._environ if key.startswith("HTTP_"))

    def __len__(self) -> int:
        return sum(1 for _ in self)


@cache
def _key(name: str) -> str:
    return f"HTTP_{name.upper().replace('-', '_')}"
