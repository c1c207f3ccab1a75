"""The screens of a mailing before it is launched: made, its sections, copied, deleted. Views commit."""

from collections.abc import Sequence
from typing import Any

from flask import abort, make_response, request, url_for
from flask.typing import ResponseReturnValue

from massmail_plugin import audience, mailings
from massmail_plugin.admin.frame import guard, wording
from massmail_plugin.admin.frame.forms import filled
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.mailings import forms as mailing_forms
from massmail_plugin.admin.mailings import status_choices
from massmail_plugin.admin.mailings import tabs as mailing_tabs
from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import BadRequest, MassMailError
from massmail_plugin.models import List, Mailing, Template
from massmail_plugin.vocabulary import Act, MailingState

LIST = "massmail_mailings.index"
SHOW = "massmail_mailings.show"


class DraftScreens(Section):
    """Everything that changes a draft."""

    @screen("/new", Act.MAILING_PREPARE, ("GET", "POST"))
    def new(self) -> ResponseReturnValue:
        form = filled(mailing_forms.NewMailingForm)
        form.contact_source.choices = mailing_forms.source_choices(self.host)
        if len(self.host.sources) == 1:
            del form.contact_source
        if request.method == "POST" and form.validate():
            return self._create(form)
        page = self.render("massmail/admin/mailings/new.html", title="New mailing", form=form)
        return page, 422 if form.errors else 200

    def _create(self, form: mailing_forms.NewMailingForm) -> ResponseReturnValue:
        source = form.contact_source.data if "contact_source" in form else next(iter(self.host.sources))
        first = mailing_forms.role_choices(self.host, source)[:1]
        mailing = mailings.create(
            self.host,
            name=form.name.data,
            contact_source=source,
            by=guard.user_name(),
            address_roles=[role for role, _ in first],
        )
        self.commit()
        return self.done("The draft is saved.", "massmail_mailings.message", mailing_id=mailing.id)

    @screen("/<int:mailing_id>/message", Act.MAILING_PREPARE, ("GET", "POST"))
    def message(self, mailing_id: int) -> ResponseReturnValue:
        mailing = self.draft(mailing_id)
        form = filled(mailing_forms.MessageForm, mailing, untracked=not mailing.tracking)
        form.template_id.choices = mailing_forms.template_choices(self.host)
        problem, chosen = "", mailing.statuses
        if request.method == "POST" and form.validate():
            try:
                chosen = status_choices.read(self.host, request.form)
                values = {name: value for name, value in form.data.items() if name != "untracked"}
                tracking = not form.untracked.data
                return self.save(mailing, "recipients", statuses=chosen, tracking=tracking, **values)
            except BadRequest as error:
                problem = str(error)
        usual = mailing.template.statuses if mailing.template else None
        lines = status_choices.choices(self.host, chosen, usual)
        return self.section_page(
            mailing, "message", form=form, status_choices=lines, problem=problem, overridden=len(mailing.statuses or {})
        )

    @screen("/<int:mailing_id>/recipients", Act.MAILING_PREPARE, ("GET", "POST"))
    def recipients(self, mailing_id: int) -> ResponseReturnValue:
        mailing = self.draft(mailing_id)
        form = self._recipients_form(mailing)
        if request.method == "POST" and form.validate():
            return self.save(mailing, "schedule", **form.data)
        steps, problem = self._funnel(mailing)
        found = mailings.checklist(self.host, mailing, steps=steps)
        shown = mailing_tabs.telling_steps(steps)
        return self.section_page(mailing, "recipients", form=form, steps=shown, problem=problem, found=found)

    def _recipients_form(self, mailing: Mailing) -> mailing_forms.RecipientsForm:
        """The form as it is saved, without what this host has nothing to choose for."""
        own, excluded = ([one.id for one in lists] for lists in (mailing.lists, mailing.excluded_lists))
        form = filled(
            mailing_forms.RecipientsForm,
            list_ids=own,
            excluded_list_ids=excluded,
            criterion_id=mailing.criterion_id,
            contact_statuses=mailing.contact_statuses,
            address_roles=mailing_forms.chosen_roles(self.host, mailing),
            one_per_address=mailing.one_per_address,
            resend_window=mailing.resend_window,
            resend_of=mailing.resend_of,
        )
        form.list_ids.choices = mailing_forms.list_choices(self.host, own)
        form.excluded_list_ids.choices = mailing_forms.list_choices(self.host, excluded, archived=True)
        form.criterion_id.choices = mailing_forms.criterion_choices(self.host, mailing.contact_source)
        form.address_roles.choices = mailing_forms.role_choices(self.host, mailing.contact_source)
        form.contact_statuses.choices = mailing_forms.host_statuses(self.host, mailing.contact_statuses)
        if len(form.address_roles.choices) == 1:
            del form.address_roles
        if self.host.source(mailing.contact_source).status is None or not form.contact_statuses.choices:
            del form.contact_statuses
        return form

    def _funnel(self, mailing: Mailing) -> tuple[list[audience.FunnelStep], str]:
        """The steps of the funnel, or why there is none."""
        if not mailing.lists:
            return [], ""
        try:
            return mailings.funnel(self.host, mailing), ""
        except MassMailError as error:
            return [], str(error)

    @screen("/<int:mailing_id>/schedule", Act.MAILING_PREPARE, ("GET", "POST"))
    def schedule(self, mailing_id: int) -> ResponseReturnValue:
        mailing = self.draft(mailing_id)
        form = filled(mailing_forms.SenderForm, **_start(mailing))
        form.sender_id.choices = mailing_forms.sender_choices(self.host, mailing.template)
        if request.method == "POST" and form.validate():
            try:
                starts = form.starts(self.host.clock())
                retries, told = form.retries.data == mailing_forms.BY_ITSELF, form.digest_to.data
                values = {"sender_id": form.sender_id.data, "scheduled_at": starts, "retries": retries}
                return self.save(mailing, "check", **values, digest_to=told)
            except BadRequest:
                pass
        return self.section_page(mailing, "schedule", form=form)

    @screen("/<int:mailing_id>/copy", Act.MAILING_PREPARE, ("POST",))
    def copy(self, mailing_id: int) -> ResponseReturnValue:
        mailing = self.get(Mailing, mailing_id)
        self.require(Act.MAILING_PREPARE, mailing)
        made = mailings.copy(self.host, mailing, by=guard.user_name())
        self.commit()
        return self.done(f"This is a copy of “{mailing.name}”.", "massmail_mailings.message", mailing_id=made.id)

    @screen("/<int:mailing_id>/delete", Act.MAILING_PREPARE, ("GET", "POST"))
    def delete(self, mailing_id: int) -> ResponseReturnValue:
        mailing = self.draft(mailing_id)
        if request.method != "POST":
            return self.confirm(
                title=f"Delete “{mailing.name}”?",
                words="This draft was never sent. Its template, lists and criterion stay.",
                button="Delete draft",
                back=url_for(SHOW, mailing_id=mailing.id),
                danger=True,
            )
        name = mailing.name
        mailings.remove(self.host, mailing)
        self.commit()
        return self.done(f"“{name}” is deleted.", LIST)

    @screen("/<int:mailing_id>/test", Act.MAILING_TEST, ("POST",))
    def test(self, mailing_id: int) -> ResponseReturnValue:
        mailing = self.draft(mailing_id, Act.MAILING_TEST)
        form = filled(mailing_forms.TestForm)
        if form.validate():
            try:
                return self._send_test(mailing, form)
            except MassMailError as error:
                self.host.session.rollback()
                form.refuse("contact" if isinstance(error, NoSuchContact) else "addresses", str(error))
        return self.section_page(mailing, "check", test=form)

    def _send_test(self, mailing: Mailing, form: mailing_forms.TestForm) -> ResponseReturnValue:
        addresses = form.addresses.data.replace(";", ",").split(",")
        made = mailings.send_test(
            self.host,
            template_id=mailing.template_id or 0,
            addresses=addresses,
            contact=self._contact(mailing, form.contact.data),
            sender_id=mailing.sender_id,
            by=guard.user_name(),
            like=mailing,
        )
        self.commit()
        return self.done("The test is on its way. Below you see what becomes of it.", SHOW, mailing_id=made.id)

    def _contact(self, mailing: Mailing, wanted: str | None) -> ContactRef | None:
        found = audience.find(self.host, self.host.source(mailing.contact_source), wanted or "", limit=4)
        if not wanted:
            return found[0].ref if found else None
        if not found:
            raise NoSuchContact(f"Nobody is called “{wanted}”.")
        if len(found) > 1:
            names = ", ".join(summary.name for summary in found[:3])
            raise NoSuchContact(f"Several contacts fit “{wanted}”: {names}. Write more of the name or the address.")
        return found[0].ref

    # --- what the sections share ---

    def draft(self, mailing_id: int, act: Act = Act.MAILING_PREPARE) -> Mailing:
        """The draft; once it was launched the visitor is sent to its page with the reason why it is locked."""
        mailing = self.get(Mailing, mailing_id)
        self.require(act, mailing)
        if mailing.state != MailingState.DRAFT.value:
            words = f"“{mailing.name}” was launched, so it can no longer be changed. Copy it and change the copy."
            abort(make_response(self.refused(words, SHOW, mailing_id=mailing.id)))
        return mailing

    def save(self, mailing: Mailing, following: str, **values: Any) -> ResponseReturnValue:
        """Change the draft; go on to the following section or stay, as the button says."""
        mailings.change(self.host, mailing, **values)
        self.commit()
        section = following if "onward" in request.form else str(request.endpoint).rpartition(".")[2]
        return self.done("Saved.", f"massmail_mailings.{section}", mailing_id=mailing.id)

    def section_page(
        self, mailing: Mailing, section: str, *, found: mailings.Checklist | None = None, **values: Any
    ) -> ResponseReturnValue:
        """One section in its frame of tabs; a form with faults is answered with 422."""
        found = found or mailings.checklist(self.host, mailing)
        if section == "check":
            values.setdefault("test", filled(mailing_forms.TestForm) if request.method != "POST" else None)
            values |= {"sections": mailing_tabs.LABELS, "lines": mailing_tabs.worst_first(found)}
        page = self.render(
            f"massmail/admin/mailings/{section}.html",
            title=mailing.name,
            mailing=mailing,
            found=found,
            tabs=mailing_tabs.tabs(found),
            current=section,
            identity=shown_identity(mailing),
            starts=mailing.scheduled_at,
            **values,
        )
        wrong = any(values.get(name) and values[name].errors for name in ("form", "test")) or values.get("problem")
        return page, 422 if wrong and request.method == "POST" else 200


class NoSuchContact(BadRequest):
    """The contact a test should be written to is not one contact."""


def shown_identity(mailing: Mailing) -> mailings.Identity | None:
    """Whose name it goes out under, where that is known."""
    sender = mailings.chosen_sender(mailing)
    if sender is None or mailing.template is None:
        return None
    return mailings.identity(mailing, mailing.template, sender)


def _start(mailing: Mailing) -> dict[str, Any]:
    """What the schedule form shows: the saved moment in UTC; a script turns it into the reader's own zone."""
    at = mailing.scheduled_at
    own = {
        "sender_id": mailing.sender_id,
        "digest_to": mailing.digest_to,
        "retries": mailing_forms.BY_ITSELF if mailing.retries else mailing_forms.BY_PERSON,
    }
    if at is None:
        return {**own, "start": mailing_forms.NOW, "zone": "UTC"}
    return {
        **own,
        "start": mailing_forms.AT,
        "day": at.date(),
        "at": at.time(),
        "zone": "UTC",
    }


def latest_subject(template: Template | None) -> str:
    """The subject as it was last saved."""
    return template.versions[-1].subject if template is not None and template.versions else ""


def who_may_send(admin_name: str, closed: Sequence[List] = ()) -> str:
    """What a person reads who may prepare but not send, or not to these lists."""
    lists = f" to {', '.join(f'“{list_.name}”' for list_ in closed)}" if closed else ""
    return (
        f"Your account may not {wording.ACTS[Act.MAILING_SEND]}{lists}. Somebody who may can send it from this page; "
        f"whoever manages the accounts of {admin_name} knows who that is."
    )
