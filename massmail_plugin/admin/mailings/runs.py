"""The screens of a mailing from launch on: its live page, what one does to it, and the people behind its numbers.

Views commit.
"""

from collections.abc import Callable
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from massmail_plugin import mailings
from massmail_plugin.admin.contacts.search import page_of
from massmail_plugin.admin.frame import guard, workers
from massmail_plugin.admin.frame.paging import Page
from massmail_plugin.admin.frame.section import in_dialog, screen
from massmail_plugin.admin.mailings import panel as mailing_panel
from massmail_plugin.admin.mailings import status_choices
from massmail_plugin.admin.mailings import tabs as mailing_tabs
from massmail_plugin.admin.mailings.drafts import SHOW
from massmail_plugin.admin.mailings.launching import LaunchScreens
from massmail_plugin.errors import MassMailError
from massmail_plugin.mailings import Which
from massmail_plugin.mailings.statistics import breakdown, hours, links
from massmail_plugin.models import Mailing, PreparedMessage
from massmail_plugin.vocabulary import Act, MailingState, MessageState

PEOPLE = 50


class RunScreens(LaunchScreens):
    """A mailing that was launched."""

    @screen("/<int:mailing_id>", Act.RESULTS_VIEW)
    def show(self, mailing_id: int) -> ResponseReturnValue:
        mailing = self.readable(mailing_id)
        if mailing.state == MailingState.DRAFT.value:
            return redirect(url_for(f"massmail_mailings.{self._section_of(mailing)}", mailing_id=mailing.id))
        now = self._now(mailing)
        template = mailing.template.statuses if mailing.template else None
        return self.render(
            "massmail/admin/mailings/run.html",
            title=mailing.name,
            mailing=mailing,
            prepared=self.host.session.get(PreparedMessage, mailing.id),
            effects=status_choices.effects(self.host, mailing.statuses, template),
            links=links.link_counts(self.host, mailing.id),
            hours=hours.hours(self.host, mailing),
            roles=mailing.address_roles,
            **now,
        )

    def _section_of(self, mailing: Mailing) -> str:
        if not self.allowed(Act.MAILING_PREPARE, mailing):
            return "send"
        return mailing_tabs.first_open(mailings.checklist(self.host, mailing))

    @screen("/<int:mailing_id>/panel", Act.RESULTS_VIEW)
    def panel(self, mailing_id: int) -> ResponseReturnValue:
        """The panel alone, for a page that keeps itself up to date; the buttons come along when they change."""
        mailing = self.readable(mailing_id)
        return self.render(
            "massmail/admin/mailings/panel.html",
            mailing=mailing,
            seen=request.args.get("seen", ""),
            **self._now(mailing),
        )

    @screen("/<int:mailing_id>/hours", Act.RESULTS_VIEW)
    def hours(self, mailing_id: int) -> ResponseReturnValue:
        """The chart alone."""
        mailing = self.readable(mailing_id)
        found = hours.hours(self.host, mailing)
        return self.render("massmail/admin/mailings/_hours.html", mailing=mailing, hours=found)

    @screen("/<int:mailing_id>/links", Act.RESULTS_VIEW)
    def links(self, mailing_id: int) -> ResponseReturnValue:
        """The table of links alone."""
        mailing = self.readable(mailing_id)
        rows = links.link_counts(self.host, mailing.id)
        return self.render(
            "massmail/admin/mailings/_links.html",
            mailing=mailing,
            links=rows,
            live=mailing.state not in mailing_panel.FINAL,
        )

    def _now(self, mailing: Mailing) -> dict[str, Any]:
        now = mailing_panel.panel(self.host, mailing, workers.asked(self.host))
        return {
            "panel": now,
            "live": now.live,
            "tiles": mailing_panel.tiles(now),
            "notices": mailing_panel.notices(self.host, mailing, now),
            "notes": [*self._planned_end(mailing, now), *mailing_panel.notes(now, mailing, dry_run=self.dry_run)],
            "undecided": mailings.undecided(self.host, mailing) if now.progress.counts.uncertain else 0,
            "queue": now.progress.queue,
        }

    @property
    def dry_run(self) -> bool:
        return self.host.config.dry_run

    def _planned_end(self, mailing: Mailing, now: mailing_panel.Panel) -> list[str]:
        """When it will be through, while it is on its way."""
        words = mailings.finish_time(self.host, mailing, measured=False).words if now.live else ""
        return [words] if words else []

    def readable(self, mailing_id: int) -> Mailing:
        """The mailing, if its results may be seen."""
        mailing = self.get(Mailing, mailing_id)
        self.require(Act.RESULTS_VIEW, mailing)
        return mailing

    # --- what one does to it ---

    @screen("/<int:mailing_id>/pause", Act.MAILING_SEND, ("POST",))
    def pause(self, mailing_id: int) -> ResponseReturnValue:
        return self._act(mailing_id, self._pause, "wait")

    def _pause(self, mailing: Mailing) -> str:
        mailings.pause(self.host, mailing, by=guard.user_name())
        return "Paused."

    @screen("/<int:mailing_id>/resume", Act.MAILING_SEND, ("POST",))
    def resume(self, mailing_id: int) -> ResponseReturnValue:
        return self._act(mailing_id, self._resume)

    def _resume(self, mailing: Mailing) -> str:
        mailings.resume(self.host, mailing)
        return "It goes on where it stopped."

    @screen("/<int:mailing_id>/retry", Act.MAILING_SEND, ("POST",))
    def retry(self, mailing_id: int) -> ResponseReturnValue:
        return self._act(mailing_id, self._retry)

    def _retry(self, mailing: Mailing) -> str:
        number = mailings.retry_failed(self.host, mailing)
        return "1 failed mail is tried again." if number == 1 else f"{number:,} failed mails are tried again."

    @screen("/<int:mailing_id>/cancel", Act.MAILING_SEND, ("GET", "POST"))
    def cancel(self, mailing_id: int) -> ResponseReturnValue:
        if request.method == "POST":
            return self._act(mailing_id, self._cancel, "are not sent any more")
        mailing = self.get(Mailing, mailing_id)
        self.require(Act.MAILING_SEND, mailing)
        template = "cancel_question.html" if in_dialog() else "cancel.html"
        return self.render(
            f"massmail/admin/mailings/{template}",
            title=f"Cancel “{mailing.name}”?",
            mailing=mailing,
            paragraphs=_what_cancelling_means(mailing, mailing_panel.panel(self.host, mailing)),
            possible=mailing.state not in mailing_panel.FINAL,
        )

    def _cancel(self, mailing: Mailing) -> str:
        mailings.halt(self.host, mailing, by=guard.user_name())
        self.commit()
        mailings.cancel(self.host, mailing)
        return "Cancelled."

    def _act(self, mailing_id: int, act: Callable[[Mailing], str], stops: str = "") -> ResponseReturnValue:
        """Do it and say so. Where it `stops` the mailing, wait for the workers and say what becomes of those left."""
        mailing = self.get(Mailing, mailing_id)
        self.require(Act.MAILING_SEND, mailing)
        try:
            words = act(mailing)
        except MassMailError as error:
            self.host.session.rollback()
            return self.refused(str(error), SHOW, mailing_id=mailing_id)
        self.commit()
        if stops:
            words += f" {mailings.come_to_rest(self.host, mailing_id).words(stops)}"
        return self.done(words, SHOW, mailing_id=mailing_id)

    # --- who is behind the numbers ---

    @screen("/<int:mailing_id>/people/<which>", Act.PEOPLE_VIEW)
    def people(self, mailing_id: int, which: str) -> ResponseReturnValue:
        mailing = self.get(Mailing, mailing_id)
        self.require(Act.PEOPLE_VIEW, mailing)
        if which not in list(Which):
            raise NotFound
        group = Which(which)
        page = self._people(mailing, group)
        return self.render(
            "massmail/admin/mailings/people.html",
            title=f"{mailing.name}: {group.value}",
            mailing=mailing,
            which=group,
            page=page,
            reasons=self._reasons(mailing, group),
            retryable=mailing.state in mailing_panel.RETRYABLE,
            tiles=[tile for tile in mailing_panel.tiles(mailing_panel.panel(self.host, mailing)) if tile.which],
            contact_url=lambda contact: page_of(self.host, contact),
        )

    def _reasons(self, mailing: Mailing, which: Which) -> dict[str, int]:
        """Why mails failed or were skipped, as last counted."""
        states = {Which.FAILED: MessageState.REFUSED, Which.SKIPPED: MessageState.SKIPPED}
        return breakdown.reasons(self.host, mailing.id, states[which].value) if which in states else {}

    def _people(self, mailing: Mailing, which: Which) -> Page:
        after = request.args.get("after", "")
        start = int(after) if after.isdecimal() and len(after) < 19 else 0
        rows = mailings.people(self.host, mailing, which, after_id=start, limit=PEOPLE + 1)
        more = {"after": str(rows[PEOPLE - 1].message.id)} if len(rows) > PEOPLE else None
        return Page(rows[:PEOPLE], {} if start else None, more)


def _what_cancelling_means(mailing: Mailing, now: mailing_panel.Panel) -> list[str]:
    if mailing.state in mailing_panel.FINAL:
        return ["It has ended already; there is nothing left to cancel."]
    if not now.total:
        return ["Nothing has left yet, and nothing will. This cannot be undone."]
    waiting = now.progress.counts.waiting
    return [
        f"{now.gone:,} of {now.total:,} have gone; they cannot be called back.",
        f"{waiting:,} still wait and would not be sent any more. This cannot be undone.",
    ]
