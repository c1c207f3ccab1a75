"""The promises under fire, in short: real processes are killed and lied to while mailings run; nothing is lost."""

import random

import pytest
from sqlalchemy import select

from faults.mould import CROWD
from faults.patience import until
from faults.run import CONNECTIONS, Run
from faults.runs import FAULTS
from faults.script import Rule
from faults.storm import Storm
from faults.world import World
from massmail_plugin import consent, mailings
from massmail_plugin.consent.proof import Proof
from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import OutboxMessage
from massmail_plugin.vocabulary import ConsentWay, MailingState, SkipReason
from sample_host.crm.models import db
from sample_host.demo_mailing import SOURCE

pytestmark = pytest.mark.xdist_group("faults")

DELAY = (0.05, 0.2)
SHARPEST = ("power-loss", "poison-rows", "postgresql-crash", "server-drop-taken")


@pytest.fixture
def run(stand, request) -> Run:
    return Run(request.node.name, stand, quick=True)


@pytest.mark.parametrize("name", SHARPEST)
def test_the_sharpest_runs(stand, name):
    done = FAULTS[name].run(stand, quick=True)
    assert done.ok, done.problems


def opt_out_somebody(made: World, mailing: int) -> set[int]:
    """Three people who still wait for their mail opt out of everything; their rows."""
    row = OutboxMessage
    with made.app.app_context():
        waiting = select(row.id, row.contact_key).where(row.mailing_id == mailing, row.state == "planned")
        found = db.session.execute(waiting.order_by(row.id.desc()).limit(3)).all()
        for _, key in found:
            consent.withdraw(
                made.host, ContactRef(SOURCE, key), list_ids=None, proof=Proof(ConsentWay.PERSON, evidence="test")
            )
        db.session.commit()
        return {number for number, _ in found}


def test_killed_workers_a_lost_mail_server_and_people_who_opt_out(run):
    with run.world("sqlite", MASSMAIL_CHUNK_SIZE="40") as made:
        made.sink.script(delay=DELAY)
        made.start_workers(2)
        made.start_flask("scheduler2", "scheduler")
        mailing, storm = made.launch(CROWD), Storm(made)
        made.sends(10)
        gone = opt_out_somebody(made, mailing)
        for _ in range(3):
            made.sends(10)
            storm.strike()
        made.sends(10)
        made.kill("sink")
        assert until(lambda: made.fault() != "", 20), "nobody says that the mail server is gone"
        made.start_sink().script(delay=(0.0, 0.005))
        made.test_sender()
        made.sends(5)
        assert made.stop("worker0") < 20
        made.finish([mailing], 60)
        run.reckon(made, [mailing], uncertain=CONNECTIONS * (3 + 2))
        assert run.problems == []
        row = OutboxMessage
        assert {one.reason for one in made.row(mailing, row.reason, row.id) if one.id in gone} == {SkipReason.OPTED_OUT}
        assert made.fault() == ""


def test_pauses_a_lost_redis_a_second_click_and_a_cancelled_mailing(run):
    with run.world("postgresql", MASSMAIL_CHUNK_SIZE="40") as made:
        made.sink.script(Rule("rcpt", "say", "450 4.2.0 later", share=0.1), delay=DELAY)
        made.start_workers(2)
        mailing, storm = made.launch(CROWD), Storm(made)
        made.sends()
        with pytest.raises(BadRequest, match="not sent twice"):
            made.do(mailings.launch, mailing, by="a second click")
        for _ in range(3):
            made.do(mailings.pause, mailing, by="a test")
            made.do(mailings.resume, mailing)
        storm.strike(random.choice(made.workers()))
        made.kill("redis")
        made.start_redis()
        made.flush_redis()
        made.sends(10)
        assert made.stop("worker0") < 20
        made.do(mailings.cancel, mailing)
        taken = made.accepted()
        made.finish([mailing], 30)
        assert made.accepted() <= taken + 2 * CONNECTIONS, "no more than was on its way"
        run.reckon(made, [mailing], uncertain=CONNECTIONS)
        assert run.problems == []
        assert made.state(mailing) == MailingState.CANCELLED
