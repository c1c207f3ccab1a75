"""Mails and jobs that kill whoever takes them in hand: they are set aside after three deaths, the others go."""

import json
import time
from uuid import uuid4

import redis
from rq import Queue
from rq.serializers import JSONSerializer

from faults.mould import CROWD, FEW, FIRST_KEY
from faults.run import CONNECTIONS, Run, fault
from faults.world import World
from massmail_plugin.models import OutboxMessage
from massmail_plugin.vocabulary import MailingState, RefusalReason

POISON = [str(FIRST_KEY + number) for number in (11, 12, 250)]
"""One in a hundred of those on the list, two of them in one chunk."""


@fault("poison-rows", "three contacts whose mail ends the process with SIGSEGV: refused after three, the others go")
def poison_rows(run: Run) -> None:
    with run.world(FAULTS_POISON=",".join(POISON)) as world:
        world.sink.script(delay=(0.005, 0.02))
        world.start_workers(2)
        mailing = world.launch(FEW)
        world.finish([mailing], 240)
        run.reckon(world, [mailing], uncertain=CONNECTIONS * 3 * len(POISON))
        row = OutboxMessage
        for found in world.row(mailing, row.contact_key, row.state, row.reason, row.crashes):
            if found.contact_key in POISON:
                said = f"contact {found.contact_key} is {found.state} ({found.reason}) after {found.crashes} crashes"
                run.expect((found.state, found.reason) == ("refused", RefusalReason.POISON.value), said)
                run.note(said)
            else:
                run.expect(found.state in ("sent", "uncertain"), f"{found.contact_key} is {found.state}")


@fault("poison-mailing", "a mailing that kills each worker is held; another one beside it is sent")
def poison_mailing(run: Run) -> None:
    with run.world(FAULTS_POISON_MAILING="Poisoned") as world:
        world.start_workers(2)
        bad = world.launch(FEW, name="Poisoned")
        good = world.launch(FEW)
        world.finish([good], 240)
        world.finish_or_pause(bad, 240)
        state, reason, note = world.mailing(bad)
        run.expect(state in (MailingState.PAUSED, MailingState.FINISHED), f"it is {state}")
        run.reckon(world, [good], uncertain=0)
        run.expect(world.rows(good)["sent"] == 300, f"the other mailing: {dict(world.rows(good))}")
        run.note(f"the poisoned mailing is {state} ({reason}): {note}; {dict(world.rows(bad))}")


@fault("poison-jobs", "jobs in Redis that are none of ours, are no jobs at all, or kill their worker")
def poison_jobs(run: Run) -> None:
    with run.world(FAULTS_POISON_REPORT=POISON[0]) as world:
        world.start_workers(2)
        strew(world)
        mailing = world.launch(CROWD)
        world.finish([mailing], 120)
        run.reckon(world, [mailing], uncertain=CONNECTIONS * 3)
        time.sleep(run.either(20, 5))
        again = world.launch(FEW)
        world.finish([again], 120)
        run.reckon(world, [again], uncertain=CONNECTIONS * 3)


def strew(world: World) -> None:
    """Put rubbish into the queue."""
    with redis.Redis.from_url(world.environment["MASSMAIL_REDIS_URL"]) as connection:
        queue = Queue("massmail", connection=connection, serializer=JSONSerializer)
        for function in ("os.abort", "no.such.function", "massmail_plugin.jobs.functions.nothing"):
            queue.enqueue(function, job_id=f"massmail-send-{uuid4().hex}")
        connection.rpush(queue.key, "no-such-job", json.dumps({"id": 1}))
        connection.hset("rq:job:broken", mapping={"data": b"\x00\xff", "origin": "massmail", "status": "queued"})
        connection.rpush(queue.key, "broken")
