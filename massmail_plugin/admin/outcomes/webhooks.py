"""The screens of webhooks: who is told of outcomes by HTTP, the log, a test, a new secret. Commits."""

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from wtforms import SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

from massmail_plugin.admin.frame import forms
from massmail_plugin.admin.frame.forms import ScreenForm, filled
from massmail_plugin.admin.frame.paging import numbered
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.frame.wording import OUTCOMES, Word
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Mailing, OutcomeReport, Webhook, WebhookDelivery
from massmail_plugin.outcomes import webhooks
from massmail_plugin.vocabulary import Act, ReportState

STATES = {
    ReportState.WAITING.value: Word("Waiting", "waiting"),
    ReportState.DELIVERED.value: Word("Taken", "good"),
    ReportState.SET_ASIDE.value: Word("Given up", "bad"),
}


class WebhookForm(ScreenForm):
    """Where outcomes are told, and which."""

    name = forms.text("Name", required="Give the webhook a name.", help="Only your colleagues see it.")
    url = forms.text(
        "Address",
        required="Enter the address that outcomes are posted to.",
        longest=2000,
        help="Such as https://crm.example.org/mail-outcomes. It must be public and encrypted.",
    )
    outcomes = SelectMultipleField(
        "Outcomes",
        choices=[(outcome.value, label) for outcome, label in OUTCOMES.items()],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description="None ticked means all of them.",
    )


class Webhooks(Section):
    title = "Webhooks"
    slug = "webhooks"

    @screen("/", Act.WEBHOOK_MANAGE)
    def index(self) -> str:
        hooks = self.host.session.scalars(select(Webhook).order_by(Webhook.name)).all()
        return self.render(
            "massmail/admin/webhooks/index.html",
            title="Webhooks",
            hooks=hooks,
            standing=standing,
            waiting=self._counts(ReportState.WAITING),
        )

    @screen("/new", Act.WEBHOOK_MANAGE, ("GET", "POST"))
    def new(self) -> ResponseReturnValue:
        return self._edited(None)

    @screen("/<int:webhook_id>/edit", Act.WEBHOOK_MANAGE, ("GET", "POST"))
    def edit(self, webhook_id: int) -> ResponseReturnValue:
        return self._edited(self._hook(webhook_id))

    @screen("/<int:webhook_id>", Act.WEBHOOK_MANAGE)
    def show(self, webhook_id: int) -> str:
        hook = self._hook(webhook_id)
        columns: list[Any] = [WebhookDelivery, OutcomeReport.outcome, OutcomeReport.turn, Mailing.name]
        log = (
            select(*columns)
            .outerjoin(OutcomeReport, OutcomeReport.id == WebhookDelivery.report_id)
            .outerjoin(Mailing, Mailing.id == OutcomeReport.mailing_id)
            .where(WebhookDelivery.webhook_id == webhook_id)
            .order_by(WebhookDelivery.id.desc())
        )
        return self.render(
            "massmail/admin/webhooks/show.html",
            title=hook.name,
            hook=hook,
            badge=standing(hook),
            wanted=[label for outcome, label in OUTCOMES.items() if outcome.value in hook.outcomes],
            page=numbered(self.host.session, log, scalars=False),
            waiting=self._counts(ReportState.WAITING).get(webhook_id, 0),
            given_up=self._counts(ReportState.SET_ASIDE).get(webhook_id, 0),
            states=STATES,
            outcomes={outcome.value: label for outcome, label in OUTCOMES.items()},
            log_days=self.host.config.webhook_log_days,
        )

    @screen("/<int:webhook_id>/test", Act.WEBHOOK_MANAGE, ("POST",))
    def test(self, webhook_id: int) -> ResponseReturnValue:
        hook = self._hook(webhook_id)
        try:
            trial = webhooks.try_out(self.host, hook)
        except BadRequest as error:
            return self.refused(str(error), "massmail_webhooks.show", webhook_id=webhook_id)
        if trial.taken:
            return self.done(f"It took the test: HTTP {trial.code}.", "massmail_webhooks.show", webhook_id=webhook_id)
        words = f"It did not take the test. {trial.words}"
        return self.refused(words, "massmail_webhooks.show", webhook_id=webhook_id)

    @screen("/<int:webhook_id>/switch", Act.WEBHOOK_MANAGE, ("POST",))
    def switch(self, webhook_id: int) -> ResponseReturnValue:
        hook = self._hook(webhook_id)
        webhooks.switch(self.host, hook, on=request.form.get("on") == "yes")
        words = "It is on." if hook.active else "It is off: nothing is kept for it meanwhile."
        self.commit()
        self.host.wake("outcomes")
        return self.done(words, "massmail_webhooks.show", webhook_id=webhook_id)

    @screen("/<int:webhook_id>/retry", Act.WEBHOOK_MANAGE, ("POST",))
    def retry(self, webhook_id: int) -> ResponseReturnValue:
        return self._retried(webhook_id, None)

    @screen("/<int:webhook_id>/retry/<int:delivery_id>", Act.WEBHOOK_MANAGE, ("POST",))
    def retry_one(self, webhook_id: int, delivery_id: int) -> ResponseReturnValue:
        return self._retried(webhook_id, delivery_id)

    @screen("/<int:webhook_id>/secret", Act.WEBHOOK_MANAGE, ("GET", "POST"))
    def secret(self, webhook_id: int) -> ResponseReturnValue:
        hook = self._hook(webhook_id)
        if request.method == "POST":
            made = webhooks.new_secret(self.host, hook)
            self.commit()
            return self._secret_shown(hook, made)
        return self.confirm(
            title="Make a new secret?",
            words="For 24 hours everything is signed with the new one and the present one, so that the receiver can "
            "change over. Then the present one counts no more.",
            button="Make a new secret",
            back=url_for("massmail_webhooks.show", webhook_id=webhook_id),
        )

    @screen("/<int:webhook_id>/delete", Act.WEBHOOK_MANAGE, ("GET", "POST"))
    def delete(self, webhook_id: int) -> ResponseReturnValue:
        hook = self._hook(webhook_id)
        if request.method == "POST":
            name = hook.name
            webhooks.delete(self.host, hook)
            self.commit()
            return self.done(f"The webhook “{name}” was deleted.", "massmail_webhooks.index")
        waiting = self._counts(ReportState.WAITING).get(webhook_id, 0)
        return self.confirm(
            title=f"Delete the webhook “{hook.name}”?",
            words=f"Its log goes with it. {waiting:,} outcomes still wait for it and are never sent."
            if waiting
            else "Its log goes with it.",
            button="Delete webhook",
            back=url_for("massmail_webhooks.show", webhook_id=webhook_id),
            danger=True,
        )

    def _hook(self, webhook_id: int) -> Webhook:
        hook = self.get(Webhook, webhook_id)
        self.require(Act.WEBHOOK_MANAGE, hook)
        return hook

    def _counts(self, state: ReportState) -> dict[int, int]:
        query = select(WebhookDelivery.webhook_id, func.count()).where(WebhookDelivery.state == state.value)
        found = self.host.session.execute(query.group_by(WebhookDelivery.webhook_id))
        return {row[0]: row[1] for row in found}

    def _retried(self, webhook_id: int, delivery_id: int | None) -> ResponseReturnValue:
        number = webhooks.retry(self.host, self._hook(webhook_id), delivery_id)
        self.commit()
        self.host.wake("outcomes")
        words = f"{number:,} {'outcome is' if number == 1 else 'outcomes are'} being sent again."
        return self.done(words, "massmail_webhooks.show", webhook_id=webhook_id)

    def _edited(self, hook: Webhook | None) -> ResponseReturnValue:
        form = filled(WebhookForm, hook)
        if request.method == "POST" and form.validate() and (answer := self._saved(hook, form)) is not None:
            return answer
        page = self.render(
            "massmail/admin/webhooks/form.html",
            title="Modify webhook" if hook else "New webhook",
            form=form,
            row=hook,
        )
        return page, 422 if form.wrong else 200

    def _saved(self, hook: Webhook | None, form: WebhookForm) -> ResponseReturnValue | None:
        draft = webhooks.WebhookDraft(name=form.name.data, url=form.url.data, outcomes=form.outcomes.data or ())
        before = hook.secret if hook else None
        try:
            if hook is None:
                hook = webhooks.register(self.host, draft)
            else:
                webhooks.change(self.host, hook, draft)
        except BadRequest as error:
            self.host.session.rollback()
            form.refuse("name" if "called" in str(error) else "url", str(error))
            return None
        secret = hook.secret
        self.commit()
        if secret != before:
            return self._secret_shown(hook, secret or "")
        return self.done(f"“{hook.name}” was saved.", "massmail_webhooks.show", webhook_id=hook.id)

    def _secret_shown(self, hook: Webhook, secret: str) -> ResponseReturnValue:
        """Once, in the answer to the act: it is in no address and no cookie."""
        return self.render("massmail/admin/webhooks/secret.html", title=hook.name, hook=hook, secret=secret)


def standing(hook: Webhook) -> Word:
    """How a webhook is, in a word."""
    if not hook.active:
        return Word("Off", "bad" if hook.fault else "quiet")
    if hook.fault:
        return Word("Does not take outcomes", "warning")
    return Word("Works", "good") if hook.taken_at else Word("Nothing sent yet", "waiting")
