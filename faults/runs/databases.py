"""PostgreSQL is restarted, crashes, is gone for a minute, and throws transactions out."""

import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from faults.postgres import fastest_knock
from faults.run import CONNECTIONS, Run, fault
from faults.runs.kills import DELAY, calm
from faults.traffic import Traffic
from faults.world import World

WORKERS = 2
GRACE = 1.0
"""A mail that the server takes later than this after the database went was not on its way when it went."""


@fault("postgresql-restart", "PostgreSQL is restarted in good order")
def postgresql_restart(run: Run) -> None:
    out(run, signal.SIGINT, seconds=0.0, times=run.either(5, 1))


@fault("postgresql-crash", "PostgreSQL ends at once, as after a crash")
def postgresql_crash(run: Run) -> None:
    out(run, signal.SIGQUIT, seconds=0.0, times=run.either(5, 1))


@fault("postgresql-down", "PostgreSQL is away for 60 s: nothing new is sent, and nobody hammers at its door")
def postgresql_down(run: Run) -> None:
    out(run, signal.SIGQUIT, seconds=run.either(60.0, 20.0), times=1)


def out(run: Run, how: signal.Signals, *, seconds: float, times: int) -> None:
    """Take the database away while mails leave, and see that they leave again by themselves."""
    with run.world() as world:
        world.sink.script(delay=DELAY)
        world.start_workers(WORKERS)
        traffic = Traffic(world)
        for _ in range(times):
            traffic.begin()
            calm(world, traffic, random.uniform(0.5, 2.0))
            gone = time.time()
            with run.stand.postgres.away(how) as knocks:
                time.sleep(seconds)
                back = time.time()
            began = time.monotonic()
            judge_absence(run, world, gone, back)
            if seconds:
                fastest = fastest_knock(knocks, back - gone)
                run.expect(fastest <= 1.0, f"a process tried {fastest:.1f} times a second to connect")
                run.note(f"most impatient process: {fastest:.2f} tries a second")
            world.sends(20, 90)
            run.resumed_within_s = max(run.resumed_within_s or 0.0, round(time.monotonic() - began, 1))
        traffic.finish()
        run.reckon(world, traffic.mailings, uncertain=CONNECTIONS * WORKERS * times)
        run.note(f"mails left again within {run.resumed_within_s} s")


def judge_absence(run: Run, world: World, gone: float, back: float) -> None:
    """While the database is away, nothing is handed over but what was on its way."""
    late = [taken for taken in world.taken() if gone + GRACE < taken.told < back]
    if back - gone > GRACE:
        run.expect(not late, f"{len(late)} mails were handed over while the database was away")


@fault("deadlocks", "a session locks our rows in the other order; the engine's transactions are thrown out")
def deadlocks(run: Run) -> None:
    with run.world() as world:
        with rival(world) as thrown:
            steady(run, world)
        run.note(f"the other session took its locks {thrown['rounds']} times; {deaths(run)} deadlocks in the log")


@fault("serialization", "a trigger throws 40001 or 40P01 at 3% of our statements")
def serialization(run: Run) -> None:
    with run.world() as world:
        engine = create_engine(world.environment["MASSMAIL_DATABASE_URL"], poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text(THROWS))
            for table in ("massmail_outbox_message", "massmail_chunk", "massmail_mailing", "massmail_lease"):
                connection.execute(text(TRIGGER.format(table=table)))
        steady(run, world)
        with engine.begin() as connection:
            thrown = connection.execute(text("SELECT last_value FROM faults_thrown")).scalar_one()
        run.note(f"{thrown} statements were thrown out")


THROWS = """
CREATE SEQUENCE faults_thrown;
CREATE FUNCTION faults_throw() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF random() < 0.03 AND current_setting('application_name') <> 'faults' THEN
    PERFORM nextval('faults_thrown');
    IF random() < 0.5 THEN RAISE EXCEPTION 'made by the fault runs' USING ERRCODE = '40001';
    ELSE RAISE EXCEPTION 'made by the fault runs' USING ERRCODE = '40P01'; END IF;
  END IF;
  RETURN NULL;
END $$;
"""
TRIGGER = """
CREATE TRIGGER faults_throw BEFORE UPDATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION faults_throw();
"""


def steady(run: Run, world: World) -> None:
    """Send for a while, then account for every mail: nothing may even be uncertain."""
    world.sink.script(delay=DELAY)
    world.start_workers(WORKERS)
    traffic = Traffic(world)
    traffic.begin()
    calm(world, traffic, run.either(40, 10))
    traffic.finish(240)
    run.reckon(world, traffic.mailings)


@contextmanager
def rival(world: World) -> Iterator[dict[str, int]]:
    """A session that locks messages, then chunks, then mailings: the other way round than the house does.

    It waits longer than PostgreSQL looks for deadlocks, so that the one thrown out is always ours.
    """
    over, seen = threading.Event(), {"rounds": 0}
    engine = create_engine(world.environment["MASSMAIL_DATABASE_URL"], poolclass=NullPool)

    def fight() -> None:
        while not over.wait(0.05):
            with suppress(DBAPIError), engine.begin() as connection:
                connection.execute(text("SET LOCAL deadlock_timeout = '20s'"))
                connection.execute(text("SET LOCAL lock_timeout = '5s'"))
                for statement in RIVAL:
                    connection.execute(text(statement))
                    time.sleep(0.05)
                seen["rounds"] += 1

    thread = threading.Thread(target=fight, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


RIVAL = (
    "SELECT id FROM massmail_outbox_message WHERE state = 'planned' ORDER BY id DESC LIMIT 300 FOR UPDATE",
    "SELECT id FROM massmail_chunk WHERE due_at IS NOT NULL ORDER BY id DESC LIMIT 3 FOR UPDATE",
    "SELECT id FROM massmail_mailing WHERE state = 'sending' ORDER BY id DESC FOR UPDATE",
)


def deaths(run: Run) -> int:
    """How many deadlocks the server's log tells of."""
    return (run.stand.folder / "postgres.log").read_text(errors="replace").count("deadlock detected")
