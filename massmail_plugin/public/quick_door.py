"""A door in front of the application for the visits that come by the thousand: pixels, and links known already.

Flask takes longer to find and prepare a view than such a visit takes. The host's own functions around requests are not
called for it. Whatever else comes, a broken link or a database to be asked, goes on to the views in `visits`, which
give the same answers.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Flask

from massmail_plugin import feedback
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadLink
from massmail_plugin.public.visits import PIXEL, PIXEL_HEADERS, Pairs, leading_to, take
from massmail_plugin.signed_links import Linked, read_link_token

Answer = tuple[str, Pairs, bytes]
Environ = Mapping[str, Any]


class QuickDoor:
    """Wraps an application's `wsgi_app`."""

    def __init__(self, app: Flask, host: Host) -> None:
        self._app = app
        self._behind = app.wsgi_app
        self._host = host
        self._pixels, self._links = f"{host.config.url_prefix}/o/", f"{host.config.url_prefix}/c/"

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = self._answer(environ)
        if answer is None:
            return self._behind(environ, start_response)
        status, headers, body = answer
        start_response(status, list(headers))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, environ: Environ) -> Answer | None:
        """None where the visit needs more than is known here."""
        path: str = environ.get("PATH_INFO", "")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return None
        if path.startswith(self._pixels) and path.endswith(".gif"):
            return self._pixel(path[len(self._pixels) : -4], environ)
        if path.startswith(self._links):
            token, _, number = path[len(self._links) :].partition("/")
            return self._link(token, number, environ)
        return None

    def _pixel(self, token: str, environ: Environ) -> Answer | None:
        mail = self._mail(token)
        if mail is None:
            return None
        take(self._app, mail, None, environ)
        return "200 OK", PIXEL_HEADERS, PIXEL

    def _link(self, token: str, number: str, environ: Environ) -> Answer | None:
        mail = self._mail(token) if number.isascii() and number.isdigit() and len(number) < 10 else None
        url = feedback.known_destination(self._host, mail, int(number)) if mail else None
        if mail is None or url is None:
            return None
        take(self._app, mail, int(number), environ)
        return "302 FOUND", *leading_to(url)

    def _mail(self, token: str) -> Linked | None:
        try:
            return read_link_token(self._host.config, token)
        except BadLink:
            return None
