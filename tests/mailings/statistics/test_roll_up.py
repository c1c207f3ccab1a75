"""The numbers by domain, list and reason: exact whatever happens in between, and counted outside of sending."""

import threading
from contextlib import suppress
from datetime import timedelta
from functools import partial

from flask import current_app
from sqlalchemy import event, select

from massmail_plugin import leases, outbox
from massmail_plugin.mailings import statistics
from massmail_plugin.mailings.statistics import roll_up
from massmail_plugin.models import Breakdown, Chunk, ChunkShare, Event, OutboxMessage
from massmail_plugin.vocabulary import EventKind, MailingState, MessageState
from tests.consent.small_host import clock
from tests.mailings.statistics.conftest import CHUNKS, Run


def test_everything_that_happens_ends_in_what_a_count_by_hand_gives(host):
    one, other = Run(host, 5), Run(host, 6, "Autumn")
    for turn in range(40):
        run = one if turn % 3 else other
        run.chance.choice((run.happens, run.settle, run.catch_up, partial(run.happens, 7)))()
        if turn % 8 == 7:
            run.catch_up()
            assert run.differences() == []
    for run in (one, other):
        run.settle()
        run.catch_up()
        assert run.kept() == run.by_hand()
        assert run.differences() == []


def test_counting_twice_changes_nothing(run):
    run.settle()
    run.happens(30)
    assert run.catch_up() > 0
    before = run.kept()
    assert run.catch_up() == 0
    statistics.count_anew(run.host, run.id)
    assert run.catch_up() == CHUNKS
    assert run.kept() == before == run.by_hand()


def test_a_count_that_is_stopped_half_way_is_finished_by_the_next(run, monkeypatch):
    monkeypatch.setattr(roll_up, "AT_ONCE", 1)
    run.settle()
    run.happens(20)
    assert statistics.catch_up(run.host, seconds=0, settling=timedelta(0)) == 1
    assert run.differences() == [], "what is not counted yet is no fault"
    assert run.catch_up() == CHUNKS - 1
    assert run.kept() == run.by_hand()


def test_a_transaction_that_dies_leaves_nothing_half_counted(run, monkeypatch):
    run.settle()
    run.happens(20)

    def dies(*given):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(roll_up, "write", dies)
        with suppress(RuntimeError):
            run.catch_up()
    assert run.kept() == {}
    assert run.catch_up() == CHUNKS
    assert run.kept() == run.by_hand()


def test_what_is_about_to_be_sent_is_left_alone(run):
    run.host.session.query(Chunk).filter_by(number=3).update({"leased_by": "a worker", "due_at": None})
    run.settle(0)
    run.host.session.query(Chunk).filter_by(number=3).update({"leased_by": "a worker"})
    run.host.session.commit()
    run.catch_up()
    assert run.kept() == run.by_hand(but_chunks=(1, 2, 3)), "planned, or in a worker's hands"


def test_what_was_put_off_is_counted_while_it_waits(run):
    run.settle(0, 1, states=(MessageState.SENT, MessageState.DEFERRED, MessageState.DEFERRED))
    run.catch_up()
    assert run.kept() == run.by_hand(but_chunks=(2, 3))


def test_a_paused_mailing_is_counted_as_far_as_it_came(run):
    run.settle(0, states=(MessageState.SENT, MessageState.PLANNED))
    run.host.session.query(OutboxMessage).filter_by(state="planned").update({"due_at": run.host.clock()})
    outbox.recount(run.host, run.id)
    run.host.session.commit()
    run.catch_up()
    before = run.kept()
    run.mailing.state = MailingState.PAUSED.value
    run.host.session.commit()
    run.catch_up()
    assert (before, run.kept()) == ({}, run.by_hand(but_chunks=(1, 2, 3)))


def test_an_event_counts_again_each_time(run):
    run.settle(states=(MessageState.SENT,))
    run.catch_up()
    for kind in (EventKind.OPEN, EventKind.OPEN, EventKind.OPT_OUT, EventKind.OPT_BACK_IN):
        run.happens(message_id=run.ids[1], kind=kind, machine_reason="")
        run.catch_up()
        assert run.kept() == run.by_hand()


def test_events_of_other_transactions_are_given_time_to_commit(run):
    """On PostgreSQL ids are given before the commit: an event counts once a later look finds it below what was seen."""
    run.settle(states=(MessageState.SENT,))
    statistics.catch_up(run.host)
    run.happens(5)
    on_postgresql = run.host.db.engine.dialect.name == "postgresql"
    statistics.catch_up(run.host)
    clock(run.host).tick(seconds=31)
    statistics.catch_up(run.host)
    before = run.kept() == run.by_hand()
    clock(run.host).tick(seconds=31)
    statistics.catch_up(run.host)
    assert (before, run.kept()) == (not on_postgresql, run.by_hand())


def test_an_event_that_came_to_light_too_late_is_found_by_the_sums(run):
    run.settle(states=(MessageState.SENT,))
    run.happens(10)
    run.catch_up()
    run.happens(3)
    newest = run.host.session.scalar(select(roll_up.func.max(Event.id)))
    mark = run.host.session.get_one(roll_up.RollUp, roll_up.NAME)
    mark.counted_to = mark.seen = newest
    run.host.session.commit()
    clock(run.host).tick(minutes=11)
    run.catch_up()
    run.catch_up()
    assert run.kept() == run.by_hand()
    assert run.differences() == []


def test_one_process_counts_at_a_time(run):
    run.settle()
    run.happens(20)
    assert leases.take(run.host, roll_up.LEASE, seconds=60)
    app, counted = current_app._get_current_object(), []

    def elsewhere():
        with app.app_context():
            counted.append(statistics.catch_up(run.host, seconds=1))

    holder = roll_up.leases.holder_name
    try:
        roll_up.leases.holder_name = lambda: "another:1"
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    finally:
        roll_up.leases.holder_name = holder
    assert counted == [0]


def test_a_chunk_somebody_else_holds_is_left_for_later(run):
    """A retry or a cancel may hold chunks for long; it is not waited for."""
    if run.host.db.engine.dialect.name == "sqlite":
        return
    run.settle()
    with run.host.db.engine.connect() as other:
        other.execute(select(Chunk.id).where(Chunk.mailing_id == run.id, Chunk.number == 2).with_for_update())
        assert run.catch_up() == CHUNKS - 1
    assert run.catch_up() == 1
    assert run.kept() == run.by_hand()


def test_the_way_of_sending_pays_nothing_for_it(run):
    """Settling writes no statement of its own for the statistics."""
    said: list[str] = []
    event.listen(run.host.db.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    run.settle()
    run.happens(10)
    assert not [one for one in said if Breakdown.__tablename__ in one or ChunkShare.__tablename__ in one]
