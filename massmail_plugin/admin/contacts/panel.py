"""A contact's record for the host's own page of it: what it got, did, and agreed to. Reads only."""

from datetime import datetime
from typing import Any

from flask import g, render_template
from markupsafe import Markup

from massmail_plugin import audience, campaigns, mailings
from massmail_plugin.admin.frame import guard, wording
from massmail_plugin.admin.frame.section import asset, link, time_words
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import SetupError
from massmail_plugin.vocabulary import Act, Channel, EventKind

RESPONSES = {
    EventKind.OPT_OUT.value: "Opted out",
    EventKind.OPT_BACK_IN.value: "Took the opt-out back",
    EventKind.BOUNCE.value: "Came back",
    EventKind.COMPLAINT.value: "Complained",
    EventKind.REPLY.value: "Answered",
    EventKind.AUTOREPLY.value: "Answered by itself",
    EventKind.DELAY.value: "Delayed",
    EventKind.DELIVERED.value: "Delivered",
}
CHANNELS = {Channel.EMAIL.value: "", Channel.SMS.value: "Text message", Channel.FAX.value: "Fax"}
TOLD = frozenset({EventKind.BOUNCE.value, EventKind.DELAY.value, EventKind.COMPLAINT.value})
"""What was said about these is worth showing."""


def contact_panel(host: Host, contact: ContactRef) -> Markup:
    """The record as HTML that stands by itself in the host's page; empty for users who may not see recipients."""
    seen = guard.seen(host)
    hidden = audience.limited(seen) and not audience.exists(seen, contact)
    if hidden or not guard.allowed(host, Act.PEOPLE_VIEW, contact):
        return Markup("")
    values = {"style": _style_once(), "whole": True, **record_values(host, contact)}
    return Markup(render_template("massmail/admin/contact_panel.html", **values))


def contact_of(host: Host, row: Any) -> ContactRef:
    """The contact a row of the host is. Raises SetupError for a row of no contact source."""
    for source in host.sources.values():
        if isinstance(row, source.model):
            return ContactRef(source.source_name, str(getattr(row, str(register(source).key_column.key))))
    known = ", ".join(source.model.__name__ for source in host.sources.values())
    raise SetupError(f"massmail_record() takes a contact ({known}), not {type(row).__name__}.")


def record_values(host: Host, contact: ContactRef, *, before: int | None = None) -> dict[str, Any]:
    """What `contact_panel.html` shows; `before` leads to older mails."""
    return {
        "contact": contact,
        "history": mailings.history(host, contact, before=before),
        "stays": campaigns.timeline(host, contact),
        "link": link,
        "when": _when,
        "word": wording.word,
        "reason": wording.reason,
        "response": lambda kind: RESPONSES.get(kind, kind.replace("_", " ").capitalize()),
        "channels": CHANNELS,
        "ways": wording.WAYS,
        "told": TOLD,
        "results": guard.allowed(host, Act.RESULTS_VIEW),
    }


def _style_once() -> str:
    """The address of our style sheet for the first panel of a page, then nothing."""
    if g.get("massmail_panel_styled"):
        return ""
    g.massmail_panel_styled = True
    return asset("admin/contact_panel.css")


def _when(moment: datetime | None) -> Markup:
    """A moment in words, readable by programs too."""
    if moment is None:
        return Markup("–")
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(), time_words(moment))
