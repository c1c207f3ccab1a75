"""The screens of suppressions: who must not be written to and why, adding by hand, releasing with a note. Commits."""

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from massmail_plugin.admin.contacts.search import found, named, page_of, posted, refs_of
from massmail_plugin.admin.exports import StopExport
from massmail_plugin.admin.frame import guard, wording
from massmail_plugin.admin.frame.forms import filled
from massmail_plugin.admin.frame.paging import after_key
from massmail_plugin.admin.frame.section import in_dialog, screen
from massmail_plugin.admin.suppressions.forms import ReleaseForm, SuppressionForm
from massmail_plugin.admin.suppressions.rows import (
    BY_SERVER,
    COUNTED,
    Wanted,
    counts,
    may_be_shown,
    released,
    released_for,
    standing,
)
from massmail_plugin.consent.stops import suppression as stops
from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import ReleasedSuppression, Suppression
from massmail_plugin.vocabulary import Act, ConsentWay, SuppressionReason, SuppressionScope

WAYS = {BY_SERVER: "by a mail server’s answer", **{way.value: wording.WAYS[way] for way in ConsentWay}}


class Suppressions(StopExport):
    title = "Suppressions"
    slug = "suppressions"

    @screen("/", Act.PEOPLE_VIEW)
    def index(self) -> str:
        asked = {name: request.args.get(name, "").strip()[:254] for name in ("reason", "scope", "way")}
        wanted = Wanted(self._text(), **asked)
        query = standing(self.host, wanted)
        page = self._page(query, Suppression.id)
        return self.render(
            "massmail/admin/suppressions/index.html",
            title="Suppressions",
            counts=counts(self.host),
            most=COUNTED,
            wanted=wanted,
            scopes={one.value: wording.reason(one) for one in SuppressionScope},
            ways=WAYS,
            **self._shown(page),
        )

    @screen("/released", Act.PEOPLE_VIEW)
    def released(self) -> str:
        page = self._page(released(self.host, self._text()), ReleasedSuppression.id)
        return self.render(
            "massmail/admin/suppressions/released.html",
            title="Released suppressions",
            text=self._text(),
            **self._shown(page),
        )

    @screen("/<int:suppression_id>", Act.PEOPLE_VIEW)
    def show(self, suppression_id: int) -> str:
        row = self._row(suppression_id)
        who = self._who(row)
        return self.render(
            "massmail/admin/suppressions/show.html",
            title=who,
            row=row,
            place=self._place(row),
            contact=ContactRef(row.contact_source or "", row.contact_key) if row.contact_key else None,
            page_of=lambda ref: page_of(self.host, ref),
            way=WAYS.get(row.way or BY_SERVER, row.way),
            earlier=released_for(self.host, row),
        )

    @screen("/new", Act.SUPPRESSION_MANAGE, ("GET", "POST"))
    def new(self) -> ResponseReturnValue:
        sees_people = self.allowed(Act.PEOPLE_VIEW)
        contact = posted(self.host, request.values) if sees_people else None
        form = filled(SuppressionForm, None, address=request.args.get("address", ""))
        form.offer(self.host)
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
        row = self._row(suppression_id)
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
            row = stops.suppress(
                self.host,
                address=None if contact else form.address.data,
                contact=contact,
                reason=SuppressionReason.BY_PERSON,
                way=ConsentWay.PERSON,
                note=form.note.data,
                by=guard.user_name(),
                **form.reach(),
            )
        except BadRequest as error:
            form.refuse_for(error)
            return ""
        was_there, until = row.created_at < before, row.until
        self.commit()
        who, end = self._who(row), f" before {until:%-d %B %Y}" if until else " any more"
        return f"{who} was suppressed already." if was_there else f"No mail goes to {who}{end}."

    def _row(self, suppression_id: int) -> Suppression:
        row = self.get(Suppression, suppression_id)
        if not may_be_shown(self.host, row):
            raise NotFound
        return row

    def _page(self, query: Any, column: Any) -> Any:
        return after_key(
            self.host.session, query, column, key=lambda row: int(row[0].id), size=50, scalars=False, newest=True
        )

    def _shown(self, page: Any) -> dict[str, Any]:
        return {
            "page": page,
            "known": named(self.host, refs_of([row[0] for row in page.rows])),
            "ref": ContactRef,
            "page_of": lambda ref: page_of(self.host, ref),
        }

    def _text(self) -> str:
        return request.args.get("q", "").strip()[:254]

    def _place(self, row: Suppression) -> tuple[str | None, str | None]:
        """Names of its list and its topic."""
        _, list_, topic = self.host.session.execute(standing(self.host, Wanted()).where(Suppression.id == row.id)).one()
        return list_, topic

    def _who(self, row: Suppression) -> str:
        if row.contact_key is None:
            return row.address or "an erased address"
        ref = ContactRef(row.contact_source or "", row.contact_key)
        one = named(self.host, [ref]).get(ref)
        return one.name if one else f"contact {ref.key}"
