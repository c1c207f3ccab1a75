"""Who may enter, whether a POST is our own page's, whether it can be kept: what the admin door asks before all else.

The frame enters; nothing is committed here.
"""

from dataclasses import replace
from typing import Any

from flask import current_app, g, has_request_context, request
from flask_login import current_user
from flask_wtf.csrf import generate_csrf, validate_csrf
from markupsafe import Markup
from wtforms import ValidationError

from massmail_plugin.contracts import Host
from massmail_plugin.models import Campaign, List, Mailing
from massmail_plugin.vocabulary import Act

_SENT_TO_LISTS: dict[Act, Any] = {Act.MAILING_SEND: Mailing, Act.CAMPAIGN_ACTIVATE: Campaign}
"""Acts that bring mail to lists, and what they are done to."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})


def user() -> Any:
    """The host's user of this request, or None for a visitor nobody knows (also where the host has no Flask-Login)."""
    if getattr(current_app, "login_manager", None) is None or not current_user.is_authenticated:
        return None
    return current_user._get_current_object()


def seen(host: Host) -> Host:
    """The host as this request's user sees it: where a contact source has a limit, rooms show only what is within."""
    if not has_request_context() or all(source.limit is None for source in host.sources.values()):
        return host
    return replace(host, viewer=user())


def user_name() -> str:
    """The user as the text our tables keep: user name, name or e-mail, else Flask-Login's id."""
    known = user()
    if known is None:
        return ""
    named = (getattr(known, attribute, None) for attribute in ("username", "name", "email"))
    return str(next((name for name in named if isinstance(name, str) and name), known.get_id()))


def allowed(host: Host, act: Act, subject: Any = None) -> bool:
    """Whether the host's `may` hook admits this request's user. Without a hook nobody is admitted.

    Who sends a mailing or starts a campaign needs leave for each of its lists too.
    """
    known = user()
    if known is None or host.hooks.may is None or not host.hooks.may(known, act, subject):
        return False
    return not closed_lists(host, act, subject)


def closed_lists(host: Host, act: Act, subject: Any) -> list[List]:
    """The lists of a mailing or campaign to which this request's user may not send."""
    if not isinstance(subject, _SENT_TO_LISTS.get(act, ())):
        return []
    known, may = user(), host.hooks.may
    return [list_ for list_ in subject.lists if may is None or not may(known, act, list_)]


def token_field() -> str:
    """Name of the form field that carries the token, as the host's Flask-WTF settings have it."""
    return str(current_app.config.get("WTF_CSRF_FIELD_NAME", "csrf_token"))


def token_input() -> Markup:
    """The hidden input every form needs."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(token_field(), generate_csrf())


def holds_null() -> bool:
    """Whether a value of the address or the form holds a null character, which PostgreSQL keeps in no text."""
    return any("\x00" in value for values in (request.args, request.form) for _, value in values.items(multi=True))


def own_post() -> bool:
    """Whether a changing request carries our token. The host's CSRFProtect, where there is one, has asked already.

    A host's tests may switch the question off (WTF_CSRF_ENABLED), a running application may not.
    """
    if request.method in READING or g.get("csrf_valid", False):
        return True
    if current_app.testing and not current_app.config.get("WTF_CSRF_ENABLED", True):
        return True
    try:
        validate_csrf(request.form.get(token_field()) or request.headers.get("X-CSRFToken"))
    except ValidationError:
        return False
    return True
