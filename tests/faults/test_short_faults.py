"""The promises under fire, in short: real workers are killed while a mailing runs, and nothing is lost or doubled."""

import random
import shutil

import pytest
from sqlalchemy import select

from massmail_plugin import consent, mailings
from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import OutboxMessage
from massmail_plugin.vocabulary import MailingState, SkipReason
from sample_host.crm.models import db
from sample_host.demo_mailing import SOURCE
from tests.faults.world import World, children, until, world

pytestmark = pytest.mark.xdist_group("faults")

PAUSE = {"by": "a test"}


@pytest.fixture
def on_sqlite(redis_url):
    """`redis_url` skips where there is no Redis."""
    with world() as made:
        yield made


@pytest.fixture
def on_postgresql(redis_url, fresh_postgres_url):
    with world(fresh_postgres_url) as made:
        yield made


def slow_sink(made: World, seconds: float) -> None:
    """Each mail takes a while, so that there is always one on its way when something breaks."""
    made.stop("sink")
    made.start_sink(seconds)


def sends(made: World, more: int = 5, seconds: float = 40) -> None:
    before = sum(made.taken().values())
    assert until(lambda: sum(made.taken().values()) >= before + more, seconds), made.logs()


def kill_busy_workers(made: World, number: int) -> None:
    """Kill whoever sends, and start another in its place."""
    for _ in range(number):
        sends(made)
        busy = [name for name, one in made.processes.items() if name.startswith("worker") and children(one.pid)]
        assert busy, made.logs()
        name = random.choice(busy)
        made.kill(name)
        made.start_flask(name, "worker")


def opt_out_somebody(made: World, mailing_id: int) -> set[int]:
    """Three people who still wait for their mail opt out of everything; their rows."""
    with made.app.app_context():
        waiting = select(OutboxMessage.id, OutboxMessage.contact_key).where(
            OutboxMessage.mailing_id == mailing_id, OutboxMessage.state == "planned", OutboxMessage.handed_at.is_(None)
        )
        found = db.session.execute(waiting.order_by(OutboxMessage.id.desc()).limit(3)).all()
        for _, key in found:
            consent.withdraw(made.host, ContactRef(SOURCE, key), list_ids=None, evidence="test", message_id=None)
        db.session.commit()
        return {row for row, _ in found}


def test_killed_workers_a_lost_mail_server_and_people_who_opt_out(on_sqlite):
    made = on_sqlite
    slow_sink(made, 0.02)
    made.start_workers(2)
    made.start_flask("scheduler2", "scheduler")
    mailing = made.launch()
    kill_busy_workers(made, 3)
    gone = opt_out_somebody(made, mailing)
    kill_busy_workers(made, 1)
    made.kill("sink")
    assert until(lambda: "refuses connections" in made.fault(), 20)
    made.start_sink()
    made.test_sender()
    sends(made)
    assert made.stop("worker0") < 20
    made.finish(mailing, 60)
    lost, doubled, uncertain = made.reckon(mailing)
    assert (lost, doubled) == ([], [])
    assert uncertain <= 4 + 2, "one for each killed worker, and one for each connection to the killed mail server"
    assert made.reasons(gone) == {SkipReason.OPTED_OUT}
    assert made.fault() == ""


def test_pauses_a_lost_redis_a_second_click_and_a_cancelled_mailing(on_postgresql):
    made = on_postgresql
    slow_sink(made, 0.02)
    made.start_workers(2)
    mailing = made.launch()
    sends(made)
    with pytest.raises(BadRequest, match="not sent twice"):
        made.do(mailings.launch, mailing, by="a second click")
    for _ in range(3):
        made.do(mailings.pause, mailing, **PAUSE)
        made.do(mailings.resume, mailing)
    kill_busy_workers(made, 2)
    made.kill("redis")
    shutil.rmtree(made.folder / "redis")
    made.start_redis()
    sends(made)
    assert made.stop("worker0") < 20
    made.do(mailings.cancel, mailing)
    taken = sum(made.taken().values())
    until(lambda: made.quiet(mailing), 20)
    assert sum(made.taken().values()) <= taken + 2, "one for each worker was on its way"
    lost, doubled, uncertain = made.reckon(mailing)
    assert (lost, doubled) == ([], [])
    assert uncertain <= 2, "one for each killed worker; the one that was told to stop left none"
    assert made.state(mailing) == MailingState.CANCELLED
