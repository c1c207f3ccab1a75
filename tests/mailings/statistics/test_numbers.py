"""Every number on a page equals a recount of the rows, and leads to the people behind it."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from massmail_plugin import mailings
from massmail_plugin.mailings import Which, statistics
from massmail_plugin.mailings.statistics import breakdown, periods
from massmail_plugin.mailings.statistics.hours import hours
from massmail_plugin.mailings.statistics.links import clickers, link_counts
from massmail_plugin.models import Breakdown, Chunk, ChunkShare, Event, EventTally, OutboxMessage
from massmail_plugin.vocabulary import EventKind, MailingKind, MailingState, MessageState
from tests.consent.small_host import clock
from tests.mailings.statistics.conftest import Run

READING = ("open", "click", "reply")


def mails(run: Run, *kinds: str) -> set[int]:
    """The messages with such an event by a person."""
    rows = run.host.session.query(Event).filter_by(mailing_id=run.id, by_machine=False)
    return {row.message_id for row in rows.filter(Event.kind.in_(kinds))}


def hits(run: Run, kind: str, *, by_machine: bool) -> int:
    return run.host.session.query(Event).filter_by(mailing_id=run.id, kind=kind, by_machine=by_machine).count()


@pytest.mark.parametrize("seed", range(3))
def test_the_tallies_say_what_the_events_say(host, seed):
    run = Run(host, seed)
    run.settle()
    for number in (1, 30, 2, 40):
        run.happens(number)
    found = statistics.responses(host, run.id)
    assert found.read == len(mails(run, *READING))
    assert found.clicked == len(mails(run, "click"))
    assert found.replied == len(mails(run, "reply"))
    assert found.bounced == len(mails(run, "bounce"))
    assert found.complained == len(mails(run, "complaint"))
    assert found.machine_opens == hits(run, "open", by_machine=True)
    assert found.machine_clicks == hits(run, "click", by_machine=True)
    assert found.removed == run.by_hand()["all", ""].get("removed", 0)


def test_every_page_says_the_same(run):
    run.settle()
    run.happens(80)
    run.catch_up()
    live, whole = mailings.progress(run.host, run.mailing), breakdown.whole(run.host, run.id)
    listed = mailings.overview(run.host, [run.id])[run.id]
    now = clock(run.host)()
    span = periods.period(run.host, now - timedelta(days=1), now + timedelta(days=1))
    for name in ("read", "clicked", "replied", "removed", "bounced", "complained"):
        numbers = {getattr(one, name) for one in (live.responses, whole, listed, span.whole)}
        assert len(numbers) == 1, name
    assert live.counts.sent == whole.sent == listed.sent == span.whole.sent
    assert live.counts.refused == whole.refused == listed.failed
    assert live.counts.recipients == whole.recipients == listed.recipients
    for groups in (periods.by_list(run.host, span), periods.by_domain(run.host, span)):
        assert periods.together(group.numbers for group in groups).read == live.responses.read
    for groups in (periods.by_sender(run.host, span), periods.by_template(run.host, span)):
        assert [group.numbers for group in groups] == [span.whole]


def test_each_number_leads_to_so_many_people(run):
    run.settle()
    run.happens(80)
    found = mailings.progress(run.host, run.mailing).responses
    for which in (Which.READ, Which.CLICKED, Which.REPLIED, Which.REMOVED, Which.BOUNCED, Which.COMPLAINED):
        people = mailings.people(run.host, run.mailing, which, limit=1000)
        assert len(people) == getattr(found, which.value), which


def test_links_have_totals_uniques_and_their_first_and_last_click(run):
    run.settle(states=(MessageState.SENT,))
    run.happens(60, kind=EventKind.CLICK)
    for it in link_counts(run.host, run.id):
        rows = run.host.session.query(Event).filter_by(link_id=it.link.id)
        people = rows.filter_by(by_machine=False).all()
        assert it.hits == len(people)
        assert it.mails == len({row.message_id for row in people})
        assert it.machine_hits == rows.filter_by(by_machine=True).count()
        assert (it.first_at, it.last_at) == (min(row.at for row in people), max(row.at for row in people))


@pytest.mark.parametrize("size", [1, 3, 100])
def test_who_followed_a_link_comes_once_in_the_order_of_time(run, size):
    run.settle(states=(MessageState.SENT,))
    run.happens(60, kind=EventKind.CLICK)
    link = run.links[0]
    found = []
    while page := clickers(run.host, link, after=found[-1].place if found else 0, limit=size):
        found += page
    people = run.host.session.query(Event).filter_by(link_id=link.id, by_machine=False).all()
    first = {row.message_id: min(one.at for one in people if one.message_id == row.message_id) for row in people}
    assert {one.message.id: one.when for one in found} == first
    assert len(found) == len(first)
    assert [one.when for one in found] == sorted(one.when for one in found)


def test_the_first_two_days_by_the_hour(run):
    start = run.host.clock()
    for minutes, message, kind in (
        (5, 0, "open"),
        (70, 0, "open"),
        (80, 1, "click"),
        (47 * 60, 2, "open"),
        (3000, 3, "open"),
    ):
        given = {"at": start + timedelta(minutes=minutes), "message_id": run.ids[message], "machine_reason": ""}
        run.happens(kind=EventKind(kind), **given)
    assert [(row.read, row.opens) for row in hours(run.host, run.mailing)] == [(1, 1)], "up to now"
    clock(run.host).tick(days=9)
    found = hours(run.host, run.mailing)
    assert len(found) == 48
    told = {
        place: (row.read, row.clicked, row.opens, row.clicks)
        for place, row in enumerate(found)
        if row.read or row.opens
    }
    assert told == {0: (1, 0, 1, 0), 1: (1, 1, 1, 1), 47: (1, 0, 1, 0)}


def test_a_step_shows_its_last_two_days(run):
    run.mailing.kind = MailingKind.STEP.value
    clock(run.host).tick(days=30)
    run.happens(kind=EventKind.OPEN, at=run.host.clock(), machine_reason="")
    found = hours(run.host, run.mailing)
    assert (len(found), found[-1].read) == (48, 1)


def test_a_scheduled_mailing_counts_its_hours_from_its_start(run):
    run.mailing.scheduled_at = run.mailing.launched_at + timedelta(hours=5)
    run.host.session.commit()
    assert hours(run.host, run.mailing) == []
    clock(run.host).tick(hours=6)
    assert [row.at.hour for row in hours(run.host, run.mailing)] == [17, 18]


def test_reasons_are_counted(run):
    run.settle()
    run.catch_up()
    for state in ("refused", "skipped"):
        rows = run.host.session.query(OutboxMessage).filter_by(mailing_id=run.id, state=state).all()
        expected = {row.reason: sum(one.reason == row.reason for one in rows) for row in rows}
        assert breakdown.reasons(run.host, run.id, state) == expected


def test_no_number_of_a_page_reads_the_rows_it_counts(run):
    """Chunks, tallies and the breakdown say it all; of events only opt-outs and the edges of links are looked up."""
    run.settle()
    run.happens(50)
    run.catch_up()
    said: list[str] = []
    event.listen(run.host.db.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    mailings.progress(run.host, run.mailing)
    mailings.overview(run.host, [run.id])
    hours(run.host, run.mailing)
    link_counts(run.host, run.id)
    breakdown.by_domain(run.host, run.id)
    breakdown.by_list(run.host, run.id)
    breakdown.uncounted(run.host, run.id)
    assert not [one for one in said if OutboxMessage.__tablename__ in one]


# --- the proof ---


def test_what_is_wrong_is_found_and_set_right(run):
    run.settle()
    run.happens(50)
    run.catch_up()
    assert run.differences() == []
    session = run.host.session
    session.query(EventTally).filter_by(mailing_id=run.id, kind="read").first().mails += 1
    session.query(Chunk).filter_by(mailing_id=run.id, number=2).update({"sent": 77})
    session.query(Breakdown).filter_by(mailing_id=run.id, by="all").update({"read": 99})
    share = session.query(ChunkShare).filter_by(mailing_id=run.id).first()
    share.numbers = {**share.numbers, "domain:nowhere.example": [1] * 17}
    session.commit()
    wrong = {one.kept_in for one in run.differences()}
    assert wrong == {"chunk", "tally", "share", "breakdown"}
    statistics.set_right(run.host, run.id)
    session.commit()
    run.catch_up()
    assert run.differences() == []
    assert run.kept() == run.by_hand()


def test_a_lost_event_is_found(run):
    run.settle()
    run.happens(50)
    run.catch_up()
    run.host.session.delete(run.host.session.query(Event).filter_by(mailing_id=run.id).first())
    run.host.session.commit()
    assert {"tally", "share"} <= {one.kept_in for one in run.differences()}


def test_the_state_of_a_running_mailing_is_no_fault(run):
    run.mailing.state = MailingState.SENDING.value
    run.settle(0, states=(MessageState.SENT, MessageState.PLANNED))
    run.happens(20)
    assert run.differences() == []
    run.catch_up()
    run.happens(20)
    assert run.differences() == []
