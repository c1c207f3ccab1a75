"""Puts the recipients' pages into a Flask application, with headers of their own and past the host's CSRFProtect."""

from flask import Blueprint, Flask, Response

from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadLink
from massmail_plugin.public import dress, lost_link, opt_out_pages, preference_pages, sign_up_pages, visits, webhooks
from massmail_plugin.public.headers import HEADERS, NOT_KEPT
from massmail_plugin.public.pages import NAME, broken_link
from massmail_plugin.public.quick_door import QuickDoor


def mount(app: Flask, host: Host) -> None:
    """Register the pages under `MASSMAIL_URL_PREFIX`."""
    pages = Blueprint(NAME, __name__, url_prefix=host.config.url_prefix, template_folder="../templates")
    for module in (visits, opt_out_pages, preference_pages, lost_link, sign_up_pages, dress, webhooks):
        module.add_routes(pages)
    pages.register_error_handler(BadLink, broken_link)
    pages.after_request(_with_headers)
    app.register_blueprint(pages)
    if host.config.quick_door:
        app.wsgi_app = QuickDoor(app, host)  # type: ignore[method-assign]
    _exempt_from_csrf(app, pages)


def _exempt_from_csrf(app: Flask, pages: Blueprint) -> None:
    """Keep the host's CSRFProtect (Flask-WTF) away from these pages, whether it was or will be set up.

    That is safe: nothing here acts by a cookie or any other authority a browser adds by itself. What a request may
    do is in its address alone, and a forger would have to know that address, which only the recipient does. RFC 8058
    section 3.2 even demands that a POST without cookie and without a visit before works. Providers sign what they post.
    """

    def exempt() -> None:
        protect = app.extensions.get("csrf")
        if protect is not None:
            protect.exempt(pages)

    exempt()
    if "csrf" not in app.extensions:
        app.before_request(exempt)


def _with_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if response.cache_control.max_age is None:
        response.headers.update(NOT_KEPT)
    return response
