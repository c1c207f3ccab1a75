"""The host's contacts go, move and opt out while their mail is on its way."""

import random
import threading
import time

from sqlalchemy import delete, select, update

from faults.mould import CROWD, FIRST_KEY, address
from faults.reckoning import row_of
from faults.run import Run, fault
from faults.world import World
from massmail_plugin import consent
from massmail_plugin.consent.proof import Proof
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import OutboxMessage
from massmail_plugin.vocabulary import ConsentWay, SkipReason
from sample_host.crm.models import Contact, db
from sample_host.demo_mailing import SOURCE

NOTICE = 0.1
"""Seconds after the commit of an opt-out from which on no hand-over may begin."""


@fault("contact-gone", "the host deletes contacts in the middle: their rows say so")
def contact_gone(run: Run) -> None:
    with run.world() as world:
        mailing = half_sent(world)
        keys = waiting(world, mailing)[-200:]
        with world.app.app_context():
            db.session.execute(delete(Contact).where(Contact.id.in_([int(key) for key in keys])))
            db.session.commit()
        world.finish([mailing], 120)
        run.reckon(world, [mailing])
        row = OutboxMessage
        found = [one.reason for one in world.row(mailing, row.reason, row.contact_key) if one.contact_key in keys]
        gone = found.count(SkipReason.CONTACT_GONE)
        run.expect(gone == len(keys), f"of {len(keys)} deleted contacts {gone} rows say so: {set(found)}")
        run.note(f"{gone} rows say that their contact is gone")


@fault("address-changed", "the host changes addresses in the middle: nothing goes to an old one afterwards")
def address_changed(run: Run) -> None:
    with run.world() as world:
        mailing = half_sent(world)
        keys = [int(key) for key in waiting(world, mailing)[-400:]]
        with world.app.app_context():
            for key in keys:
                db.session.execute(update(Contact).where(Contact.id == key).values(email1=f"moved{key}@example.net"))
            db.session.commit()
        changed = time.time()
        world.finish([mailing], 120)
        run.reckon(world, [mailing])
        old = {address(key) for key in keys}
        late = [taken for taken in world.taken() if taken.recipient in old and taken.told > changed + NOTICE]
        moved = sum(taken.recipient.startswith("moved") for taken in world.taken())
        run.expect(not late, f"{len(late)} mails went to an old address")
        run.expect(moved > 0, "no mail went to a new address, so nothing was shown")
        run.note(f"{moved} of {len(keys)} went to the new address, the others had gone before the change")


@fault("opt-out-storm-postgresql", "1,000 opt-outs at random while a mailing runs: none gets mail afterwards")
def opt_out_storm_postgresql(run: Run) -> None:
    storm(run, "postgresql")


@fault("opt-out-storm-sqlite", "the same on SQLite")
def opt_out_storm_sqlite(run: Run) -> None:
    storm(run, "sqlite")


def storm(run: Run, kind: str) -> None:
    """People opt out at random, and each instant of commit is held against the mail server's log."""
    with run.world(kind) as world:
        world.sink.script(delay=(0.02, 0.05))
        world.start_workers(2)
        mailing = world.launch(CROWD)
        world.sends(10)
        keys = random.sample(range(FIRST_KEY, FIRST_KEY + world.crowd), run.either(1000, 300))
        committed: dict[int, float] = {}
        thread = threading.Thread(target=opt_out, args=(world, keys, committed))
        thread.start()
        thread.join()
        world.finish([mailing], 240)
        run.reckon(world, [mailing])
        judge(run, world, mailing, committed)


def opt_out(world: World, keys: list[int], committed: dict[int, float]) -> None:
    """One after the other, each in a transaction of its own."""
    for key in keys:
        with world.app.app_context():
            ref = ContactRef(SOURCE, str(key))
            consent.withdraw(world.host, ref, list_ids=None, proof=Proof(ConsentWay.PERSON, evidence="the fault runs"))
            db.session.commit()
        committed[key] = time.time()
        time.sleep(random.uniform(0.0, 0.01))


def judge(run: Run, world: World, mailing: int, committed: dict[int, float]) -> None:
    """Nobody gets mail whose content left later than NOTICE after the commit."""
    row = OutboxMessage
    of = {one.id: int(one.contact_key) for one in world.row(mailing, row.id, row.contact_key)}
    late, kept = [], set(committed)
    for taken in world.taken():
        key = of.get(row_of(world.host, taken) or 0, 0)
        kept.discard(key)
        if key in committed and taken.told > committed[key] + NOTICE:
            late.append(taken.told - committed[key])
    run.expect(not late, f"{len(late)} got mail after they had opted out, up to {max(late, default=0):.2f} s after")
    run.expect(bool(kept), "all who opted out had their mail before, so nothing was shown")
    reasons = {one.reason for one in world.row(mailing, row.reason, row.contact_key) if int(one.contact_key) in kept}
    run.expect(reasons <= {SkipReason.OPTED_OUT}, f"their rows say {reasons}")
    run.note(f"{len(committed)} opted out, {len(kept)} of them before their mail left")


def half_sent(world: World) -> int:
    """A mailing with a part of its mails gone."""
    world.sink.script(delay=(0.02, 0.05))
    world.start_workers(2)
    mailing = world.launch(CROWD)
    world.sends(100)
    return mailing


def waiting(world: World, mailing: int) -> list[str]:
    """Keys of those whose mail is in nobody's hands yet, the last ones last."""
    held = {chunk.number for chunk in world.leased()}
    row = OutboxMessage
    with world.app.app_context():
        query = select(row.contact_key, row.chunk).where(row.mailing_id == mailing, row.state == "planned")
        return [key for key, chunk in db.session.execute(query.order_by(row.id)) if chunk not in held]
