"""The screens of campaigns: list, edit, mails by day, start and stop, totals, and the people inside. Views commit."""

from collections.abc import Callable
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from werkzeug.exceptions import NotFound

from massmail_plugin import campaigns, mailings
from massmail_plugin.admin.campaigns import forms as campaign_forms
from massmail_plugin.admin.campaigns.people import members, waiting_outside
from massmail_plugin.admin.contacts.search import page_of
from massmail_plugin.admin.frame import guard, wording, workers
from massmail_plugin.admin.frame.forms import filled
from massmail_plugin.admin.frame.paging import Page, numbered
from massmail_plugin.admin.frame.section import Section, in_dialog, screen
from massmail_plugin.admin.mailings import forms as mailing_forms
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest, MassMailError
from massmail_plugin.models import Campaign, CampaignStep, Enrolment
from massmail_plugin.vocabulary import Act, CampaignState, EnrolmentState

SHOW = "massmail_campaigns.show"
PEOPLE = 50


class Campaigns(Section):
    title = "Campaigns"
    slug = "campaigns"

    @screen("/", Act.RESULTS_VIEW)
    def index(self) -> ResponseReturnValue:
        page = numbered(self.host.session, select(Campaign).order_by(Campaign.name))
        inside = _inside(self.host, [campaign.id for campaign in page.rows])
        return self.render("massmail/admin/campaigns/list.html", title="Campaigns", page=page, inside=inside)

    @screen("/new", Act.CAMPAIGN_EDIT, ("GET", "POST"))
    def new(self) -> ResponseReturnValue:
        form = self._form(None)
        if request.method == "POST" and form.validate():
            source = form.contact_source.data if "contact_source" in form else next(iter(self.host.sources))
            made = self._saved(
                form, lambda **values: campaigns.create(self.host, source_name=source, by=guard.user_name(), **values)
            )
            if made is not None:
                return self.done("The campaign is saved. Now add its mails.", SHOW, campaign_id=made.id)
        return self._form_page("New campaign", form, None)

    @screen("/<int:campaign_id>/edit", Act.CAMPAIGN_EDIT, ("GET", "POST"))
    def edit(self, campaign_id: int) -> ResponseReturnValue:
        campaign = self._editable(campaign_id)
        form = self._form(campaign)
        if request.method == "POST" and form.validate():
            changed = self._saved(form, lambda **values: self._change(campaign, **values))
            if changed is not None:
                return self.done("Saved.", SHOW, campaign_id=campaign_id)
            campaign = self.get(Campaign, campaign_id)
        return self._form_page(f"Edit “{campaign.name}”", form, campaign)

    def _change(self, campaign: Campaign, **values: Any) -> Campaign:
        campaigns.save(self.host, campaign, **values)
        return campaign

    def _saved(self, form: campaign_forms.CampaignForm, save: Callable[..., Campaign]) -> Campaign | None:
        values = {name: form[name].data for name in ("name", "description", "list_ids", "sender_id")}
        try:
            campaign = save(**values, tracking=not form.untracked.data)
        except BadRequest as error:
            self.host.session.rollback()
            form.refuse("name", str(error))
            return None
        self.commit()
        return campaign

    def _form(self, campaign: Campaign | None) -> campaign_forms.CampaignForm:
        own = [list_.id for list_ in campaign.lists] if campaign else []
        untracked = campaign is not None and not campaign.tracking
        form = filled(campaign_forms.CampaignForm, campaign, list_ids=own, untracked=untracked)
        form.contact_source.choices = mailing_forms.source_choices(self.host)
        form.list_ids.choices = mailing_forms.list_choices(self.host, own)
        form.sender_id.choices = [("", "That of each template"), *mailing_forms.sender_choices(self.host, None)[1:]]
        if campaign is not None or len(self.host.sources) == 1:
            del form.contact_source
        return form

    def _form_page(
        self, title: str, form: campaign_forms.CampaignForm, campaign: Campaign | None
    ) -> ResponseReturnValue:
        page = self.render("massmail/admin/campaigns/form.html", title=title, form=form, campaign=campaign)
        return page, 422 if form.wrong else 200

    @screen("/<int:campaign_id>", Act.RESULTS_VIEW)
    def show(self, campaign_id: int) -> ResponseReturnValue:
        return self._show(self._readable(campaign_id), filled(campaign_forms.StepForm))

    def _show(self, campaign: Campaign, form: campaign_forms.StepForm) -> ResponseReturnValue:
        queue = workers.asked(self.host)
        form.template_id.choices = mailing_forms.template_choices(self.host)
        totals = campaigns.totals(self.host, campaign)
        opened = [step.mailing_id for step in campaign.steps if step.mailing_id]
        page = self.render(
            "massmail/admin/campaigns/show.html",
            title=campaign.name,
            campaign=campaign,
            totals=totals,
            responses=mailings.overview(self.host, opened),
            form=form,
            queue=queue,
            missing=_missing(campaign),
        )
        return page, 422 if form.wrong else 200

    # --- its mails ---

    @screen("/<int:campaign_id>/steps", Act.CAMPAIGN_EDIT, ("POST",))
    def add_step(self, campaign_id: int) -> ResponseReturnValue:
        campaign = self._editable(campaign_id)
        form = filled(campaign_forms.StepForm)
        form.template_id.choices = mailing_forms.template_choices(self.host)
        if form.validate():
            if form.template_id.data is None:
                form.refuse("template_id", "Choose a template.")
            elif self._step_added(campaign, form):
                return self.done(f"The mail on day {form.day.data} is added.", SHOW, campaign_id=campaign_id)
        return self._show(self.get(Campaign, campaign_id), form)

    def _step_added(self, campaign: Campaign, form: campaign_forms.StepForm) -> bool:
        try:
            campaigns.add_step(self.host, campaign, day=form.day.data, template_id=form.template_id.data)
        except BadRequest as error:
            self.host.session.rollback()
            form.refuse("day", str(error))
            return False
        self.commit()
        return True

    @screen("/<int:campaign_id>/steps/<int:step_id>/remove", Act.CAMPAIGN_EDIT, ("GET", "POST"))
    def remove_step(self, campaign_id: int, step_id: int) -> ResponseReturnValue:
        campaign = self._editable(campaign_id)
        step = self.get(CampaignStep, step_id)
        if step.campaign_id != campaign.id:
            raise NotFound
        if request.method != "POST":
            return self._ask_to_remove(campaign, step)
        day = step.day
        campaigns.remove_step(self.host, campaign, step)
        self.commit()
        return self.done(f"The mail on day {day} is taken out.", SHOW, campaign_id=campaign_id)

    def _ask_to_remove(self, campaign: Campaign, step: CampaignStep) -> ResponseReturnValue:
        active = campaign.state == CampaignState.ACTIVE.value
        words = [f"“{step.template.name}” is not sent any more. Who was to get it goes on with the next mail."]
        if step.mailing_id:
            words.append("What was sent stays on record.")
        return self.confirm(
            title=f"Take out the mail on day {step.day}?",
            words="The campaign is active. Pause it first." if active else words,
            button="Take it out",
            back=url_for(SHOW, campaign_id=campaign.id),
            danger=True,
            possible=not active,
        )

    # --- start, stop, delete ---

    @screen("/<int:campaign_id>/activate", Act.CAMPAIGN_ACTIVATE, ("GET", "POST"))
    def activate(self, campaign_id: int) -> ResponseReturnValue:
        campaign = self.get(Campaign, campaign_id)
        self.require(Act.CAMPAIGN_ACTIVATE, campaign)
        if request.method == "POST":
            return self._activate(campaign, include_present=request.form.get("present") == "yes")
        name = "activate_question.html" if in_dialog() else "activate.html"
        return self.render(
            f"massmail/admin/campaigns/{name}",
            title=f"Activate “{campaign.name}”?",
            campaign=campaign,
            outside=waiting_outside(self.host, campaign),
            missing=_missing(campaign),
        )

    def _activate(self, campaign: Campaign, *, include_present: bool) -> ResponseReturnValue:
        campaign_id = campaign.id
        try:
            taken_in = campaigns.activate(self.host, campaign, by=guard.user_name(), include_present=include_present)
        except MassMailError as error:
            self.host.session.rollback()
            return self.refused(str(error), SHOW, campaign_id=campaign_id)
        self.commit()
        words = f" {taken_in:,} contacts are in it now." if taken_in else ""
        return self.done(f"The campaign is active.{words}", SHOW, campaign_id=campaign_id)

    @screen("/<int:campaign_id>/pause", Act.CAMPAIGN_ACTIVATE, ("POST",))
    def pause(self, campaign_id: int) -> ResponseReturnValue:
        campaign = self.get(Campaign, campaign_id)
        self.require(Act.CAMPAIGN_ACTIVATE, campaign)
        try:
            campaigns.pause(self.host, campaign, by=guard.user_name())
        except MassMailError as error:
            self.host.session.rollback()
            return self.refused(str(error), SHOW, campaign_id=campaign_id)
        self.commit()
        return self.done(
            "Paused. Nobody enters or moves on until it is activated again.", SHOW, campaign_id=campaign_id
        )

    @screen("/<int:campaign_id>/delete", Act.CAMPAIGN_EDIT, ("GET", "POST"))
    def delete(self, campaign_id: int) -> ResponseReturnValue:
        campaign = self._editable(campaign_id)
        name, kept = campaign.name, campaign.activated_at is not None
        if request.method != "POST":
            words = (
                "It was active, so it is kept as the record of what people received."
                if kept
                else ("Nobody ever got a mail from it. Its templates and lists stay.")
            )
            return self.confirm(
                title=f"Delete “{name}”?",
                words=words,
                button="Delete campaign",
                back=url_for(SHOW, campaign_id=campaign_id),
                danger=True,
                possible=not kept,
            )
        campaigns.remove(self.host, campaign)
        self.commit()
        return self.done(f"“{name}” is deleted.", "massmail_campaigns.index")

    # --- people ---

    @screen("/<int:campaign_id>/people/<state>", Act.PEOPLE_VIEW)
    def people(self, campaign_id: int, state: str) -> ResponseReturnValue:
        campaign = self.get(Campaign, campaign_id)
        self.require(Act.PEOPLE_VIEW, campaign)
        if state not in list(EnrolmentState):
            raise NotFound
        which = EnrolmentState(state)
        return self.render(
            "massmail/admin/campaigns/people.html",
            title=f"{campaign.name}: {wording.ENROLMENT_STATES[which].label}",
            campaign=campaign,
            totals=campaigns.totals(self.host, campaign),
            which=which,
            keeps_status=self.host.statuses.target != "contact",
            page=self._people(campaign, which),
            contact_url=lambda contact: page_of(self.host, contact),
        )

    def _people(self, campaign: Campaign, which: EnrolmentState) -> Page:
        after = request.args.get("after", "")
        start = int(after) if after.isdecimal() and len(after) < 19 else 0
        rows = members(self.host, campaign, which, after_id=start, limit=PEOPLE + 1)
        more = {"after": str(rows[PEOPLE - 1].enrolment.id)} if len(rows) > PEOPLE else None
        return Page(rows[:PEOPLE], {} if start else None, more)

    def _readable(self, campaign_id: int) -> Campaign:
        campaign = self.get(Campaign, campaign_id)
        self.require(Act.RESULTS_VIEW, campaign)
        return campaign

    def _editable(self, campaign_id: int) -> Campaign:
        campaign = self.get(Campaign, campaign_id)
        self.require(Act.CAMPAIGN_EDIT, campaign)
        return campaign


def _missing(campaign: Campaign) -> list[str]:
    """What keeps it from being activated, in words."""
    missing = []
    if not campaign.lists:
        missing.append("Choose at least one list; through it contacts enter.")
    if not campaign.steps:
        missing.append("Add at least one mail.")
    if campaign.sender is None:
        missing += [
            f"Day {step.day}: neither the campaign nor “{step.template.name}” has a sender."
            for step in campaign.steps
            if step.template.sender is None
        ]
    return missing


def _inside(host: Host, campaign_ids: list[int]) -> dict[int, int]:
    """How many contacts are in each campaign now."""
    query = (
        select(Enrolment.campaign_id, func.count())
        .where(Enrolment.campaign_id.in_(campaign_ids), Enrolment.state == EnrolmentState.ACTIVE.value)
        .group_by(Enrolment.campaign_id)
    )
    return {row[0]: row[1] for row in host.session.execute(query)}
