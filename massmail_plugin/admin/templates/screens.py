"""The screens of templates: list, editor, copy, delete, preview as a contact, test mail. Commits."""

import re
from typing import Any

from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from massmail_plugin import composing
from massmail_plugin.admin.contacts.chooser import ContactChooser
from massmail_plugin.admin.frame import guard
from massmail_plugin.admin.frame.forms import filled, number_or_none
from massmail_plugin.admin.frame.paging import numbered
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.lists.groups import chooser
from massmail_plugin.admin.mailings import status_choices
from massmail_plugin.admin.senders import REMEMBERED
from massmail_plugin.admin.templates.form import TemplateForm
from massmail_plugin.admin.templates.mail_frame import framed
from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import BadRequest, MassMailError, RenderError, TemplateError
from massmail_plugin.mailings import library, send_test
from massmail_plugin.mailings.preview import preview, template_identity
from massmail_plugin.models import Mailing, OutboxMessage, Segment, Sender, Template, Topic
from massmail_plugin.vocabulary import Act, MessageState

VIEWS = {
    "desktop": "Desktop",
    "phone": "Phone",
    "text": "Text",
    "source": "Source",
    "headers": "Headers",
}


class Templates(Section):
    title = "Templates"
    slug = "templates"

    @screen("/", Act.RESULTS_VIEW)
    def index(self) -> str:
        query = select(Template).order_by(Template.name)
        wanted = request.args.get("q", "").strip()
        if wanted:
            query = query.where(
                Template.name.icontains(wanted, autoescape=True)
                | Template.topic.has(Topic.name.icontains(wanted, autoescape=True))
            )
        page = numbered(self.host.session, query)
        return self.render("massmail/admin/templates.html", title="Templates", page=page, q=wanted)

    @screen("/new", Act.TEMPLATE_EDIT, ("GET", "POST"))
    def new(self) -> ResponseReturnValue:
        return self._edited(None)

    @screen("/<int:template_id>/edit", Act.TEMPLATE_EDIT, ("GET", "POST"))
    def edit(self, template_id: int) -> ResponseReturnValue:
        template = self.get(Template, template_id)
        self.require(Act.TEMPLATE_EDIT, template)
        return self._edited(template)

    @screen("/<int:template_id>/copy", Act.TEMPLATE_EDIT, ("POST",))
    def copy(self, template_id: int) -> ResponseReturnValue:
        template = self.get(Template, template_id)
        self.require(Act.TEMPLATE_EDIT, template)
        made = library.copy(self.host, template, by=guard.user_name())
        self.commit()
        return self.done(
            f"“{made.name}” was made. Give it a name of its own.", "massmail_templates.edit", template_id=made.id
        )

    @screen("/<int:template_id>/delete", Act.TEMPLATE_EDIT, ("GET", "POST"))
    def delete(self, template_id: int) -> ResponseReturnValue:
        template = self.get(Template, template_id)
        self.require(Act.TEMPLATE_EDIT, template)
        if request.method == "POST":
            name = template.name
            library.delete(self.host, template)
            self.commit()
            return self.done(f"The template “{name}” was deleted.", "massmail_templates.index")
        users = library.used_by(self.host, template)
        words = (
            ["It cannot be deleted, because these need it:", *users] if users else "Its earlier versions go with it."
        )
        return self.confirm(
            title=f"Delete the template “{template.name}”?",
            words=words,
            button="Delete template",
            back=url_for("massmail_templates.index"),
            danger=True,
            possible=not users,
        )

    @screen("/<int:template_id>", Act.RESULTS_VIEW)
    def show(self, template_id: int) -> ResponseReturnValue:
        template = self.get(Template, template_id)
        self.require(Act.RESULTS_VIEW, template)
        chooser = ContactChooser(self)
        made, problem = None, ""
        try:
            made = self._preview(template, chooser.chosen)
        except MassMailError as error:
            problem = str(error)
        return self.render(
            "massmail/admin/template.html",
            title=template.name,
            row=template,
            version=library.newest(template),
            chooser=chooser,
            preview=made,
            frame=framed(made.html, self.nonce()) if made and made.html else "",
            problem=problem,
            views=VIEWS,
            view=request.args.get("view") if request.args.get("view") in VIEWS else "desktop",
        )

    def _preview(self, template: Template, contact: ContactRef | None) -> Any:
        if contact is None:
            raise BadRequest(
                "There is no contact to show it for. Add one in the application, or search for another name."
            )
        who = template_identity(self.host, template)
        return preview(self.host, library.newest(template), contact=contact, who=who, topic=template.topic_title)

    @screen("/<int:template_id>/test", Act.MAILING_TEST, ("GET", "POST"))
    def test(self, template_id: int) -> ResponseReturnValue:
        template = self.get(Template, template_id)
        self.require(Act.MAILING_TEST, template)
        chooser = ContactChooser(self)
        wanted = request.form.get("addresses", session.get(REMEMBERED, ""))
        problem = ""
        if request.method == "POST":
            try:
                mailing = self._send_test(template, chooser.chosen, wanted)
            except (BadRequest, RenderError, TemplateError) as error:
                self.host.session.rollback()
                template, problem = self.get(Template, template_id), str(error)
            else:
                session[REMEMBERED] = wanted
                return redirect(url_for("massmail_templates.tested", template_id=template_id, mailing_id=mailing.id))
        page = self.render(
            "massmail/admin/template_test.html",
            title="Send a test",
            row=template,
            chooser=chooser,
            addresses=wanted,
            problem=problem,
            senders=self._senders(),
            chosen_sender=request.form.get("sender_id", str(template.sender_id or "")),
        )
        return page, 422 if problem else 200

    def _send_test(self, template: Template, contact: ContactRef | None, wanted: str) -> Mailing:
        mailing = send_test(
            self.host,
            template_id=template.id,
            addresses=[part for part in re.split(r"[\s,;]+", wanted) if part],
            contact=contact,
            sender_id=self._chosen_sender(),
            by=guard.user_name(),
        )
        self.commit()
        return mailing

    def _chosen_sender(self) -> int | None:
        """The posted sender, or None for the template's own."""
        wanted = request.form.get("sender_id", "")
        if wanted not in {"", *(str(sender.id) for sender in self._senders())}:
            raise BadRequest("That sender is not there any more. Choose another.")
        return number_or_none(wanted)

    @screen("/<int:template_id>/test/<int:mailing_id>", Act.MAILING_TEST)
    def tested(self, template_id: int, mailing_id: int) -> str:
        template = self.get(Template, template_id)
        return self.render(
            "massmail/admin/template_tested.html",
            title="Test mail",
            row=template,
            queue=self.host.queue_status(),
            **self._tested(template_id, mailing_id),
        )

    @screen("/<int:template_id>/test/<int:mailing_id>/panel", Act.MAILING_TEST)
    def panel(self, template_id: int, mailing_id: int) -> str:
        return self.render("massmail/admin/_tested.html", **self._tested(template_id, mailing_id))

    def _tested(self, template_id: int, mailing_id: int) -> dict[str, Any]:
        mailing = self.get(Mailing, mailing_id)
        if not mailing.is_test or mailing.template_id != template_id:
            raise BadRequest("That is no test of this template.")
        rows = self.host.session.scalars(
            select(OutboxMessage).where(OutboxMessage.mailing_id == mailing_id).order_by(OutboxMessage.id)
        ).all()
        waiting = any(not MessageState(row.state).final for row in rows)
        return {"mailing": mailing, "messages": rows, "waiting": waiting}

    def _edited(self, template: Template | None) -> ResponseReturnValue:
        form = filled(TemplateForm, template, **self._words(template))
        form.sender_id.choices = [("", "None of its own"), *((str(s.id), s.name) for s in self._senders())]
        form.topic_id.choices = chooser(self.host, Topic, template.topic_id if template else None)
        form.segment_id.choices = chooser(self.host, Segment, template.segment_id if template else None)
        form.actions.choices = self._actions(template)
        overrides = self._overrides(template)
        if request.method == "POST" and form.validate() and (saved := self._saved(template, form, overrides)):
            return self._after_save(saved)
        page = self.render(
            "massmail/admin/template_form.html",
            title="Modify template" if template else "New template",
            form=form,
            row=template,
            status_choices=status_choices.choices(self.host, overrides),
            has_history=self.host.hooks.write_history is not None,
            merge_fields=composing.merge_fields(self.host, next(iter(self.host.sources.values()))),
        )
        return page, 422 if form.wrong else 200

    def _actions(self, template: Template | None) -> list[tuple[str, str]]:
        """What the application offers, and what it has taken away since."""
        offered = [(name, label) for name, (label, _) in self.host.hooks.actions.items()]
        chosen = (template.actions if template else None) or ()
        gone = [name for name in chosen if name not in self.host.hooks.actions]
        return offered + [(name, f"{name} (the application has it no longer)") for name in gone]

    def _overrides(self, template: Template | None) -> dict[str, str | None] | None:
        if request.method == "POST":
            return status_choices.read(self.host, request.form)
        return template.statuses if template else None

    def _words(self, template: Template | None) -> dict[str, Any]:
        if template is None:
            return {}
        words = library.newest(template)
        return {"subject": words.subject, "html": words.html, "text": words.text, "based_on": words.number}

    def _saved(
        self, template: Template | None, form: TemplateForm, overrides: dict[str, str | None] | None
    ) -> Template | None:
        values = {name: value for name, value in form.data.items() if name != "based_on"}
        if self.host.hooks.write_history is None:
            values["keeps_history"] = bool(template and template.keeps_history)
        draft = library.TemplateDraft(**{**values, "statuses": overrides})
        given = form.based_on.data or ""
        based_on = int(given) if given.isdecimal() and len(given) < 10 else None
        try:
            saved = library.save(self.host, template, draft, by=guard.user_name(), based_on=based_on)
        except TemplateError as error:
            for fault in error.faults:
                form.refuse(fault.part, f"Line {fault.line}, column {fault.column}: {fault.message}")
        except BadRequest as error:
            form.refuse("name", str(error))
        else:
            self.commit()
            return saved
        self.host.session.rollback()
        return None

    def _after_save(self, saved: Template) -> ResponseReturnValue:
        for warning in library.warnings(self.host, saved):
            flash(warning, "warning")
        return self.done(
            f"“{saved.name}” was saved as version {saved.version_number}.",
            "massmail_templates.show",
            template_id=saved.id,
        )

    def _senders(self) -> list[Sender]:
        return list(self.host.session.scalars(select(Sender).order_by(Sender.name)))
