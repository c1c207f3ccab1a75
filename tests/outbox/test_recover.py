"""What a dead worker left: its journal says of each message how far it came, and what cannot be known is uncertain."""

import pytest
from sqlalchemy import select, update

from massmail_plugin import outbox
from massmail_plugin.models import Chunk, Mailing, OutboxMessage
from massmail_plugin.outbox import journal as journals
from massmail_plugin.vocabulary import MailingState
from tests.consent.small_host import clock

from .conftest import LATER, NEVER, SENT, filled, settle, states, take


class Worker:
    """A worker with one chunk in hand; it dies without a word."""

    def __init__(self, host, name="one"):
        folder, state = outbox.open_folder(host.state_dir)
        self.journal = outbox.Journal(folder, name, regions=2, slots=host.config.chunk_size)
        self.chunk, self.rows = take(host, name, state)

    def begin(self):
        self.region = self.journal.take()
        self.region.begin(self.chunk.id, [row.id for row in self.rows])
        return self

    def hand(self, place, answer=None):
        self.region.handed(place, 1_700_000_000.0)
        if answer is not None:
            self.region.answered(place, answer, 1_700_000_000.0)

    def die(self):
        self.journal.close(keep=True)


@pytest.fixture
def reported():
    return []


@pytest.fixture
def recover(host, reported):
    return lambda: outbox.recover(host, lambda mailing, results, became: reported.append((mailing, became)))


def state(host, mailing):
    return host.session.get_one(Mailing, mailing.id, populate_existing=True).state


def test_only_what_was_handed_without_an_answer_is_uncertain(host, mailing, recover, reported):
    filled(host, mailing, 4)
    worker = Worker(host).begin()
    worker.hand(0, SENT)
    worker.hand(1)
    worker.hand(2, LATER)
    worker.die()
    assert recover() == 1
    assert states(host, mailing) == ["sent", "uncertain", "deferred", "planned"]
    assert outbox.counts(host, mailing.id) == outbox.Counts(sent=1, uncertain=1, deferred=1, planned=1)
    row = host.session.get_one(OutboxMessage, worker.rows[1].id)
    assert "no answer came" in row.reply_text
    assert row.handed_at.timestamp() == 1_700_000_000.0
    assert [str(one) for one in reported[0][1].values()] == ["sent", "deferred", "uncertain"]
    assert [one.id for one in take(host, "two")[1]] == [worker.rows[3].id]


def test_it_does_not_wait_for_the_lease_to_end(host, mailing, recover):
    filled(host, mailing, 1)
    Worker(host).begin().die()
    assert recover() == 1
    assert take(host, "two")[0] is not None


def test_a_living_worker_is_left_alone_however_late_it_is(host, mailing, recover):
    filled(host, mailing, 1)
    worker = Worker(host).begin()
    worker.hand(0)
    clock(host).tick(seconds=host.config.lease_seconds + 1)
    assert recover() == 0
    assert states(host, mailing) == ["planned"]
    worker.die()


def test_a_worker_that_died_before_it_began_leaves_nothing_uncertain(host, mailing, recover):
    filled(host, mailing, 3)
    Worker(host).die()
    assert recover() == 1
    assert states(host, mailing) == ["planned"] * 3


def test_what_was_settled_before_the_death_stays_as_it_is(host, mailing, recover, reported):
    filled(host, mailing, 3)
    worker = Worker(host).begin()
    worker.hand(0, LATER)
    settle(host, worker.rows[:1], LATER)
    worker.region.settled(0)
    worker.die()
    recover()
    row = host.session.get_one(OutboxMessage, worker.rows[0].id, populate_existing=True)
    assert (row.state, row.attempts) == ("deferred", 1)
    assert reported == [(mailing.id, {})]


def test_answers_that_are_in_the_database_already_are_not_counted_twice(host, mailing, recover):
    """Killed between the commit and the note in the journal."""
    filled(host, mailing, 2)
    worker = Worker(host).begin()
    worker.hand(0, SENT)
    worker.hand(1, NEVER)
    settle(host, worker.rows, SENT, NEVER)
    worker.die()
    recover()
    assert states(host, mailing) == ["sent", "refused"]
    assert state(host, mailing) == MailingState.FINISHED


def test_the_last_answer_in_a_journal_finishes_the_mailing(host, mailing, recover):
    filled(host, mailing, 1)
    worker = Worker(host).begin()
    worker.hand(0, SENT)
    worker.die()
    recover()
    assert state(host, mailing) == MailingState.FINISHED


def test_a_message_that_kills_three_workers_is_set_aside(host, mailing, recover):
    filled(host, mailing, 2)
    for name in ("one", "two", "three"):
        worker = Worker(host, name).begin()
        worker.region.writing(0)
        worker.die()
        recover()
    assert states(host, mailing) == ["refused", "planned"]
    assert host.session.get_one(OutboxMessage, worker.rows[0].id).reason == "poison"


def test_a_chunk_that_kills_three_workers_before_they_begin_pauses_its_mailing(host, mailing, recover):
    filled(host, mailing, 2)
    for name in ("one", "two", "three"):
        Worker(host, name).die()
        recover()
    found = host.session.get_one(Mailing, mailing.id, populate_existing=True)
    assert (found.state, found.hold_reason) == (MailingState.PAUSED, "crashed")
    outbox.resume(host, mailing.id, filled=True)
    host.session.commit()
    assert take(host, "four")[0] is not None


def test_after_a_restart_of_the_machine_a_begun_chunk_is_uncertain_as_a_whole(host, mailing, recover, monkeypatch):
    """What was stored last may not have reached the disk."""
    filled(host, mailing, 4)
    worker = Worker(host).begin()
    worker.hand(0, SENT)
    worker.hand(1)
    worker.die()
    monkeypatch.setattr(journals, "boot", lambda: "another")
    recover()
    assert states(host, mailing) == ["sent", "uncertain", "uncertain", "uncertain"]


def test_the_chunk_of_a_machine_that_is_gone_waits_for_it_and_is_uncertain_then(host, mailing, recover):
    filled(host, mailing, 2)
    take(host, "elsewhere:1:x", "another machine")
    clock(host).tick(seconds=host.config.lease_seconds + host.config.journal_wait_seconds - 1)
    assert recover() == 0
    clock(host).tick(seconds=2)
    assert recover() == 1
    assert states(host, mailing) == ["uncertain", "uncertain"]
    row = host.session.scalars(select(OutboxMessage)).first()
    assert "machine" in row.reply_text
    assert state(host, mailing) == MailingState.FINISHED


def test_a_late_answer_settles_an_uncertain_row_and_is_counted(host, mailing, recover):
    filled(host, mailing, 2)
    chunk, rows = take(host, "slow", "elsewhere")
    clock(host).tick(seconds=host.config.lease_seconds + host.config.journal_wait_seconds + 1)
    recover()
    settle(host, rows, SENT, LATER)
    assert not outbox.give_back(host, chunk)
    host.session.commit()
    assert outbox.counts(host, mailing.id) == outbox.Counts(sent=1, deferred=1)
    assert state(host, mailing) == MailingState.SENDING


def test_a_late_worker_leaves_what_another_has_in_hand_alone(host, mailing):
    filled(host, mailing, 2)
    late, _ = take(host, "late")
    host.session.execute(update(Chunk).values(leased_by=None))
    host.session.commit()
    take(host, "quick")
    assert not outbox.give_back(host, late)
    host.session.commit()
    assert host.session.scalars(select(Chunk.leased_by)).all() == ["quick"]
    assert states(host, mailing) == ["planned", "planned"]


def test_two_recoveries_at_once_settle_once(host, mailing, recover):
    filled(host, mailing, 1)
    Worker(host).begin().die()
    folder, _ = outbox.open_folder(host.state_dir)
    for _ in journals.left(folder):
        assert recover() == 0, "the other one has the journal"
    assert recover() == 1
