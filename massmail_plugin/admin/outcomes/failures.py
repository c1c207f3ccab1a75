"""The screen of outcomes that have not reached the host yet: why, and try again or set aside. Commits."""

from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from massmail_plugin import audience, outcomes
from massmail_plugin.admin.contacts.search import named, page_of, refs_of
from massmail_plugin.admin.frame.paging import numbered
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.frame.wording import OUTCOMES
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import Mailing, OutcomeReport
from massmail_plugin.vocabulary import Act, Outcome, ReportState


@dataclass(frozen=True)
class Failure:
    """One report that failed, as the screens show it."""

    report: OutcomeReport
    ref: ContactRef
    mailing: Mailing | None

    @property
    def what(self) -> str:
        if self.report.outcome == Outcome.REMOVED and self.report.turn % 2:
            return "Removal taken back"
        if self.report.outcome == Outcome.CLICKED and self.report.turn:
            return "Interest"
        return OUTCOMES[Outcome(self.report.outcome)]

    @property
    def step(self) -> str:
        waiting = self.report.state == ReportState.WAITING
        return "Setting the status" if waiting else "Telling the application"

    @property
    def reason(self) -> str:
        """The last line of the traceback."""
        lines = self.report.problem.strip().splitlines()
        return lines[-1] if lines else "Unknown"


class Outcomes(Section):
    title = "Outcomes"
    slug = "outcomes"

    @screen("/", Act.SYSTEM_VIEW)
    def index(self) -> str:
        seen = audience.visible_rows(self.host, OutcomeReport.contact_source, OutcomeReport.contact_key)
        page = numbered(self.host.session, outcomes.failing().where(seen))
        return self.render(
            "massmail/admin/outcomes/index.html",
            title="Outcomes",
            on_their_way=outcomes.on_their_way(self.host),
            page=page,
            failures=self._failures(page.rows),
            **self._people(page.rows),
        )

    @screen("/<int:report_id>", Act.SYSTEM_VIEW)
    def show(self, report_id: int) -> str:
        report = self.get(OutcomeReport, report_id)
        (failure,) = self._failures([report])
        return self.render(
            "massmail/admin/outcomes/show.html",
            title=f"{failure.what}: delivery to the application",
            failure=failure,
            failing=self._failing(report),
            **self._people([report]),
        )

    @screen("/retry", Act.SYSTEM_VIEW, ("POST",))
    def retry(self) -> ResponseReturnValue:
        return self._retried(None)

    @screen("/<int:report_id>/retry", Act.SYSTEM_VIEW, ("POST",))
    def retry_one(self, report_id: int) -> ResponseReturnValue:
        return self._retried(report_id)

    @screen("/<int:report_id>/set-aside", Act.SYSTEM_VIEW, ("GET", "POST"))
    def set_aside(self, report_id: int) -> ResponseReturnValue:
        report = self.get(OutcomeReport, report_id)
        if request.method == "POST":
            done = outcomes.set_aside(self.host, report_id)
            self.commit()
            self.host.wake("outcomes")
            words = "It was set aside." if done else "It has been delivered meanwhile."
            return self.done(words, "massmail_outcomes.index")
        return self.confirm(
            title="Set this outcome aside?",
            words=[
                "It is never delivered then. Later outcomes of the same contact, which wait behind it, go on.",
                "What the mail itself says of it stays as it is.",
            ],
            button="Set aside",
            back=url_for("massmail_outcomes.show", report_id=report_id),
            danger=True,
            possible=self._failing(report),
        )

    def _retried(self, report_id: int | None) -> ResponseReturnValue:
        number = outcomes.retry_now(self.host, report_id)
        self.commit()
        self.host.wake("outcomes")
        words = (
            f"{number:,} {'outcome is' if number == 1 else 'outcomes are'} being delivered again."
            if number
            else "No outcome has failed to be delivered."
        )
        return self.done(words, "massmail_outcomes.index")

    def _failing(self, report: OutcomeReport) -> bool:
        return report.state in (ReportState.WAITING, ReportState.UNTOLD) and report.attempts > 0

    def _failures(self, reports: Any) -> list[Failure]:
        wanted = select(Mailing).where(Mailing.id.in_({report.mailing_id for report in reports}))
        mailings = {mailing.id: mailing for mailing in self.host.session.scalars(wanted)}
        return [
            Failure(one, ContactRef(one.contact_source, one.contact_key), mailings.get(one.mailing_id))
            for one in reports
        ]

    def _people(self, reports: Any) -> dict[str, Any]:
        """Names of contacts, for those who may see them."""
        sees = self.allowed(Act.PEOPLE_VIEW)
        return {
            "known": named(self.host, refs_of(reports)) if sees else {},
            "page_of": (lambda ref: page_of(self.host, ref)) if sees else (lambda ref: ""),
        }
