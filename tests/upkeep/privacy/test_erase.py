"""Erasing somebody: nothing tells who it was, every number stays, and nobody writes to them again."""

import json

import pytest
from sqlalchemy import func, select

from massmail_plugin import consent
from massmail_plugin.consent.proof import Proof
from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import BadRequest
from massmail_plugin.feedback import reclassifying
from massmail_plugin.feedback.stop_lists.theirs import take_over
from massmail_plugin.mailings import statistics
from massmail_plugin.models import (
    BREAKDOWN_COUNTS,
    Base,
    Breakdown,
    Chunk,
    Erasure,
    Event,
    EventTally,
    Mailing,
    OutboxMessage,
    OutcomeReport,
    PastMessage,
    ProviderListEntry,
    SignUp,
    SubscriptionEvent,
    Suppression,
    WebhookDelivery,
)
from massmail_plugin.outcomes import CameBack, NewEvent, take_in
from massmail_plugin.providers.stop_lists import Listed
from massmail_plugin.upkeep import privacy, verify
from massmail_plugin.upkeep.contacts import retire_contact
from massmail_plugin.upkeep.privacy.holdings import HOLDINGS
from massmail_plugin.vocabulary import (
    GONE,
    ConsentWay,
    EventKind,
    ReportState,
    SkipReason,
    SuppressionReason,
    SuppressionScope,
)
from tests.consent.small_host import Client
from tests.upkeep.privacy.conftest import EVERYTHING, cells, traces

KEY, ADDRESS, NAME = "zs-4711", "Zsuzsanna@Flowers.example", "Zsuzsanna"
MARKS = ("zsuzsanna", "flowers.example", "zs-4711")
OTHER = "bert@flowers.org"


@pytest.fixture
def zsuzsanna(world):
    """She and Bert did all the same things."""
    ref = world.contact(KEY, ADDRESS)
    world.live(ref, ADDRESS, NAME)
    world.live(world.contact("bert", OTHER), OTHER, "Bert")
    world.catch_up()
    return ref


def erase(host, ref, **options):
    done = privacy.erase(host, privacy.person_of(host, ref), by="May", **options)
    host.session.commit()
    return done


def numbers(world):
    """What screens count, without the domains of addresses."""
    host = world.host
    host.session.expire_all()
    rows = select(Breakdown).where(Breakdown.by != "domain").order_by(Breakdown.by, Breakdown.name)
    breakdown = [
        (row.by, row.name, *(getattr(row, name) for name in BREAKDOWN_COUNTS)) for row in host.session.scalars(rows)
    ]
    tallies = select(EventTally.kind, EventTally.link_id, EventTally.hour, EventTally.hits, EventTally.mails)
    return (
        statistics.responses(host, world.mailing.id),
        breakdown,
        sorted(tuple(row) for row in host.session.execute(tallies)),
        {table.name: host.session.scalar(select(func.count()).select_from(table)) for table in STAYING},
    )


STAYING = [
    model.__table__
    for model in (OutboxMessage, Event, OutcomeReport, SubscriptionEvent, SignUp, PastMessage, Chunk, Mailing)
]


def test_nothing_in_any_table_tells_who_it_was(world, zsuzsanna):
    before = traces(world.host, *MARKS)
    assert len({one.partition(".")[0] for one in before}) >= 17, before
    erase(world.host, zsuzsanna)
    world.catch_up()
    assert traces(world.host, *MARKS) == []


def test_every_number_stays_and_is_proved(world, zsuzsanna):
    host, before = world.host, numbers(world)
    erase(host, zsuzsanna)
    world.catch_up()
    assert numbers(world) == before
    assert list(verify.verify(host, verify.mailing_ids(host))) == []
    assert verify.verify_lists(host) == []


def test_everybody_else_keeps_everything(world, zsuzsanna):
    host = world.host
    volatile = ("massmail_chunk", "massmail_chunk_share", "massmail_breakdown", "massmail_kept_values")

    def of_bert():
        return sorted(cell for cell in cells(host, but=volatile) if "bert" in cell[2].lower() or OTHER in cell[2])

    before = of_bert()
    erase(host, zsuzsanna)
    world.catch_up()
    assert of_bert() == before
    values = privacy.held(host, privacy.person_of(host, ContactRef("client", "bert"))).rows["values"]
    assert [one["values"]["first_name"] for one in values] == ["Bert", "Bert"]


def test_the_addresses_are_known_by_their_hash_and_get_no_mail(world, zsuzsanna):
    host = world.host
    erase(host, zsuzsanna)
    stops = host.session.scalars(select(Suppression).where(Suppression.address_hash.is_not(None))).all()
    reasons = {(stop.reason, stop.scope) for stop in stops}
    assert (SuppressionReason.ERASED, EVERYTHING) in reasons
    assert (SuppressionReason.BY_PERSON, SuppressionScope.TOPIC) in reasons, "what stopped the address goes on to"
    asked = [consent.Asked(1, "new", " zsuzsanna@FLOWERS.example "), consent.Asked(2, "bert", OTHER)]
    found = consent.stopped(host, "client", asked, consent.Purpose())
    assert found[1] is SkipReason.SUPPRESSED


def test_once_more_it_changes_nothing(world, zsuzsanna):
    host = world.host
    first = erase(host, zsuzsanna, note="file 12")
    world.catch_up()
    before = list(cells(host))
    second = erase(host, zsuzsanna)
    assert first.news
    assert first.rows > 20
    assert (second.news, second.counts) == (False, {})
    assert list(cells(host)) == before
    (row,) = host.session.scalars(select(Erasure))
    assert (row.by, row.note, json.loads(row.counts)) == ("May", "file 12", first.counts)


def test_who_is_gone_already_is_erased_by_the_address(world, zsuzsanna):
    host = world.host
    host.session.delete(host.session.get_one(Client, KEY))
    retire_contact(host, zsuzsanna)
    host.session.commit()
    assert KEY in "".join(host.session.scalars(select(OutboxMessage.contact_key)))
    (person,) = privacy.people_of(host, ADDRESS)
    assert person.contact is None
    assert person.former
    privacy.erase(host, person, by="May")
    host.session.commit()
    world.catch_up()
    assert traces(host, *MARKS) == []


def test_somebody_the_host_still_has_but_who_never_got_mail_is_kept_off(world):
    host = world.host
    ref = world.contact("quiet", "quiet@example.org")
    done = erase(host, ref)
    assert done.news
    assert not done.counts
    assert host.session.scalar(select(func.count()).select_from(Suppression)) == 1
    assert not erase(host, ref).news
    assert host.session.scalar(select(func.count()).select_from(Erasure)) == 1


def test_an_address_of_which_age_has_left_but_the_hash_gets_no_mail_either(world, zsuzsanna):
    host, mailing_id = world.host, world.host.session.scalars(select(Mailing.id)).first()
    mark = consent.address_hash(host.config, "former@flowers.example")
    who = {"contact_source": zsuzsanna.source, "contact_key": zsuzsanna.key, "address_role": "main"}
    host.session.add(PastMessage(id=70_000, mailing_id=mailing_id, address_hash=mark, **who))
    host.session.commit()
    erase(host, zsuzsanna)
    asked = [consent.Asked(1, "new", "former@flowers.example")]
    assert consent.stopped(host, "client", asked, consent.Purpose()) == {1: SkipReason.SUPPRESSED}
    assert not erase(host, zsuzsanna).news


def test_what_belongs_to_an_address_that_others_have_too_stays(world, zsuzsanna):
    host = world.host
    world.contact("family", ADDRESS)
    consent.suppress(host, address=ADDRESS, scope=EVERYTHING, reason=SuppressionReason.COMPLAINT)
    person = privacy.person_of(host, zsuzsanna)
    assert (person.addresses, person.shared) == ((), (ADDRESS.lower(),))
    privacy.erase(host, person, by="May")
    host.session.commit()
    kept = host.session.scalars(select(Suppression).where(Suppression.address == ADDRESS.lower())).all()
    assert SuppressionReason.COMPLAINT in {stop.reason for stop in kept}
    assert not traces(host, KEY)


def test_a_mail_that_waits_is_not_sent_and_one_in_a_workers_hands_is_waited_for(world, zsuzsanna):
    host, waits = world.host, {"state": "planned", "settled_at": None, "handed_at": None, "due_at": world.host.clock()}
    row = world.mail(zsuzsanna, ADDRESS, occurrence=1, dedup_key=None, **waits)
    chunk = host.session.scalars(select(Chunk).where(Chunk.mailing_id == world.mailing.id)).one()
    chunk.leased_by = "worker"
    host.session.commit()
    with pytest.raises(BadRequest, match="minute"):
        erase(host, zsuzsanna)
    host.session.rollback()
    assert traces(host, KEY), "nothing was done"
    chunk.leased_by = None
    host.session.commit()
    erase(host, zsuzsanna)
    host.session.refresh(row)
    assert (row.state, row.reason, row.address) == ("skipped", SkipReason.CONTACT_GONE, "")


def test_nobody_is_told_of_it_any_more(world, zsuzsanna):
    host = world.host
    erase(host, zsuzsanna)
    gone = select(OutcomeReport.id).where(OutcomeReport.contact_key.startswith(GONE))
    states = select(OutcomeReport.state).where(OutcomeReport.id.in_(gone)).distinct()
    assert list(host.session.scalars(states)) == [ReportState.DELIVERED]
    waiting = WebhookDelivery.report_id.in_(gone), WebhookDelivery.state == ReportState.WAITING.value
    assert host.session.scalar(select(func.count()).select_from(WebhookDelivery).where(*waiting)) == 0


def test_what_comes_back_later_does_not_bring_the_address_back(world, zsuzsanna):
    host = world.host
    row = host.session.scalars(select(OutboxMessage).where(OutboxMessage.contact_key == KEY)).first()
    erase(host, zsuzsanna)
    host.session.refresh(row)
    hard = NewEvent(message_id=row.id, kind=EventKind.BOUNCE, at=host.clock(), meaning="hard", detail="no such user")
    assert take_in(host, [CameBack(row, hard)]) == [True]
    stranger = Listed("new@example.org", SuppressionReason.HARD_BOUNCE, "")
    assert take_over(host, world.feed.id, "Feed", "ses", [Listed(ADDRESS, stranger.reason, ""), stranger]) == 1
    host.session.commit()
    kept = list(host.session.scalars(select(ProviderListEntry.address).order_by(ProviderListEntry.address)))
    assert kept == [OTHER, "new@example.org"]
    world.catch_up()
    assert traces(host, *MARKS) == []


def test_hits_of_whom_nothing_is_known_keep_their_verdict(world, zsuzsanna):
    host = world.host
    reclassifying.reclassify(host, world.mailing.id)
    before = numbers(world)
    erase(host, zsuzsanna)
    world.catch_up()
    reclassifying.reclassify(host, world.mailing.id)
    world.catch_up()
    assert numbers(world)[0] == before[0]


def test_a_new_key_in_front_changes_nothing(world, zsuzsanna, monkeypatch):
    host = world.host
    erase(host, zsuzsanna)
    rotated = ("n" * 32, *host.config.secret_keys)
    monkeypatch.setattr(host.config.__class__, "secret_keys", property(lambda config: rotated), raising=False)
    assert not erase(host, ContactRef("client", KEY)).news


def test_the_way_back_is_the_persons_own(world, zsuzsanna):
    """Erasing ends no right to come back: signing up again starts anew, with nothing of the past."""
    host = world.host
    erase(host, zsuzsanna)
    host.session.delete(host.session.get_one(Client, KEY))
    again = world.contact("zs-2", ADDRESS)
    consent.subscribe(host, world.list, [again], proof=Proof(ConsentWay.FORM, evidence="signed up again"))
    host.session.commit()
    held = privacy.held(host, privacy.person_of(host, again))
    assert set(held.counts) == {"lists", "consent_history", "suppressions"}


def test_every_table_is_either_of_nobody_or_erased():
    """A table with a person in it must be in HOLDINGS."""
    speaking = {"contact_key", "address", "address_hash", "message_id", "raw", "user_agent"}
    tables = {table.name for table in Base.metadata.sorted_tables if speaking & set(table.c.keys())}
    known = {one.model.__tablename__ for one in HOLDINGS}
    assert tables - known == set(), "a new table: see upkeep/privacy/holdings.py"
