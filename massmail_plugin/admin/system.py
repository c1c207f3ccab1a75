"""The screen of the system: the doctor's lines, outcomes on their way to the host, and what the host registered."""

from typing import Any

from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from massmail_plugin import outcomes
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.frame.wording import OUTCOMES, Word
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import Host
from massmail_plugin.models import OutcomeReport
from massmail_plugin.upkeep import doctor
from massmail_plugin.vocabulary import Act, Outcome, ReportState

SHOWN = 20
NAMES = {"base url": "Base URL", "sqlite": "SQLite", "signatures": "DKIM signatures"}
LEVELS = {"ok": Word("Fine", "good"), "warning": Word("Look at this", "warning"), "fail": Word("Needs repair", "bad")}


class System(Section):
    title = "System"
    slug = "system"

    @screen("/", Act.SYSTEM_VIEW)
    def index(self) -> str:
        checks = doctor.checks(self.host)
        return self.render(
            "massmail/admin/system.html",
            title="System",
            checks=checks,
            levels=LEVELS,
            names=NAMES,
            worst=LEVELS[doctor.worst(checks)],
            reports=waiting_reports(self.host),
            sources=[(source, register(source)) for source in self.host.sources.values()],
            mapping=[(OUTCOMES[outcome], self.host.statuses.statuses.get(outcome)) for outcome in Outcome],
            statuses=self.host.statuses,
            outcomes={outcome.value: words for outcome, words in OUTCOMES.items()},
        )

    @screen("/retry", Act.SYSTEM_VIEW, ("POST",))
    def retry(self) -> ResponseReturnValue:
        number = outcomes.retry_now(self.host)
        self.commit()
        self.host.wake("outcomes")
        words = (
            f"{number:,} outcomes are being delivered again." if number else "No outcome has failed to be delivered."
        )
        return self.done(words, "massmail_system.index")


def waiting_reports(host: Host) -> dict[str, Any]:
    """How many outcomes wait, how many of them failed before, and the newest failures."""
    waiting = OutcomeReport.state == ReportState.WAITING
    counts = host.session.execute(
        select(func.count(), func.count().filter(OutcomeReport.attempts > 0)).select_from(OutcomeReport).where(waiting)
    ).one()
    failed = select(OutcomeReport).where(waiting, OutcomeReport.attempts > 0).order_by(OutcomeReport.id.desc())
    return {"waiting": counts[0], "failed": counts[1], "newest": host.session.scalars(failed.limit(SHOWN)).all()}
