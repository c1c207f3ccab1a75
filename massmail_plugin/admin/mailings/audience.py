"""The people behind each step of a draft's funnel, and why any one contact is among the recipients or not.

Views only read.
"""

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from massmail_plugin import audience, mailings
from massmail_plugin.admin.contacts import search
from massmail_plugin.admin.contacts.search import page_of
from massmail_plugin.admin.frame.paging import Page
from massmail_plugin.admin.frame.section import screen
from massmail_plugin.admin.mailings.drafts import SHOW
from massmail_plugin.admin.mailings.results import ResultScreens
from massmail_plugin.audience.contacts.summaries import ContactSummary
from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import MassMailError
from massmail_plugin.mailings import Which
from massmail_plugin.models import Mailing
from massmail_plugin.vocabulary import Act, MailingState

PEOPLE = 50
LONGEST_KEY = 64
GROUPS = {
    **{stage.name: (stage.label, stage.why) for stage in audience.STAGES},
    audience.WILL_GET.name: (audience.WILL_GET.label, ""),
}


class AudienceScreens(ResultScreens):
    """Who gets it, person by person."""

    @screen("/<int:mailing_id>/audience/<step>", Act.PEOPLE_VIEW)
    def audience(self, mailing_id: int, step: str) -> ResponseReturnValue:
        mailing = self.get(Mailing, mailing_id)
        self.require(Act.PEOPLE_VIEW, mailing)
        if step not in GROUPS:
            raise NotFound
        if mailing.state != MailingState.DRAFT.value:
            return redirect(url_for("massmail_mailings.people", mailing_id=mailing.id, which=Which.SKIPPED.value))
        try:
            page = self._left_out(mailing, step)
        except MassMailError as error:
            return self.refused(str(error), SHOW, mailing_id=mailing.id)
        label, why = GROUPS[step]
        return self.render(
            "massmail/admin/mailings/audience.html",
            title=f"{mailing.name}: {why or label}",
            mailing=mailing,
            label=label,
            why=why,
            page=page,
            contact_url=lambda contact: page_of(self.host, contact),
        )

    def _left_out(self, mailing: Mailing, step: str) -> Page:
        after = request.args.get("after", "")[:LONGEST_KEY]
        rows = mailings.left_out(self.host, mailing, step, after=after, limit=PEOPLE + 1)
        more = {"after": rows[PEOPLE - 1].ref.key} if len(rows) > PEOPLE else None
        return Page(rows[:PEOPLE], {} if after else None, more)

    @screen("/<int:mailing_id>/why", Act.PEOPLE_VIEW)
    def why(self, mailing_id: int) -> ResponseReturnValue:
        """Asks for a contact; with ?contact= and ?source= answers."""
        mailing = self.get(Mailing, mailing_id)
        self.require(Act.PEOPLE_VIEW, mailing)
        contact = self._asked(mailing)
        answer: dict[str, Any] = {"why": None, "problem": ""}
        if contact is not None:
            try:
                answer["why"] = mailings.why(self.host, mailing, contact.ref)
            except MassMailError as error:
                answer["problem"] = str(error)
        text = request.args.get("q", "")
        return self.render(
            "massmail/admin/mailings/why.html",
            title=f"{mailing.name}: why is somebody (not) among the recipients?",
            mailing=mailing,
            draft=mailing.state == MailingState.DRAFT.value,
            text=text,
            found=[] if contact else search.found(self.host, text),
            contact=contact,
            missing="contact" in request.args and contact is None,
            contact_url=lambda ref: page_of(self.host, ref),
            **answer,
        )

    def _asked(self, mailing: Mailing) -> ContactSummary | None:
        """The contact the address names, where the viewer may see it."""
        source = request.args.get("source", mailing.contact_source)
        ref = ContactRef(source, request.args.get("contact", "")[:LONGEST_KEY])
        return audience.summaries(self.host, [ref]).get(ref)
