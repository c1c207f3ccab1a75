"""Workers are killed with SIGKILL at random instants, one after the other and all at once."""

import random
import signal
import time

from faults.patience import until
from faults.run import CONNECTIONS, Run, fault
from faults.storm import Storm
from faults.traffic import Traffic
from faults.world import World

WORKERS = 3
DELAY = (0.005, 0.02)
DEFAULTS = {
    "MASSMAIL_LEASE_SECONDS": "30",
    "MASSMAIL_TICK_SECONDS": "15",
    "MASSMAIL_LANE_SECONDS": "50",
    "MASSMAIL_CHUNK_SIZE": "500",
    "MASSMAIL_RETRY_FIRST_SECONDS": "120",
}


@fault("kills-postgresql", "100 times kill -9 of a worker at a random instant; leases of 5 s")
def kills_postgresql(run: Run) -> None:
    storm_on(run, "postgresql")


@fault("kills-sqlite", "the same on SQLite")
def kills_sqlite(run: Run) -> None:
    storm_on(run, "sqlite")


def storm_on(run: Run, kind: str) -> None:
    """Kill again and again. Mostly a worker with its job; sometimes one of the two alone."""
    with run.world(kind) as world:
        world.sink.script(delay=DELAY)
        world.start_workers(WORKERS)
        traffic, storm = Traffic(world, share=1.0), Storm(world)
        traffic.begin()
        for _ in range(run.either(100, 10)):
            calm(world, traffic, random.uniform(0.5, 4.0))
            until(lambda: bool(world.busy()), 5, traffic.keep_up)
            time.sleep(random.uniform(0.0, 0.2))
            storm.strike(which=random.choices(("both", "children", "parent"), (8, 1, 1))[0])
        traffic.finish(300)
        account(run, world, traffic, storm)


def calm(world: World, traffic: Traffic, seconds: float) -> None:
    """Let it send for a while."""
    end = time.monotonic() + seconds
    world.sends(1)
    while time.monotonic() < end:
        traffic.keep_up()
        time.sleep(min(0.2, max(0.0, end - time.monotonic())))


def account(run: Run, world: World, traffic: Traffic, storm: Storm) -> None:
    """What the kills left."""
    run.kills = len(storm.kills)
    run.reckon(world, traffic.mailings, uncertain=CONNECTIONS * run.kills)
    each, waits = storm.uncertain(), storm.resumed()
    run.max_uncertain_per_kill = max(each, default=0)
    run.expect(max(each, default=0) <= CONNECTIONS, f"one kill left {max(each, default=0)} uncertain")
    run.expect(run.uncertain <= sum(each), f"{run.uncertain - sum(each)} uncertain rows that no kill explains")
    run.note(f"{run.kills} kills, {sum(bool(kill.parts) for kill in storm.kills)} of them with mails in hand")
    run.note(f"uncertain per kill: mean {sum(each) / max(1, len(each)):.1f}, most {max(each, default=0)}")
    if waits:
        run.resumed_within_s = round(max(waits), 1)
        middle = sorted(waits)[len(waits) // 2]
        run.note(f"what the dead had in hand went on after {middle:.1f} s, {max(waits):.1f} s at most")


@fault("kills-default", "3 times kill -9 with the settings as they come: one of two workers, the only one, all")
def kills_default(run: Run) -> None:
    with run.world(**DEFAULTS) as world:
        world.sink.script(delay=(0.05, 0.1))
        world.start_workers(2)
        traffic, storm = Traffic(world), Storm(world)
        traffic.begin()
        for victims, again in ((1, False), (1, True), (2, True))[: run.either(3, 1)]:
            kill_with_work_left(world, traffic, storm, victims, again)
            if len(world.workers()) < 1:
                world.start_workers(1)
        world.sink.script(delay=(0.0, 0.0))
        traffic.finish(300)
        account(run, world, traffic, storm)
        waits = storm.resumed()
        run.expect(len(waits) >= len(storm.kills), f"only {len(waits)} of {len(storm.kills)} kills were seen to go on")
        run.expect(max(waits, default=99) <= 60, f"work went on after {max(waits, default=99):.0f} s, not 60")


def kill_with_work_left(world: World, traffic: Traffic, storm: Storm, victims: int, again: bool) -> None:
    """Kill workers that have mails waiting in their hands, and wait until these go on."""
    calm(world, traffic, random.uniform(2, 4))
    names = (world.busy() or world.workers())[:victims]
    for name in names:
        storm.strike(name, again=again)
    end = time.monotonic() + 90
    expected = len(storm.kills)
    while len(storm.resumed()) < expected and time.monotonic() < end:
        calm(world, traffic, 1.0)


@fault("kill-everything", "kill -9 of workers, scheduler, Redis, mail server and PostgreSQL at once")
def kill_everything(run: Run) -> None:
    with run.world() as world:
        world.sink.script(delay=DELAY)
        world.start_workers(WORKERS)
        traffic = Traffic(world)
        for _ in range(run.either(5, 1)):
            traffic.begin()
            calm(world, traffic, random.uniform(0.5, 2.0))
            kill_all(world, run)
            run.kills += WORKERS
            world.start_redis()
            world.start_sink()
            for name in ("scheduler", *(f"worker{number}" for number in range(WORKERS))):
                world.again(name)
            began = time.monotonic()
            world.sends(20, 90)
            run.resumed_within_s = max(run.resumed_within_s or 0.0, round(time.monotonic() - began, 1))
        traffic.finish(240)
        run.reckon(world, traffic.mailings, uncertain=CONNECTIONS * run.kills)
        run.note(f"{run.kills} workers killed; mails left again {run.resumed_within_s} s after the start at the latest")


def kill_all(world: World, run: Run) -> None:
    """At once: stopped first, so that none of them lives to see another die."""
    for process in world.processes.values():
        process.send_signal(signal.SIGSTOP)
    run.stand.postgres.stop(signal.SIGQUIT)
    for name in list(world.processes):
        world.kill(name)
    run.stand.postgres.start()
