"""Workers are told to stop, as at each deployment; mailings are paused, resumed and cancelled while they run."""

import random
import time

from faults.mould import FEW
from faults.run import Run, fault
from faults.runs.kills import DELAY, calm
from faults.script import Rule
from faults.traffic import Traffic
from faults.world import World
from massmail_plugin import mailings
from massmail_plugin.vocabulary import MailingState


@fault("sigterm", "SIGTERM to all workers in the middle, again and again")
def sigterm(run: Run) -> None:
    with run.world() as world:
        world.sink.script(delay=(0.05, 0.5))
        world.start_workers(2)
        traffic, slowest = Traffic(world), 0.0
        for _ in range(run.either(10, 2)):
            traffic.begin()
            calm(world, traffic, random.uniform(0.2, 1.5))
            for name in world.workers():
                slowest = max(slowest, world.stop(name))
                world.again(name)
        world.sink.script(delay=(0.0, 0.0))
        traffic.finish()
        run.reckon(world, traffic.mailings)
        run.expect(slowest <= 30, f"a worker took {slowest:.0f} s to end")
        run.note(f"the slowest ended after {slowest:.1f} s")


@fault("pause-resume-cancel", "pause and resume in a loop, then cancel: what leaves afterwards is what was in flight")
def pause_resume_cancel(run: Run) -> None:
    with run.world() as world:
        world.sink.script(delay=DELAY)
        world.start_workers(2)
        mailing, late = world.launch(), []
        world.sends()
        for _ in range(run.either(10, 3)):
            world.do(mailings.pause, mailing, by="the fault runs")
            late.append(after_a_second(world))
            world.do(mailings.resume, mailing)
            world.sends(5)
        world.do(mailings.cancel, mailing)
        at = time.time()
        late.append(after_a_second(world))
        time.sleep(2)
        world.finish([mailing], 30)
        after = [taken for taken in world.taken() if taken.told > at + 1]
        run.expect(not after, f"{len(after)} mails were handed over more than a second after the cancelling")
        run.expect(max(late) == 0, f"{max(late)} mails left between the first and the second second after a stop")
        run.expect(world.state(mailing) == MailingState.CANCELLED, "it is not cancelled")
        run.reckon(world, [mailing])


def after_a_second(world: World) -> int:
    """How many mails are handed over later than a second after now, within another one."""
    at = time.time()
    time.sleep(2.0)
    return sum(taken.told > at + 1 for taken in world.taken())


@fault("retry-failed", "the retry of failed mails tries exactly those")
def retry_failed(run: Run) -> None:
    with run.world() as world:
        world.sink.script(Rule("rcpt", "say", "550 5.7.1 not today", share=0.2))
        world.start_workers(2)
        mailing = world.launch(FEW)
        world.finish([mailing], 90)
        before = world.rows(mailing)
        world.sink.script()
        world.do(mailings.retry_failed, mailing)
        world.finish([mailing], 90)
        found = run.reckon(world, [mailing])
        run.expect(before["refused"] > 0, "nothing was refused, so nothing was shown")
        run.expect(world.rows(mailing)["refused"] == 0, "some are still refused")
        run.expect(found.taken == found.sent, "some were taken twice")
        run.note(f"{before['refused']} were refused and tried again")
