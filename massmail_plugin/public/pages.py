"""What all recipients' pages share: the app's state, the message a token stands for, templates and the broken link."""

from typing import Any

from flask import Response, current_app, make_response, render_template

from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadLink
from massmail_plugin.public.dress import Dress
from massmail_plugin.signed_links import read_message_token

NAME = "massmail_public"


def mounted() -> Host:
    """The state of the application that serves this request."""
    host: Host = current_app.extensions["massmail"]
    return host


def message_id(token: str) -> int:
    """The outbox message of a token; a wrong one costs no look at the database. Raises BadLink."""
    return read_message_token(mounted().config, token)


def page(template: str, *, status: int = 200, **values: Any) -> Response:
    """A page in the host's dress."""
    dress = Dress.of(mounted())
    shown = {**dress.context, **values, "dress": dress}
    return make_response(render_template(f"massmail/public/{template}.html", **shown), status)


def broken_link(problem: BadLink) -> Response:
    """The page for a link that was cut off, changed, or is not known any more."""
    return page("broken", status=404, reason=str(problem))
