"""Two schedulers, eight workers, and everything asked for twice: one run, and no mail in two hands."""

import subprocess
import sys
from datetime import timedelta

from sqlalchemy import func, select

from faults.mould import FEW
from faults.patience import until
from faults.run import Run, fault
from faults.world import APP, World
from massmail_plugin import mailings
from massmail_plugin.models import OutboxMessage
from massmail_plugin.vocabulary import MailingState
from sample_host.config import CHECKOUT
from sample_host.crm.models import db


@fault("crowded-postgresql", "two schedulers, eight workers, the same mailing launched twice at once")
def crowded_postgresql(run: Run) -> None:
    crowded(run, "postgresql")


@fault("crowded-sqlite", "the same on SQLite")
def crowded_sqlite(run: Run) -> None:
    crowded(run, "sqlite")


def crowded(run: Run, kind: str) -> None:
    """Two commands start one mailing in the same instant."""
    with run.world(kind, MASSMAIL_CHUNK_SIZE="50", MASSMAIL_LANES="8") as world:
        world.sink.script(delay=(0.001, 0.005))
        world.start_flask("scheduler2", "scheduler")
        world.start_workers(8)
        for _ in range(run.either(3, 1)):
            mailing = world.draft()
            launched = launch_twice(world, mailing)
            run.expect(launched == 1, f"{launched} of two launches went through")
            world.finish([mailing], 180)
            found = run.reckon(world, [mailing])
            run.expect(found.rows == world.crowd, f"{found.rows} rows")
            run.expect(attempts(world, mailing) == found.rows, "a row was tried more than once")


def launch_twice(world: World, mailing: int) -> int:
    """How many of two commands at once succeed."""
    command = [sys.executable, "-m", "flask", "--app", APP, "massmail", "mailing", "start", str(mailing)]
    number = str(expected(world, mailing))
    both = [
        subprocess.Popen(
            [*command, "--expect", number],
            env=world.environment,
            cwd=CHECKOUT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]
    return sum(process.wait(120) == 0 for process in both)


def expected(world: World, mailing: int) -> int:
    """How many recipients it will have."""
    found: list[int] = []
    world.do(lambda host, one: found.append(mailings.will_get(host, one)), mailing)
    return found[0]


def attempts(world: World, mailing: int) -> int:
    """The tries of all rows of a mailing."""
    query = select(func.sum(OutboxMessage.attempts)).where(OutboxMessage.mailing_id == mailing)
    with world.app.app_context():
        return int(db.session.scalar(query) or 0)


@fault("scheduled-start", "five schedulers see the same scheduled start in the same second")
def scheduled_start(run: Run) -> None:
    with run.world() as world:
        for number in range(2, 6):
            world.start_flask(f"scheduler{number}", "scheduler")
        world.start_workers(2)
        at = world.host.clock() + timedelta(seconds=8)
        drafts = [world.draft(FEW, scheduled_at=at) for _ in range(run.either(20, 5))]
        for mailing in drafts:
            world.do(mailings.launch, mailing, by="the fault runs")
        run.expect(all(world.state(one) == MailingState.SCHEDULED for one in drafts), "one began before its time")
        until(lambda: world.host.clock() > at, 20)
        world.finish(drafts, 120)
        run.reckon(world, drafts)
        run.expect(min(taken.told for taken in world.taken()) >= at.timestamp(), "a mail left before the time")
