"""Clocks jump. The time is shifted inside the processes (see `faults/shifted`), while they work."""

import time
from pathlib import Path

from faults.run import CONNECTIONS, Run, fault
from faults.runs.kills import DELAY, calm
from faults.script import Rule
from faults.storm import Storm
from faults.traffic import Traffic
from faults.world import World
from sample_host.config import CHECKOUT

JUMPS = (3600, -3600, 24 * 3600)
STALL = 60


@fault("clock-worker", "the clock of one of three workers jumps by +1 h, -1 h and +1 day (shifted inside the process)")
def clock_worker(run: Run) -> None:
    with run.world() as world:
        world.sink.script(Rule("rcpt", "say", "450 4.2.0 later", share=0.02), delay=DELAY)
        world.start_workers(2)
        clock = world.folder / "clock"
        world.start_workers(1, first=2, environment=shifted(clock))
        traffic, storm = Traffic(world), Storm(world)
        traffic.begin()
        for jump in JUMPS:
            clock.write_text(str(jump))
            calm(world, traffic, run.either(10, 4))
            storm.strike("worker2")
            calm(world, traffic, run.either(5, 2))
        run.kills = len(storm.kills)
        traffic.finish()
        run.reckon(world, traffic.mailings, uncertain=CONNECTIONS * run.kills)


@fault("clock-scheduler", "the scheduler's clock is an hour slow; then a FLUSHALL makes it the only one who can call")
def clock_scheduler(run: Run) -> None:
    with run.world() as world:
        world.sink.script(delay=DELAY)
        clock = world.folder / "clock"
        world.stop("scheduler")
        world.start_flask("scheduler", "scheduler", **shifted(clock, -3600))
        world.start_workers(2)
        traffic = Traffic(world, share=1.0)
        traffic.begin()
        for name in world.workers():
            world.kill(name)
            world.again(name)
        world.flush_redis()
        longest = silence(world)
        run.kills = 2
        run.expect(longest <= STALL, f"nothing was sent for {longest:.0f} s")
        traffic.finish()
        run.reckon(world, traffic.mailings, uncertain=CONNECTIONS * run.kills)
        run.note(f"mails left again after {longest:.1f} s")


@fault("clock-machine", "the clock of the whole machine jumps by +1 h, then back (all processes but the database)")
def clock_machine(run: Run) -> None:
    machine(run, "postgresql")


@fault("clock-machine-sqlite", "the same on SQLite, whose clock is the machine's")
def clock_machine_sqlite(run: Run) -> None:
    machine(run, "sqlite")


def machine(run: Run, kind: str) -> None:
    """All workers and the scheduler jump together."""
    with run.world(kind, **LATE_NEVER) as world:
        world.sink.script(delay=DELAY)
        clock = world.folder / "clock"
        world.stop("scheduler")
        world.start_flask("scheduler", "scheduler", **shifted(clock))
        world.start_workers(2, environment=shifted(clock))
        traffic, longest = Traffic(world, share=1.0), 0.0
        traffic.begin()
        for jump in (3600, 0):
            clock.write_text(str(jump))
            longest = max(longest, stall(world, traffic))
        run.expect(longest <= STALL, f"nothing was sent for {longest:.0f} s after a jump")
        traffic.finish(240)
        run.reckon(world, traffic.mailings)
        run.note(f"the longest stall after a jump was {longest:.1f} s")


LATE_NEVER = {"MASSMAIL_LATE_MINUTES": "0"}


def stall(world: World, traffic: Traffic) -> float:
    """The seconds until mails leave after a jump."""
    time.sleep(1.0)
    traffic.keep_up()
    return 1.0 + silence(world)


def silence(world: World) -> float:
    """The seconds until mails leave."""
    began = time.monotonic()
    world.sends(20, 2 * STALL)
    return time.monotonic() - began


def shifted(clock: Path, seconds: int = 0) -> dict[str, str]:
    """The environment of a process whose clock is off by what the file says."""
    clock.write_text(str(seconds))
    return {"FAULTS_CLOCK": str(clock), "PYTHONPATH": f"{CHECKOUT / 'faults' / 'shifted'}:{CHECKOUT}"}
