"""The screens of criteria: the table, the builder with its live count, one criterion with its use. Commits."""

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField
from wtforms.validators import Length

from massmail_plugin.admin.contacts.search import page_of
from massmail_plugin.admin.criteria import rows as criterion_rows
from massmail_plugin.admin.criteria import rule_form, rule_lines
from massmail_plugin.admin.criteria.rule_check import called, check
from massmail_plugin.admin.criteria.rule_form import ROOT, Line
from massmail_plugin.admin.criteria.rule_offer import UNITS, Offer
from massmail_plugin.admin.exports import CriterionExport
from massmail_plugin.admin.frame.forms import ScreenForm, filled, strip, text
from massmail_plugin.admin.frame.paging import numbered
from massmail_plugin.admin.frame.section import screen
from massmail_plugin.contracts import ContactSource
from massmail_plugin.errors import MassMailError
from massmail_plugin.models import Criterion
from massmail_plugin.vocabulary import Act

NAMED = 10
"""So many of those that use a criterion are named."""


class CriterionForm(ScreenForm):
    """Name and description; the rule is in lines beside it (rule_form)."""

    name = text("Name", required="Give the criterion a name.")
    description = TextAreaField(
        "Description",
        [Length(max=2000, message="At most 2000 characters fit here.")],
        filters=[strip],
        description="What it is for, for your colleagues.",
    )
    rule_wrong: list[tuple[str, str, str]] = []

    @property
    def wrong(self) -> list[tuple[str, str, str]]:
        return [*super().wrong, *self.rule_wrong]


class Criteria(CriterionExport):
    title = "Criteria"
    slug = "criteria"

    @screen("/", Act.CRITERION_EDIT)
    def index(self) -> str:
        page = numbered(self.host.session, criterion_rows.table())
        return self.render(
            "massmail/admin/criteria/index.html",
            title="Criteria",
            page=page,
            uses=criterion_rows.uses(self.host, page.rows),
            words=lambda criterion: criterion_rows.words(self.host, criterion),
        )

    @screen("/<int:criterion_id>", Act.CRITERION_EDIT)
    def show(self, criterion_id: int) -> str:
        criterion = self._criterion(criterion_id)
        return self.render(
            "massmail/admin/criteria/show.html",
            title=criterion.name,
            criterion=criterion,
            finds=self._found_by(criterion, counting=request.args.get("count") == "1"),
            use=criterion_rows.use(self.host, criterion),
            page_of=lambda ref: page_of(self.host, ref),
        )

    @screen("/<int:criterion_id>/finds", Act.CRITERION_EDIT)
    def finds(self, criterion_id: int) -> str:
        """Count and sample of a saved one, for the script."""
        criterion = self._criterion(criterion_id)
        found = self._found_by(criterion, counting=True)
        return self.render(
            "massmail/admin/criteria/_finds.html",
            criterion=criterion,
            finds=found,
            page_of=lambda ref: page_of(self.host, ref),
        )

    @screen("/new", Act.CRITERION_EDIT, ("GET", "POST"))
    def new(self) -> ResponseReturnValue:
        return self._edited(None, self._source_asked_for())

    @screen("/<int:criterion_id>/edit", Act.CRITERION_EDIT, ("GET", "POST"))
    def edit(self, criterion_id: int) -> ResponseReturnValue:
        criterion = self._criterion(criterion_id)
        return self._edited(criterion, self.host.source(criterion.contact_source))

    @screen("/lines", Act.CRITERION_EDIT, ("POST",))
    def lines(self) -> str:
        """The builder after a button or a choice, for the script: the same as posting the whole form."""
        root = rule_form.read(request.form)
        focus = rule_form.press(root, request.form.get("press", "")) or request.headers.get("HX-Trigger", "")
        built = self._built(self._source_asked_for(), self._edited_one(), root, focus)
        return self.render("massmail/admin/criteria/_builder.html", **built)

    @screen("/count", Act.CRITERION_EDIT, ("POST",))
    def count(self) -> str:
        """Count and sample for the lines as they stand, for the script."""
        built = self._built(self._source_asked_for(), self._edited_one(), rule_form.read(request.form))
        return self.render("massmail/admin/criteria/_finds.html", **built)

    @screen("/<int:criterion_id>/copy", Act.CRITERION_EDIT, ("POST",))
    def copy(self, criterion_id: int) -> ResponseReturnValue:
        made = criterion_rows.copy(self.host, self._criterion(criterion_id))
        self.commit()
        return self.done(f"“{made.name}” was made.", "massmail_criteria.edit", criterion_id=made.id)

    @screen("/<int:criterion_id>/delete", Act.CRITERION_EDIT, ("GET", "POST"))
    def delete(self, criterion_id: int) -> ResponseReturnValue:
        criterion = self._criterion(criterion_id)
        used = criterion_rows.use(self.host, criterion)
        if request.method == "POST" and used.free:
            self.host.session.delete(criterion)
            self.commit()
            return self.done(f"The criterion “{criterion.name}” was deleted.", "massmail_criteria.index")
        return self.confirm(
            title=f"Delete the criterion “{criterion.name}”?",
            words="Nothing uses it. Contacts and lists stay as they are." if used.free else _why_not(used),
            button="Delete criterion",
            back=url_for("massmail_criteria.show", criterion_id=criterion.id),
            danger=True,
            possible=used.free,
        )

    # --- the builder ---

    def _edited(self, criterion: Criterion | None, source: ContactSource) -> ResponseReturnValue:
        form, pressed = filled(CriterionForm, criterion), request.form.get("press", "")
        root = rule_lines.lines_of(criterion.rule) if criterion else rule_form.new_root()
        if request.method == "POST":
            root = rule_form.read(request.form)
        saving = request.method == "POST" and not pressed
        if saving and (saved := self._saved(criterion, source, form, root)):
            said = f"The criterion “{saved.name}” was saved."
            return self.done(said, "massmail_criteria.show", criterion_id=saved.id)
        built = self._built(source, criterion, root, rule_form.press(root, pressed), drafting=not saving)
        page = self.render(
            "massmail/admin/criteria/form.html",
            title="Modify criterion" if criterion else "New criterion",
            form=form,
            used=criterion_rows.use(self.host, criterion).words if criterion else "",
            sources=self.host.sources,
            **built,
        )
        return page, 422 if saving else 200

    def _saved(
        self, criterion: Criterion | None, source: ContactSource, form: CriterionForm, root: Line
    ) -> Criterion | None:
        sound, checked = form.validate(), check(Offer(self.host, source, criterion), root, drafting=False)
        if form.name.data and criterion_rows.name_taken(self.host, form.name.data, criterion):
            form.refuse("name", "Another criterion has this name.")
        form.rule_wrong = checked.wrong
        if not sound or form.wrong or checked.rule is None:
            return None
        now = self.host.clock()
        row = criterion or Criterion(contact_source=source.source_name, created_at=now)
        row.name, row.description, row.rule, row.updated_at = form.name.data, form.description.data, checked.rule, now
        self.host.session.add(row)
        self.commit()
        return row

    def _built(
        self, source: ContactSource, criterion: Criterion | None, root: Line, focus: str = "", *, drafting: bool = True
    ) -> dict[str, Any]:
        offer = Offer(self.host, source, criterion)
        checked = check(offer, root, drafting=drafting)
        return {
            "offer": offer,
            "units": UNITS,
            "criterion": criterion,
            "root": root,
            "root_id": ROOT,
            "rules": rule_form,
            "called": called,
            "source": source,
            "focus": focus,
            "checked": checked,
            "drafting": drafting,
            "finds": self._finds(source, checked.rule, counting=request.method == "POST"),
            "page_of": lambda ref: page_of(self.host, ref),
        }

    def _finds(self, source: ContactSource, rule: dict[str, Any] | None, *, counting: bool) -> criterion_rows.Finds:
        people = self.allowed(Act.PEOPLE_VIEW)
        return criterion_rows.finds(self.host, source, rule, people=people, counting=counting)

    def _found_by(self, criterion: Criterion, *, counting: bool) -> criterion_rows.Finds:
        """The host may have given up the contacts it is about."""
        try:
            source = self.host.source(criterion.contact_source)
        except MassMailError as error:
            return criterion_rows.Finds("", problem=str(error))
        return self._finds(source, criterion.rule, counting=counting)

    def _edited_one(self) -> Criterion | None:
        """The criterion whose lines a script sends, or None for a new one."""
        number = request.form.get("criterion_id", "")
        return self._criterion(int(number)) if number.isascii() and number.isdigit() else None

    def _source_asked_for(self) -> ContactSource:
        asked = request.values.get("contact_source", "")
        return self.host.source(asked if asked else next(iter(self.host.sources)))

    def _criterion(self, criterion_id: int) -> Criterion:
        criterion = self.get(Criterion, criterion_id)
        self.require(Act.CRITERION_EDIT, criterion)
        return criterion


def _why_not(used: criterion_rows.Use) -> list[str]:
    """Where it is used, by name."""
    named = [f"the list “{one.name}”" for one in used.lists] + [f"the criterion “{one.name}”" for one in used.criteria]
    named += [f"the mailing “{one.name}”" for one in used.newest]
    others = used.mailings > len(used.newest) or len(named) > NAMED
    shown = ", ".join(named[:NAMED]) + (" and others" if others else "")
    return [
        f"It is used by {used.words}{f': {shown}' if named else ''}.",
        "Without it, nobody could say any more whom they are for.",
    ]
