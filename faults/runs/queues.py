"""Redis is restarted, emptied, full and gone for a minute: it is only the call, the rows are the truth."""

import time
from collections.abc import Callable

import redis

from faults.run import Run, fault
from faults.runs.kills import DELAY, calm
from faults.traffic import Traffic
from faults.world import World

RESUMES = 90


@fault("redis-restart", "Redis is killed and started again over its data")
def redis_restart(run: Run) -> None:
    def restart(world: World) -> None:
        world.kill("redis")
        world.start_redis()

    through(run, restart, run.either(5, 1))


@fault("redis-flushall", "FLUSHALL in the middle")
def redis_flushall(run: Run) -> None:
    through(run, World.flush_redis, run.either(5, 1))


@fault("redis-down", "Redis is away for 60 s")
def redis_down(run: Run) -> None:
    def away(world: World) -> None:
        world.kill("redis")
        time.sleep(run.either(60, 20))
        world.start_redis()

    through(run, away, 1)


@fault("redis-full", "Redis refuses to write (noeviction, no memory left) for 20 s")
def redis_full(run: Run) -> None:
    def full(world: World) -> None:
        with redis.Redis.from_url(world.environment["MASSMAIL_REDIS_URL"]) as connection:
            connection.config_set("maxmemory", 1)
            time.sleep(run.either(20, 5))
            connection.config_set("maxmemory", 0)

    through(run, full, 1)


def through(run: Run, breaks: Callable[[World], object], times: int) -> None:
    """Break it while mails leave, and see that they leave again by themselves."""
    with run.world() as world:
        world.sink.script(delay=DELAY)
        world.start_workers(2)
        traffic = Traffic(world)
        for _ in range(times):
            traffic.begin()
            calm(world, traffic, 1.0)
            breaks(world)
            began = time.monotonic()
            traffic.keep_up()
            world.sends(20, RESUMES)
            run.resumed_within_s = max(run.resumed_within_s or 0.0, round(time.monotonic() - began, 1))
        traffic.finish()
        run.reckon(world, traffic.mailings)
        run.note(f"mails left again within {run.resumed_within_s} s")
