"""Mailings launched again and again, so that there is always something on its way when something breaks."""

from dataclasses import dataclass, field

from sqlalchemy import func, select

from faults.mould import CROWD
from faults.patience import needed, until
from faults.world import World
from massmail_plugin.models import Chunk, Mailing
from massmail_plugin.vocabulary import MailingState
from sample_host.crm.models import db


@dataclass
class Traffic:
    """The mailings of a run; a new one starts where less than `share` of one still waits."""

    world: World
    share: float = 0.5
    list_name: str = CROWD
    mailings: list[int] = field(default_factory=list)

    def keep_up(self) -> None:
        """Launch one where too little waits."""
        if self.waiting() < self.share * self.world.crowd:
            self.mailings.append(self.world.launch(self.list_name))

    def waiting(self) -> int:
        """Rows that may still go; a mailing that is not filled yet counts for all it needs."""
        filling = Mailing.state == MailingState.FILLING.value
        waits = select(func.coalesce(func.sum(Chunk.planned + Chunk.deferred), 0)).where(Chunk.due_at.is_not(None))
        with self.world.app.app_context():
            if db.session.scalar(select(func.count()).select_from(Mailing).where(filling)):
                return self.world.crowd
            return int(db.session.scalars(waits).one())

    def begin(self, seconds: float = 60) -> None:
        """Launch, and wait until mails leave. Raises Unfit."""
        before = self.world.accepted()
        self.keep_up()
        done = until(lambda: self.world.accepted() > before + 20, seconds, self.world.keep_running)
        needed(done, f"nothing is sent: {self.world.logs()}")

    def finish(self, seconds: float = 180) -> None:
        """Wait until the last row is final. Raises Unfit."""
        self.world.finish(self.mailings, seconds)
