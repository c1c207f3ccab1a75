"""What all recipients' pages share: the app's state, templates in the host's dress, and links that lead nowhere."""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Response, current_app, make_response, render_template

from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadLink, ForgottenMail, NoWebPage
from massmail_plugin.public.dress import Dress
from massmail_plugin.public.headers import IN_HOSTS_LAYOUT
from massmail_plugin.public.language import address, offered, words_for

log = logging.getLogger(__name__)

NAME = "massmail_public"
OWN_LAYOUT = "massmail/public/base.html"


def mounted() -> Host:
    """The state of the application that serves this request."""
    host: Host = current_app.extensions["massmail"]
    return host


def page(template: str, *, status: int = 200, locale: str = "", **values: Any) -> Response:
    """A page in the host's dress and layout, in the visitor's language; `locale` is the contact's, where it is known.

    Templates have the messages as `_` and `ngettext`, `to(endpoint, ...)` for addresses that keep the language chosen,
    the `languages` to choose from, and the `dress`.
    """
    host = mounted()
    dress, words = Dress.of(host), words_for(host, locale)
    said = {"_": words, "ngettext": words.plural, "languages": offered(host, words)}
    shown = {**dress.context, **values, **said, "dress": dress, "to": partial(address, host)}
    response = make_response(_rendered(f"massmail/public/{template}.html", shown), status)
    response.content_language.add(words.tag)
    if host.config.public_layout:
        response.headers.update(IN_HOSTS_LAYOUT)
    return response


def broken_link(problem: BadLink) -> Response:
    """The page for a link that leads nowhere; where it was to lead to somebody's choices, it offers a new one."""
    return page(next((name for kind, name in _LEADS_NOWHERE if isinstance(problem, kind)), "broken"), status=404)


_LEADS_NOWHERE: tuple[tuple[type[BadLink], str], ...] = ((ForgottenMail, "forgotten"), (NoWebPage, "no_web_page"))


def _rendered(template: str, shown: Mapping[str, Any]) -> str:
    """A layout that fails must not keep anybody from opting out: then the page stands alone."""
    try:
        return render_template(template, **{**shown, "layout": mounted().config.public_layout or OWN_LAYOUT})
    except Exception:
        log.exception("A page cannot be shown in the host's layout; it is shown without")
        alone = current_app.jinja_env.overlay(loader=current_app.blueprints[NAME].jinja_loader)
        return alone.get_template(template).render({**shown, "layout": OWN_LAYOUT})
