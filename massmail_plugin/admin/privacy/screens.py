"""The screens of data protection: what is held about a person, erasing it, and how long data are kept. Commits.

Addresses travel in what is posted, never in an address line: these end up in logs.
"""

import json
import logging
from typing import Any

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, TextAreaField
from wtforms.validators import DataRequired, Length

from massmail_plugin import audience
from massmail_plugin.admin.contacts.search import found
from massmail_plugin.admin.frame import guard
from massmail_plugin.admin.frame.forms import ScreenForm, filled, strip, text
from massmail_plugin.admin.frame.paging import after_key
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.privacy.columns import SHOWN
from massmail_plugin.audience.contacts.visibility import limited
from massmail_plugin.consent.addresses import fault
from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Erasure
from massmail_plugin.upkeep import privacy, retention
from massmail_plugin.vocabulary import GONE, Act

log = logging.getLogger(__name__)

RUN_SECONDS = 5.0
"""A person waits for it; the scheduler goes on."""
MOST_ROWS = 50
"""Of each table on a page."""


class FindForm(ScreenForm):
    who = text("Name or address", required="Enter a name or an address.", longest=254)


class EraseForm(ScreenForm):
    note = TextAreaField(
        "Why",
        [Length(max=500, message="At most 500 characters fit here.")],
        filters=[strip],
        description="For the record, such as a file number. It stays, so do not write who it is.",
    )
    sure = BooleanField(
        "Erase this person for good. It cannot be undone.", [DataRequired("Tick this to erase the person.")]
    )


class Privacy(Section):
    title = "Data protection"
    slug = "privacy"

    @screen("/", Act.PRIVACY_MANAGE)
    def index(self) -> str:
        return self._index(FindForm())

    @screen("/find", Act.PRIVACY_MANAGE, ("POST",))
    def find(self) -> ResponseReturnValue:
        """By a name or part of an address: contacts. By a whole address: everybody who is or was reached there."""
        form = filled(FindForm)
        if not form.validate():
            return self._index(form), 422
        who = form.who.data
        there = [] if fault(who) else privacy.people_of(self.host, who)
        by_address = {one.contact for one in there}
        contacts = [one for one in found(self.host, who) if one.ref not in by_address]
        names = audience.summaries(self.host, [one for one in by_address if one])
        return self._private("found", title="Find a person", form=form, people=there, names=names, contacts=contacts)

    @screen("/contact", Act.PRIVACY_MANAGE)
    def contact(self) -> ResponseReturnValue:
        """What is held about a contact, also one the host has no more."""
        return self._person(self._asked_for(request.args))

    @screen("/address", Act.PRIVACY_MANAGE, ("POST",))
    def alone(self) -> ResponseReturnValue:
        """What is held about an address that is no contact's."""
        return self._person(self._asked_for(request.form))

    @screen("/download", Act.PRIVACY_MANAGE, ("POST",))
    def download(self) -> Response:
        held = privacy.held(self.host, self._asked_for(request.form))
        answer = make_response(privacy.as_json(held.whole()))
        answer.headers["Content-Type"] = "application/json"
        answer.headers["Content-Disposition"] = f'attachment; filename="person-{held.at:%Y-%m-%d}.json"'
        return _unkept(answer)

    @screen("/erase", Act.PRIVACY_MANAGE, ("POST",))
    def erase(self) -> ResponseReturnValue:
        person, form = self._asked_for(request.form), filled(EraseForm)
        if not form.validate():
            return self._person(person, form)
        try:
            done = privacy.erase(self.host, person, by=guard.user_name(), note=form.note.data)
        except BadRequest as error:
            self.host.session.rollback()
            form.refuse("sure", str(error))
            return self._person(person, form)
        self.commit()
        words = f"The person is erased: {done.rows:,} rows." if done.news else "Nothing was held about this person."
        return self.done(words, "massmail_privacy.index")

    @screen("/retention", Act.PRIVACY_MANAGE)
    def retention(self) -> str:
        """Counting what is due reads every table, so that it is done only where it is asked for."""
        counted = request.args.get("count") == "1"
        lines = retention.due(self.host) if counted else retention.state(self.host)
        return self.render("massmail/admin/privacy/retention.html", title="Retention", lines=lines, counted=counted)

    @screen("/retention/run", Act.PRIVACY_MANAGE, ("POST",))
    def run(self) -> ResponseReturnValue:
        done = retention.run(self.host, seconds=RUN_SECONDS, whole=True)
        if done is None:
            return self.refused("Old data are being deleted at this moment already.", "massmail_privacy.retention")
        words = f"{done.rows:,} {'row' if done.rows == 1 else 'rows'} deleted or emptied."
        rest = "" if done.finished else " There is more: the scheduler goes on with it."
        return self.done(words + rest, "massmail_privacy.retention")

    # --- what the screens share ---

    def _index(self, form: FindForm) -> str:
        page = after_key(self.host.session, privacy.erasures(), Erasure.id, newest=True)
        rows = {row.id: sum(json.loads(row.counts).values()) for row in page.rows}
        return self.render(
            "massmail/admin/privacy/index.html", title="Data protection", form=form, page=page, rows=rows
        )

    def _asked_for(self, values: Any) -> privacy.Person:
        """The person a form or an address line names. Raises BadRequest.

        Whoever may see some contacts only is not told of the others, nor of what belongs to none.
        """
        if "address" in values and not limited(self.host):
            return privacy.person_at(self.host, values["address"])
        ref = ContactRef(values.get("contact_source", ""), values.get("contact_key", ""))
        if not ref.key or ref.key.startswith(GONE) or ref.source not in self.host.sources:
            raise BadRequest("Find the person by name or address.")
        if limited(self.host) and not audience.exists(self.host, ref):
            raise BadRequest("There is no such contact among those you may see.")
        return privacy.person_of(self.host, ref)

    def _person(self, person: privacy.Person, form: EraseForm | None = None) -> ResponseReturnValue:
        held = privacy.held(self.host, person)
        who = held.name or (person.addresses[0] if person.contact is None else f"Contact {person.contact.key}")
        log.info("What is held about a person was shown to %s", guard.user_name())
        form = form or EraseForm()
        values = {"person": person, "held": held, "shown": SHOWN, "most": MOST_ROWS}
        return self._private("person", title=who, form=form, status=form.wrong, **values)

    def _private(self, name: str, *, status: Any = None, **values: Any) -> Response:
        answer = make_response(self.render(f"massmail/admin/privacy/{name}.html", **values), 422 if status else 200)
        return _unkept(answer)


def _unkept(answer: Response) -> Response:
    """No copy stays in caches of the browser or on the way."""
    answer.headers["Cache-Control"] = "no-store"
    return answer
