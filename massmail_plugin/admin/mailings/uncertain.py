"""The screens of uncertain mails, of one mailing or of all: what is known and what becomes of them. Views commit."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from massmail_plugin import mailings
from massmail_plugin.admin.contacts.search import page_of
from massmail_plugin.admin.frame import guard
from massmail_plugin.admin.frame.paging import Page
from massmail_plugin.admin.frame.section import screen
from massmail_plugin.admin.mailings.runs import PEOPLE, RunScreens
from massmail_plugin.errors import BadRequest, MassMailError
from massmail_plugin.models import Mailing
from massmail_plugin.vocabulary import Act, MailingState

OF_ONE, OF_ALL = "massmail_mailings.uncertain", "massmail_mailings.all_uncertain"


class Choice(NamedTuple):
    """A decision: what it does, the words of its button, what it risks, and what is said afterwards."""

    decide: Callable[..., int]
    verb: str
    risk: str
    done: str


CHOICES = {
    "resend": Choice(
        mailings.resend_uncertain,
        "Send again",
        "Whoever did get the mail gets it a second time, with the same Message-ID; some mail programs then show one.",
        "sent again",
    ),
    "leave": Choice(
        mailings.leave_uncertain,
        "Leave",
        "Whoever did not get the mail never gets it. It stays uncertain in the numbers, and nobody is asked again.",
        "left as it is",
    ),
}


class UncertainScreens(RunScreens):
    """Mails that were handed over and got no answer."""

    @screen("/uncertain", Act.PEOPLE_VIEW)
    def all_uncertain(self) -> ResponseReturnValue:
        return self._page(None, "Uncertain mails")

    @screen("/<int:mailing_id>/uncertain", Act.PEOPLE_VIEW)
    def uncertain(self, mailing_id: int) -> ResponseReturnValue:
        mailing = self.get(Mailing, mailing_id)
        self.require(Act.PEOPLE_VIEW, mailing)
        return self._page(mailing, f"{mailing.name}: uncertain")

    def _page(self, mailing: Mailing | None, title: str) -> str:
        after = request.args.get("after", "")
        start = int(after) if after.isdecimal() and len(after) < 19 else 0
        rows = mailings.uncertain_mails(self.host, mailing, decided=bool(mailing), after_id=start, limit=PEOPLE + 1)
        more = {"after": str(rows[PEOPLE - 1].message.id)} if len(rows) > PEOPLE else None
        return self.render(
            "massmail/admin/mailings/uncertain.html",
            title=title,
            mailing=mailing,
            asking=self._asking(mailing),
            page=Page(rows[:PEOPLE], {} if start else None, more),
            choices=CHOICES,
            cancelled=MailingState.CANCELLED.value,
            contact_url=lambda contact: page_of(self.host, contact),
        )

    def _asking(self, mailing: Mailing | None) -> list[tuple[Mailing, int]]:
        """The mailings whose mails wait for a decision, and how many."""
        if mailing is None:
            return mailings.open_questions(self.host)
        number = mailings.undecided(self.host, mailing)
        return [(mailing, number)] if number else []

    @screen("/<int:mailing_id>/uncertain/<choice>", Act.MAILING_SEND, ("GET", "POST"))
    def decide(self, mailing_id: int, choice: str) -> ResponseReturnValue:
        """The mails named in the form, or all of the mailing where none is named; a GET asks about all."""
        mailing = self.get(Mailing, mailing_id)
        self.require(Act.MAILING_SEND, mailing)
        if choice not in CHOICES:
            raise NotFound
        if request.method != "POST":
            return self._ask_about_all(mailing, CHOICES[choice])
        return self._decide(mailing, CHOICES[choice])

    def _decide(self, mailing: Mailing, choice: Choice) -> ResponseReturnValue:
        back = (OF_ALL, {}) if request.args.get("all") else (OF_ONE, {"mailing_id": mailing.id})
        try:
            number = choice.decide(self.host, mailing, by=guard.user_name(), ids=_ids(request.form.getlist("message")))
        except MassMailError as error:
            self.host.session.rollback()
            return self.refused(str(error), back[0], **back[1])
        self.commit()
        mails = "1 mail is" if number == 1 else f"{number:,} mails are"
        return self.done(f"{mails} {choice.done}.", back[0], **back[1])

    def _ask_about_all(self, mailing: Mailing, choice: Choice) -> ResponseReturnValue:
        number = mailings.undecided(self.host, mailing)
        back = url_for(OF_ALL) if request.args.get("all") else url_for(OF_ONE, mailing_id=mailing.id)
        if not number:
            return redirect(back)
        those = "the uncertain mail" if number == 1 else f"all {number:,} uncertain mails"
        return self.confirm(
            title=f"{choice.verb}: {those} of “{mailing.name}”?",
            words=choice.risk,
            button=f"{choice.verb}: {number:,} {'mail' if number == 1 else 'mails'}",
            back=back,
        )


def _ids(given: Sequence[str]) -> list[int] | None:
    """The mails a form names; None where it names none. Raises BadRequest for what is no number."""
    if not all(text.isdecimal() and len(text) < 19 for text in given):
        raise BadRequest("One of the mails was not named as the page names it. Reload the page and try again.")
    return [int(text) for text in given] or None
