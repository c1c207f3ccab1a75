"""The last two sections of a draft, Check and Send, the question before sending, and the way back. Views commit."""

from flask import request
from flask.typing import ResponseReturnValue

from massmail_plugin import mailings
from massmail_plugin.admin.frame import guard
from massmail_plugin.admin.frame.section import in_dialog, screen
from massmail_plugin.admin.mailings import forms as mailing_forms
from massmail_plugin.admin.mailings.drafts import SHOW, DraftScreens, latest_subject, shown_identity, who_may_send
from massmail_plugin.errors import MassMailError
from massmail_plugin.models import Mailing
from massmail_plugin.vocabulary import Act, MailingState


class LaunchScreens(DraftScreens):
    """From a finished draft to a running mailing."""

    @screen("/<int:mailing_id>/check", Act.RESULTS_VIEW)
    def check(self, mailing_id: int) -> ResponseReturnValue:
        return self.section_page(self.draft(mailing_id, Act.RESULTS_VIEW), "check")

    @screen("/<int:mailing_id>/send", Act.RESULTS_VIEW)
    def send(self, mailing_id: int) -> ResponseReturnValue:
        mailing = self.draft(mailing_id, Act.RESULTS_VIEW)
        found = mailings.checklist(self.host, mailing)
        return self.section_page(
            mailing,
            "send",
            found=found,
            subject=latest_subject(mailing.template),
            button=self.act_of_sending(mailing, found.recipients),
            who_may=who_may_send(self.admin.name, guard.closed_lists(self.host, Act.MAILING_SEND, mailing)),
        )

    def act_of_sending(self, mailing: Mailing, number: int | None) -> str:
        """The words on the button. With several addresses a contact may get several mails, so mails are counted."""
        verb = "Schedule for" if self.is_later(mailing) else "Send to"
        several = len(mailing_forms.chosen_roles(self.host, mailing)) > 1
        unit = "address" if several else "contact"
        plural = "" if number == 1 else "es" if several else "s"
        return f"{verb} {number or 0:,} {unit}{plural}"

    def is_later(self, mailing: Mailing) -> bool:
        """Whether it is to start at a moment that is still to come."""
        return mailing.scheduled_at is not None and mailing.scheduled_at > self.host.clock()

    @screen("/<int:mailing_id>/launch", Act.MAILING_SEND, ("GET", "POST"))
    def launch(self, mailing_id: int) -> ResponseReturnValue:
        mailing = self.get(Mailing, mailing_id)
        self.require(Act.MAILING_SEND, mailing)
        if mailing.state != MailingState.DRAFT.value:
            words = f"“{mailing.name}” was launched already. It is not sent twice."
            return self.refused(words, SHOW, mailing_id=mailing.id)
        if request.method != "POST":
            return self._question(mailing)
        return self._launch(mailing, _number(request.form.get("expected", "")))

    def _launch(self, mailing: Mailing, expected: int | None) -> ResponseReturnValue:
        if expected is None:
            return self._question(mailing, "The number of recipients was missing. Look again and confirm.")
        if expected >= self.host.config.confirm_above and _number(request.form.get("typed", "")) != expected:
            return self._question(mailing, f"Type the number {expected:,} to confirm that so many are meant.")
        later, mailing_id = self.is_later(mailing), mailing.id
        try:
            mailings.launch(self.host, mailing, by=guard.user_name(), expected=expected)
        except MassMailError as error:
            self.host.session.rollback()
            return self._refused_launch(mailing_id, str(error))
        self.commit()
        words = "It is scheduled and starts by itself." if later else "It is on its way."
        return self.done(words, SHOW, mailing_id=mailing_id)

    def _refused_launch(self, mailing_id: int, words: str) -> ResponseReturnValue:
        mailing = self.get(Mailing, mailing_id)
        if mailing.state != MailingState.DRAFT.value:
            return self.refused(words, SHOW, mailing_id=mailing_id)
        return self._question(mailing, words)

    def _question(self, mailing: Mailing, problem: str = "") -> ResponseReturnValue:
        """The question before sending, as a page or for the dialog."""
        found = mailings.checklist(self.host, mailing)
        number = found.recipients or 0
        template = "launch_question.html" if in_dialog() else "launch.html"
        page = self.render(
            f"massmail/admin/mailings/{template}",
            title=f"Send “{mailing.name}”?",
            mailing=mailing,
            found=found,
            number=number,
            must_type=number >= self.host.config.confirm_above,
            subject=latest_subject(mailing.template),
            identity=shown_identity(mailing),
            later=self.is_later(mailing),
            button=self.act_of_sending(mailing, number),
            problem=problem,
        )
        return page, 422 if problem else 200

    @screen("/<int:mailing_id>/unschedule", Act.MAILING_SEND, ("POST",))
    def unschedule(self, mailing_id: int) -> ResponseReturnValue:
        mailing = self.get(Mailing, mailing_id)
        self.require(Act.MAILING_SEND, mailing)
        mailings.unschedule(self.host, mailing)
        self.commit()
        return self.done("It is a draft again and does not start by itself.", SHOW, mailing_id=mailing_id)


def _number(typed: str) -> int | None:
    """A number as people write it: 12,345 or 12.345 or 12 345."""
    digits = "".join(sign for sign in typed if sign not in ",.' \u00a0\u202f_")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 12 else None
