"""The screen of the system: the doctor's lines, outcomes on their way, and what the host registered. Only reads."""

from massmail_plugin import outcomes
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.frame.wording import OUTCOMES, Word
from massmail_plugin.contact_fields import register
from massmail_plugin.upkeep import doctor
from massmail_plugin.vocabulary import Act, Outcome

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
            on_their_way=outcomes.on_their_way(self.host),
            sources=[(source, register(source)) for source in self.host.sources.values()],
            mapping=[(OUTCOMES[outcome], self.host.statuses.statuses.get(outcome)) for outcome in Outcome],
            statuses=self.host.statuses,
        )
