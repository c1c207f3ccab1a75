"""The screens of suppressions: who must not be written to and why, adding by hand, releasing with a note. Commits."""

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from massmail_plugin.admin.contacts.search import found, named, page_of, posted, refs_of
from massmail_plugin.admin.frame import guard
from massmail_plugin.admin.frame.forms import ScreenForm, address, choice, filled, strip
from massmail_plugin.admin.frame.paging import numbered
from massmail_plugin.admin.frame.section import Section, in_dialog, screen
from massmail_plugin.admin.suppressions import rows as suppression_rows
from massmail_plugin.consent import suppression as stops
from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import List, Suppression
from massmail_plugin.vocabulary import Act, SuppressionReason, SuppressionScope

EVERYTHING = ""
"""The scope's value in the form; a list is its id."""


class SuppressionForm(ScreenForm):
    """An address, or the contact that was chosen before."""

    address = address("Address")
    scope = choice("Stop")
    note = TextAreaField(
        "Note",
        [Length(max=2000, message="At most 2000 characters fit here.")],
        filters=[strip],
        description="Why, and who asked for it. Your colleagues read this later.",
    )


class ReleaseForm(ScreenForm):
    note = TextAreaField(
        "Why may mail go there again?",
        [
            DataRequired("Say why: the note is kept in the log."),
            Length(max=500, message="At most 500 characters fit here."),
        ],
        filters=[strip],
    )


class Suppressions(Section):
    title = "Suppressions"
    slug = "suppressions"

    @screen("/", Act.PEOPLE_VIEW)
    def index(self) -> str:
        text, reason = request.args.get("q", "").strip()[:254], request.args.get("reason", "")
        page = numbered(self.host.session, suppression_rows.rows(self.host, text, reason), scalars=False)
        return self.render(
            "massmail/admin/suppressions/index.html",
            title="Suppressions",
            page=page,
            counts=suppression_rows.counts(self.host),
            known=named(self.host, refs_of([row[0] for row in page.rows])),
            ref=ContactRef,
            page_of=lambda ref: page_of(self.host, ref),
            text=text,
            chosen=reason,
        )

    @screen("/new", Act.SUPPRESSION_MANAGE, ("GET", "POST"))
    def new(self) -> ResponseReturnValue:
        sees_people = self.allowed(Act.PEOPLE_VIEW)
        contact = posted(self.host, request.values) if sees_people else None
        form = filled(SuppressionForm, None, address=request.args.get("address", ""))
        form.scope.choices = [(EVERYTHING, "every mailing"), *self._lists()]
        if request.method == "POST" and form.validate() and (message := self._added(form, contact)):
            return self.done(message, "massmail_suppressions.index")
        text = request.args.get("q", "").strip()[:100]
        page = self.render(
            "massmail/admin/suppressions/new.html",
            title="New suppression",
            form=form,
            contact=contact,
            known=named(self.host, [contact] if contact else []),
            text=text,
            found=found(self.host, text) if sees_people else [],
        )
        return page, 422 if form.wrong else 200

    @screen("/<int:suppression_id>/release", Act.SUPPRESSION_MANAGE, ("GET", "POST"))
    def release(self, suppression_id: int) -> ResponseReturnValue:
        row = self.get(Suppression, suppression_id)
        self.require(Act.SUPPRESSION_MANAGE, row)
        self.require(Act.PEOPLE_VIEW)
        form = filled(ReleaseForm)
        who = self._who(row)
        if request.method == "POST" and form.validate():
            stops.release(self.host, row, by=guard.user_name(), note=form.note.data)
            self.commit()
            return self.done(f"Mail may go to {who} again.", "massmail_suppressions.index")
        page = self.render(
            f"massmail/admin/suppressions/{'_release' if in_dialog() else 'release'}.html",
            title=f"Let mail go to {who} again?",
            form=form,
            row=row,
            own_wish=row.reason in (SuppressionReason.OPT_OUT, SuppressionReason.COMPLAINT),
            bounced=row.reason == SuppressionReason.HARD_BOUNCE,
            back=url_for("massmail_suppressions.index"),
        )
        return page, 422 if form.wrong else 200

    def _added(self, form: SuppressionForm, contact: ContactRef | None) -> str:
        """Carry it out; gives what to say, or "" with the reason at the form."""
        if contact is None and not form.address.data:
            form.refuse("address", "Enter the address that must not be written to, or find a contact above.")
            return ""
        before = self.host.clock()
        try:
            row = stops.suppress(self.host, **self._wanted(form, contact))
        except BadRequest as error:
            form.refuse("address", str(error))
            return ""
        was_there = row.created_at < before
        self.commit()
        who = self._who(row)
        return f"{who} was suppressed already." if was_there else f"No mail goes to {who} any more."

    def _wanted(self, form: SuppressionForm, contact: ContactRef | None) -> dict[str, Any]:
        list_id = int(form.scope.data) if form.scope.data != EVERYTHING else None
        return {
            "address": None if contact else form.address.data,
            "contact": contact,
            "scope": SuppressionScope.ALL_BUT_TRANSACTIONAL if list_id is None else SuppressionScope.LIST,
            "list_id": list_id,
            "reason": SuppressionReason.BY_PERSON,
            "note": form.note.data,
            "by": guard.user_name(),
        }

    def _lists(self) -> list[tuple[str, str]]:
        found_lists = self.host.session.execute(select(List.id, List.name).order_by(List.name))
        return [(str(list_id), f"only the list “{name}”") for list_id, name in found_lists]

    def _who(self, row: Suppression) -> str:
        if row.address is not None:
            return row.address
        ref = ContactRef(row.contact_source or "", row.contact_key or "")
        one = named(self.host, [ref]).get(ref)
        return one.name if one else f"contact {ref.key}"
