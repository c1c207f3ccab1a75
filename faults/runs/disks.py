"""The disk of the journal is full, lost, or lost its last writes."""

import ctypes
import os
import resource
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from faults.patience import until
from faults.run import CONNECTIONS, NotHere, Run, fault
from faults.runs.kills import DELAY, calm
from faults.storm import Storm
from faults.traffic import Traffic

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@fault("disk-full", "the disk of the state directory is full: nothing is sent, then it goes on by itself")
def disk_full(run: Run) -> None:
    with run.world() as world, small_disk(world.folder / "state", run) as ballast:
        world.sink.script(delay=DELAY)
        fill(ballast)
        world.start_workers(2)
        traffic = Traffic(world)
        traffic.keep_up()
        told = until(lambda: world.said("cannot be used: No space left on device"), 60)
        run.expect(told, "nothing says that the disk is full")
        time.sleep(run.either(10, 3))
        run.expect(world.accepted() == 0, f"{world.accepted()} mails left without a durable mark")
        ballast.unlink()
        world.sends(20, 90)
        calm(world, traffic, 3)
        traffic.finish()
        run.reckon(world, traffic.mailings)


@contextmanager
def small_disk(folder: Path, run: Run) -> Iterator[Path]:
    """A disk of 16 MB mounted at the folder (root alone may); yields a file on it that can be made to fill it."""
    folder.mkdir(parents=True, exist_ok=True)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, b"size=16m"):
        raise NotHere(f"no disk could be mounted ({os.strerror(ctypes.get_errno())}); run it as root")
    run.note("a tmpfs of 16 MB")
    try:
        yield folder / "ballast"
    finally:
        libc.umount2(str(folder).encode(), 2)


def fill(ballast: Path) -> None:
    """Write until nothing fits any more."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return


@fault("disk-quota", "the worker may write no file as large as a journal (RLIMIT_FSIZE)")
def disk_quota(run: Run) -> None:
    with run.world() as world:
        world.start_workers(2)
        for name in world.workers():
            resource.prlimit(world.processes[name].pid, resource.RLIMIT_FSIZE, (40_000, 40_000))
        traffic = Traffic(world)
        traffic.keep_up()
        told = until(lambda: world.said("cannot be used: File too large"), 60)
        run.expect(told, "nothing says that no journal can be written")
        run.expect(world.accepted() == 0, f"{world.accepted()} mails left without a durable mark")
        for name in world.workers():
            world.kill(name)
            world.again(name)
        world.sends(20, 90)
        traffic.finish()
        run.reckon(world, traffic.mailings)


@fault("host-lost", "a machine is lost with its state directory: what it had in hand is uncertain after the wait")
def host_lost(run: Run) -> None:
    with run.world(MASSMAIL_JOURNAL_WAIT_SECONDS="5") as world:
        world.sink.script(delay=(0.05, 0.1))
        other = world.folder / "state-of-another-machine"
        world.start_workers(1)
        world.start_workers(1, first=1, environment={"MASSMAIL_STATE_DIR": str(other)})
        traffic, storm = Traffic(world), Storm(world)
        traffic.begin()
        until(lambda: "worker1" in world.busy(), 60, traffic.keep_up)
        calm(world, traffic, 2)
        at = time.time()
        dead = world.kill("worker1")
        shutil.rmtree(other)
        storm.remember(at, dead)
        world.sink.script(delay=(0.0, 0.0))
        traffic.finish(240)
        in_hand = sum(kill.waited.total() for kill in storm.kills)
        run.expect(in_hand > 0, "the lost machine had nothing in hand, so nothing was shown")
        run.reckon(world, traffic.mailings, uncertain=in_hand)
        run.expect(run.uncertain > 0, "nothing is uncertain, though nobody can know")
        run.note(f"{in_hand} rows were in the lost machine's hands")


@fault("power-loss", "the machine is started anew: a journal of an earlier boot is believed no more than it can be")
def power_loss(run: Run) -> None:
    with run.world() as world:
        world.sink.script(delay=(0.05, 0.1))
        world.start_workers(2)
        traffic, storm = Traffic(world), Storm(world)
        traffic.begin()
        calm(world, traffic, 2)
        at, dead = time.time(), []
        for name in [*world.workers(), "scheduler"]:
            dead += world.kill(name)
        storm.remember(at, dead)
        world.sink.script(delay=(0.0, 0.0))
        changed = another_boot(world.folder / "state")
        run.expect(changed > 0, "no journal was left, so nothing was shown")
        for name in ("scheduler", "worker0", "worker1"):
            world.again(name)
        traffic.finish(240)
        in_hand = sum(kill.waited.total() for kill in storm.kills)
        run.reckon(world, traffic.mailings, uncertain=in_hand)
        run.expect(
            run.uncertain > 2 * CONNECTIONS or not in_hand, "the journal was believed as if nothing had happened"
        )
        run.note(f"{changed} journals, {in_hand} rows in hand")


def another_boot(state: Path) -> int:
    """Make every journal one of an earlier boot; the number of them."""
    now, before = BOOT_ID.read_text().strip().encode(), str(uuid4()).encode()
    found = [path for path in state.rglob("*") if path.is_file() and now in path.read_bytes()]
    for path in found:
        path.write_bytes(path.read_bytes().replace(now, before))
    return len(found)
