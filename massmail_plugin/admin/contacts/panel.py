"""The panel "Mailings" for the host's own page of a contact: what it got, did, and agreed to. Reads only."""

from datetime import datetime

from flask import g, render_template
from markupsafe import Markup

from massmail_plugin import campaigns, mailings
from massmail_plugin.admin.frame import guard, wording
from massmail_plugin.admin.frame.section import asset, link, time_words
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.vocabulary import Act, EventKind

RESPONSES = {
    EventKind.OPT_OUT.value: "Opted out",
    EventKind.OPT_BACK_IN.value: "Took the opt-out back",
    EventKind.BOUNCE.value: "Came back",
    EventKind.COMPLAINT.value: "Complained",
    EventKind.REPLY.value: "Answered",
}


def contact_panel(host: Host, contact: ContactRef) -> Markup:
    """The panel as HTML that stands by itself in the host's page; empty for users who may not see recipients."""
    if not guard.allowed(host, Act.PEOPLE_VIEW, contact):
        return Markup("")
    return Markup(
        render_template(
            "massmail/admin/contact_panel.html",
            history=mailings.history(host, contact),
            stays=campaigns.timeline(host, contact),
            style=_style_once(),
            link=link,
            when=_when,
            word=wording.word,
            reason=wording.reason,
            response=lambda kind: RESPONSES.get(kind, kind),
            results=guard.allowed(host, Act.RESULTS_VIEW),
        )
    )


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
