"""The form of an event feed: its fields, and the draft that comes out. Views enter; no commits."""

from flask import request
from wtforms import BooleanField, PasswordField, TextAreaField
from wtforms.validators import Length

from massmail_plugin.admin.frame.forms import ScreenForm, filled, text
from massmail_plugin.contracts import EventReader
from massmail_plugin.feedback.provider_events import FeedDraft
from massmail_plugin.models import EventFeed
from massmail_plugin.providers.stop_lists import StopList

STORED = "One is stored and never shown. Left empty, it is kept."
NOT_KEPT = "Enter it again: what you typed is not kept in a page that comes back."


class KeyField(TextAreaField):
    """A key of one or more lines; it never comes back out of the form."""

    def _value(self) -> str:
        return ""


class FeedForm(ScreenForm):
    """Labels and help of the keys are the provider's own words."""

    name = text("Name", required="Give the feed a name.", help="How your colleagues find it in lists.")
    active = BooleanField("Listen", description="Switched off, the provider is told that nobody is there.")
    secret = KeyField("Key", [Length(max=5_000, message="At most 5,000 characters fit here.")])
    exchanges = BooleanField("Exchange stopped addresses every hour")
    account = text("Account", longest=255)
    api_key = PasswordField("API key", [Length(max=500, message="At most 500 characters fit here.")])


def feed_form(feed: EventFeed | None, reader: EventReader, stops: StopList | None) -> FeedForm:
    """The form as it was posted; before that with the values of `feed`, or those of a new one."""
    form = filled(FeedForm, feed, **({} if feed else {"active": True, "name": reader.label}))
    if request.method != "POST":
        form.secret.data = form.api_key.data = None
    form.secret.label.text = reader.secret_label
    form.secret.description = reader.secret_help
    if stops is not None:
        form.account.label.text = stops.account_label
        form.account.description = stops.account_help
    return form


def describe(form: FeedForm, feed: EventFeed | None) -> None:
    """Say of each key whether one is stored, and that what was typed is gone."""
    for field, stored in ((form.secret, feed and feed.secret), (form.api_key, feed and feed.api_key)):
        if field.data:
            field.description = NOT_KEPT
        elif stored:
            field.description = f"{STORED} {field.description}".strip()


def draft_of(form: FeedForm, provider: str) -> FeedDraft:
    """What was entered; an empty key keeps the stored one."""
    return FeedDraft(
        name=form.name.data,
        provider=provider,
        secret=(form.secret.data or "").strip() or None,
        active=form.active.data,
        exchanges=form.exchanges.data,
        account=form.account.data or "",
        api_key=(form.api_key.data or "").strip() or None,
    )
