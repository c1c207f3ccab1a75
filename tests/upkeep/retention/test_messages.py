"""Old mails go; every number of theirs stays, is still proved, and their links still know whose they are."""

from datetime import timedelta

from sqlalchemy import select

from massmail_plugin import outcomes
from massmail_plugin.consent.stops.address_hashes import address_hash
from massmail_plugin.feedback.tracking.targets import destination
from massmail_plugin.mailings import statistics
from massmail_plugin.mailings.statistics.links import link_counts
from massmail_plugin.models import (
    Chunk,
    Event,
    EventTally,
    KeptValues,
    OutboxMessage,
    OutcomeReport,
    PastMessage,
)
from massmail_plugin.outcomes.tallies import count_again
from massmail_plugin.signed_links import Linked
from massmail_plugin.upkeep import verify
from massmail_plugin.vocabulary import EventKind, MailingKind, MessageState, Outcome, ReportState
from tests.consent.small_host import add_person
from tests.mailings.statistics.conftest import CHUNKS, EACH, Run
from tests.upkeep.retention.conftest import end, ended, forget, later, number, told

YEARS = 800


def numbers(run):
    """Everything a person sees of a mailing."""
    run.host.session.expire_all()
    links = [(one.link.number, one.hits, one.mails, one.machine_hits) for one in link_counts(run.host, run.id)]
    tallies = select(EventTally.kind, EventTally.link_id, EventTally.hour, EventTally.hits, EventTally.mails)
    tallies = tallies.where(EventTally.mailing_id == run.id)
    by_hour = {tuple(row) for row in run.host.session.execute(tallies) if any(row[3:])}
    return statistics.responses(run.host, run.id), run.kept(), links, by_hour


def test_every_number_of_a_mailing_outlives_its_mails(host, keep):
    keep(messages=365)
    runs = [ended(Run(host, seed, f"Mailing {seed}")) for seed in range(3)]
    before = [numbers(run) for run in runs]
    later(host, YEARS)
    assert forget(host).forgotten == {"messages": 3 * CHUNKS * EACH}
    assert [number(host, model) for model in (OutboxMessage, Event, OutcomeReport)] == [0, 0, 0]
    assert [numbers(run) for run in runs] == before
    assert [run.differences() for run in runs] == [[], [], []]


def test_mails_after_a_silence_are_new_ones_with_links_and_numbers_of_their_own(host, keep):
    """SQLite would number them from the beginning: old links would be theirs, and statistics took them for counted."""
    keep(messages=30)
    old = ended(Run(host, 1))
    later(host, 40)
    forget(host)
    new = ended(Run(host, 2, "Autumn"))
    assert max(old.ids) < min(new.ids)
    assert new.kept() == new.by_hand()
    later(host, 40)
    assert forget(host).forgotten == {"messages": CHUNKS * EACH}


def test_numbers_stay_right_whatever_is_done_to_them_afterwards(host, keep):
    keep(messages=365)
    old, new = ended(Run(host, 4)), Run(host, 5, "Autumn")
    later(host, YEARS)
    new.settle()
    new.happens(20)
    before = numbers(old)
    forget(host)
    new.happens(20)
    new.catch_up()
    for run in (old, new):
        count_again(host, run.id)
        statistics.count_anew(host, run.id)
        host.session.commit()
        run.catch_up()
    verify.repair(host, verify.mailing_ids(host))
    assert numbers(old) == before
    assert new.kept() == new.by_hand()
    assert list(verify.verify(host, verify.mailing_ids(host))) == []


def test_of_a_mailing_that_grows_old_bit_by_bit_the_numbers_are_right_at_every_step(host, keep):
    """A campaign's step never ends: its old chunks go, the young ones stay."""
    keep(messages=365)
    run = Run(host, 7)
    run.mailing.kind = MailingKind.STEP.value
    host.session.commit()
    for chunk in range(CHUNKS):
        run.settle(chunk)
        run.happens(15, message_id=run.chance.choice(run.ids[chunk * EACH : (chunk + 1) * EACH]))
        run.catch_up()
        told(host)
        later(host, 200)
    before = numbers(run)
    assert forget(host).forgotten == {"messages": 3 * EACH}
    assert number(host, OutboxMessage) == EACH
    assert numbers(run) == before
    run.happens(10, message_id=run.ids[-1])
    run.catch_up()
    assert run.differences() == []


def test_the_first_and_last_click_of_a_link_are_known_to_the_hour(host, keep):
    keep(messages=365)
    run = Run(host, 2)
    run.settle(states=[MessageState.SENT])
    link, first = run.links[0], host.clock() + timedelta(minutes=7)
    for hours in (0, 5, 30):
        at = first + timedelta(hours=hours)
        run.happens(kind=EventKind.CLICK, link_id=link.id, machine_reason="", at=at)
    exact = link_counts(host, run.id)[0]
    assert (exact.first_at, exact.last_at) == (first, first + timedelta(hours=30))
    end(run)
    later(host, YEARS)
    forget(host)
    kept = link_counts(host, run.id)[0]
    assert (kept.first_at, kept.last_at) == (first - timedelta(minutes=7), first + timedelta(hours=30, minutes=-7))


SEALS = {
    "something of the chunk waits": lambda run: run.settle(0, states=[MessageState.DEFERRED]),
    "the host was not told": lambda run: outcomes.record(run.host, run.ids[0], Outcome.FAILED, at=run.host.clock()),
    "an event is not counted yet": lambda run: run.happens(message_id=run.ids[0]),
    "the rows are not counted yet": lambda run: chunks(run).update({"uncounted": True}),
    "a worker has it": lambda run: chunks(run).update({"leased_by": "somebody"}),
    "it was sent again lately": lambda run: run.settle(states=[MessageState.SENT]),
    "it ended lately": lambda run: setattr(run.mailing, "finished_at", run.host.clock()),
    "it goes on": lambda run: setattr(run.mailing, "state", "paused"),
}


def chunks(run):
    return run.host.session.query(Chunk).filter_by(mailing_id=run.id)


def test_a_chunk_stays_as_long_as_anything_is_left_to_do(host, keep):
    keep(messages=365)
    runs = {why: ended(Run(host, 3, why)) for why in SEALS}
    later(host, YEARS)
    for why, seal in SEALS.items():
        seal(runs[why])
        host.session.commit()
    forget(host)
    for why, run in runs.items():
        assert number(host, OutboxMessage, OutboxMessage.chunk == 0, OutboxMessage.mailing_id == run.id) == EACH, why


def test_reports_that_reached_the_host_or_never_will_hold_nothing_up(host, keep):
    keep(messages=365)
    run = ended(Run(host, 3))
    host.session.query(OutcomeReport).update({"state": ReportState.SET_ASIDE.value})
    host.session.add(KeptValues(mailing_id=run.id, chunk=0, at=host.clock(), packed=b""))
    host.session.commit()
    later(host, YEARS)
    assert forget(host).rows == CHUNKS * EACH
    assert number(host, KeptValues) == 0


def test_the_links_in_mails_that_left_are_known_for_ever(host, keep):
    keep(messages=365)
    run = Run(host, 8)
    run.settle(0, states=[MessageState.SENT])
    run.settle(1, states=[MessageState.UNCERTAIN])
    run.settle(2, states=[MessageState.SKIPPED])
    run.settle(3, states=[MessageState.CANCELLED])
    host.session.query(OutboxMessage).filter(OutboxMessage.chunk > 1).update({"handed_at": None})
    end(run)
    later(host, YEARS)
    wanted = {
        (row.id, row.mailing_id, row.contact_source, row.contact_key, row.address_role): row.address
        for row in host.session.query(OutboxMessage).filter(OutboxMessage.chunk < 2)
    }
    forget(host)
    kept = {
        (row.id, row.mailing_id, row.contact_source, row.contact_key, row.address_role): row.address_hash
        for row in host.session.query(PastMessage)
    }
    assert kept == {key: address_hash(host.config, address) if address else None for key, address in wanted.items()}


def test_what_comes_back_about_a_deleted_mail_changes_nothing(host, keep):
    keep(messages=365)
    run = ended(Run(host, 9))
    before = numbers(run)
    later(host, YEARS)
    forget(host)
    run.happens(5)
    assert not outcomes.record(host, run.ids[0], Outcome.READ, at=host.clock())
    host.session.commit()
    assert numbers(run) == before
    assert run.differences() == []


def test_young_mails_and_those_of_others_stay(host, keep):
    keep(messages=365)
    young = ended(Run(host, 1))
    later(host, 300)
    assert forget(host).rows == 0
    assert number(host, OutboxMessage) == CHUNKS * EACH
    assert young.differences() == []


def test_a_mail_to_nobody_we_know_leaves_nothing_behind(host, keep):
    keep(messages=365)
    ended(Run(host, 1))
    host.session.query(OutboxMessage).filter_by(chunk=0).update(
        {"contact_key": "", "occurrence": OutboxMessage.id, "dedup_key": None}
    )
    host.session.commit()
    later(host, YEARS)
    forget(host)
    assert number(host, PastMessage, PastMessage.contact_key == "") == 0


def test_links_in_old_mails_lead_where_they_did(host, keep):
    """Also those with the reader's own values, and those of tokens that do not name their mailing."""
    keep(messages=365)
    run = Run(host, 1)
    run.settle(states=[MessageState.SENT])
    anna = add_person(host, "anna@x.example", first="Anna")
    run.links[0].target = "https://x.example/?for={{ contact.first }}"
    host.session.query(OutboxMessage).filter_by(id=run.ids[0]).update({"contact_key": anna.key})
    end(run)
    later(host, YEARS)
    before = destination(host, Linked(run.ids[0], None), 1)
    forget(host)
    assert destination(host, Linked(run.ids[0], None), 1) == before == "https://x.example/?for=Anna"
    assert destination(host, Linked(run.ids[0], run.id), 2) == "https://x.example/2"
