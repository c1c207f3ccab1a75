"""Contacts that the host merges or deletes: history, wishes, waiting mail follow; nobody inherits a stranger's."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from massmail_plugin import consent, outbox, outcomes
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.known_by_hash import stopped_by_hash
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import (
    Base,
    Campaign,
    Chunk,
    Enrolment,
    EventFeed,
    Frequency,
    Mailing,
    OptOutReason,
    OutboxMessage,
    OutcomeReport,
    PastMessage,
    ProviderListEntry,
    ReleasedSuppression,
    SignUp,
    Standing,
    Subscription,
    SubscriptionEvent,
    Suppression,
    Topic,
)
from massmail_plugin.upkeep.contacts import merge_contact, retire_contact
from massmail_plugin.vocabulary import (
    ConsentWay,
    MailingState,
    Outcome,
    SkipReason,
    SuppressionReason,
    SuppressionScope,
)
from tests.consent.small_host import add_list, add_person, running_host

EVERYTHING = {"scope": SuppressionScope.ALL_BUT_TRANSACTIONAL, "reason": SuppressionReason.OPT_OUT}


@pytest.fixture
def host(database_url):
    with running_host(database_url) as host:
        yield host


def mailing(host, *refs, state="planned", **values):
    """A mailing with a row for each contact; the rows."""
    now = host.clock()
    run = Mailing(name="N", state=MailingState.SENDING.value, contact_source="person", created_at=now)
    host.session.add(run)
    host.session.flush()
    rows = [
        OutboxMessage(
            mailing_id=run.id,
            chunk=0,
            contact_source="person",
            contact_key=ref.key,
            address_role="main",
            address=f"p{ref.key}@example.org",
            dedup_key=f"p{ref.key}@example.org",
            state=state,
            due_at=now if state == "planned" else None,
            **values,
        )
        for ref in refs
    ]
    host.session.add_all([*rows, Chunk(mailing_id=run.id, number=0, due_at=now)])
    host.session.flush()
    outbox.recount(host, run.id)
    host.session.commit()
    return rows


def keys(host, model):
    return sorted(host.session.scalars(select(model.contact_key).where(model.contact_key.is_not(None))))


def of_contacts():
    """Every table of ours that speaks of contacts."""
    return {mapper.class_ for mapper in Base.registry.mappers if "contact_key" in mapper.columns}


def test_every_table_that_speaks_of_contacts_is_thought_of():
    known = {OutboxMessage, OutcomeReport, Standing, Subscription, SubscriptionEvent, Suppression, Enrolment}
    further = {ProviderListEntry, ReleasedSuppression, Frequency, OptOutReason, SignUp, PastMessage}
    assert of_contacts() == known | further, "a new table: see upkeep/contacts.py"


def history(host, ref, news):
    """Something of this contact in every table."""
    (row,) = mailing(host, ref, state="sent")
    consent.subscribe(host, news, [ref], proof=Proof(ConsentWay.FORM, evidence="form"))
    outcomes.record(host, row.id, Outcome.SENT, at=host.clock())
    suppress(host, contact=ref, scope=SuppressionScope.LIST, list_id=news.id, reason=SuppressionReason.BY_PERSON)
    gone = suppress(host, contact=ref, scope=SuppressionScope.LIST, list_id=news.id, reason=SuppressionReason.OPT_OUT)
    consent.release(host, gone, by="ann", note="asked")
    series = Campaign(name=f"Series {ref.key}", contact_source="person", created_at=host.clock())
    feed = EventFeed(name=f"Feed {ref.key}", provider="x", path=ref.key, created_at=host.clock())
    host.session.add_all([series, feed])
    host.session.flush()
    wish = {"contact_source": ref.source, "contact_key": ref.key}
    host.session.add_all(
        [
            ProviderListEntry(feed_id=feed.id, address="a@example.org", ours=True, at=host.clock(), **wish),
            Frequency(days=7, since=host.clock(), **wish),
            OptOutReason(message_id=row.id, mailing_id=row.mailing_id, reason="other", at=host.clock(), **wish),
            SignUp(list_id=news.id, address="a@example.org", created_at=host.clock(), **wish),
            PastMessage(id=row.id + 1000, mailing_id=row.mailing_id, address_role="main", **wish),
            Enrolment(campaign_id=series.id, contact_source="person", contact_key=ref.key, entered_at=host.clock()),
            Standing(
                contact_source="person", contact_key=ref.key, place="contact", mailing_id=row.mailing_id, outcome="sent"
            ),
        ]
    )
    host.session.commit()
    return series


def test_the_history_goes_over_whole(host):
    old, new = add_person(host, "a@example.org"), add_person(host, "b@example.org")
    history(host, old, add_list(host))
    merge_contact(host, old, new)
    host.session.commit()
    for model in of_contacts():
        assert set(keys(host, model)) == {new.key}, model


def test_where_both_have_rows_none_is_lost_and_no_key_is_hurt(host):
    old, new = add_person(host, "a@example.org"), add_person(host, "b@example.org")
    news = add_list(host)
    series = history(host, old, news)
    history(host, new, news)
    host.session.add(
        Enrolment(campaign_id=series.id, contact_source="person", contact_key=new.key, entered_at=host.clock())
    )
    both = mailing(host, old, new, state="sent")
    mails = host.session.scalar(select(func.count()).select_from(OutboxMessage))
    host.session.commit()
    merge_contact(host, old, new)
    host.session.commit()
    assert keys(host, OutboxMessage) == [new.key] * mails
    assert [row.occurrence for row in both] == [1, 0]
    assert keys(host, Subscription) == keys(host, Suppression) == keys(host, Standing) == [new.key]
    query = select(Enrolment.entry_number, Enrolment.state, Enrolment.left_reason)
    found = host.session.execute(query.where(Enrolment.campaign_id == series.id).order_by(Enrolment.entry_number))
    assert [tuple(row) for row in found] == [(1, "active", ""), (3, "left", "merged")]


def test_a_mail_that_waits_for_both_leaves_once(host):
    old, new, other = (add_person(host, f"{name}@example.org") for name in "abc")
    both = mailing(host, old, new)
    (alone,) = mailing(host, old)
    mailing(host, other)
    merge_contact(host, old, new)
    host.session.commit()
    assert [(row.state, row.reason, row.contact_key) for row in both] == [
        ("skipped", "duplicate", new.key),
        ("planned", "", new.key),
    ]
    assert (alone.state, alone.contact_key) == ("planned", new.key)
    assert outbox.counts(host, both[0].mailing_id) == outbox.Counts(planned=1, skipped=1)


@pytest.mark.parametrize("who", ["old", "new"])
def test_whoever_opted_out_stays_out(host, who):
    old, new = add_person(host, "a@example.org"), add_person(host, "b@example.org")
    news, prices = add_list(host, "News"), add_list(host, "Prices")
    for list_ in (news, prices):
        consent.subscribe(host, list_, [old, new], proof=Proof(ConsentWay.FORM, evidence="form"))
    leaver = {"old": old, "new": new}[who]
    consent.unsubscribe(host, news, [leaver], proof=Proof(ConsentWay.PERSON, evidence="told us"))
    suppress(host, contact=leaver, **EVERYTHING)
    host.session.commit()
    merge_contact(host, old, new)
    host.session.commit()
    states = host.session.execute(select(Subscription.list_id, Subscription.state).order_by(Subscription.list_id)).all()
    assert [tuple(row) for row in states] == [(news.id, "unsubscribed"), (prices.id, "subscribed")]
    assert keys(host, Suppression) == [new.key]


def test_what_is_in_a_workers_hands_is_left_to_the_worker(host):
    old, new = add_person(host, "a@example.org"), add_person(host, "b@example.org")
    both = mailing(host, old, new)
    host.session.query(Chunk).update({"leased_by": "worker:1"})
    host.session.commit()
    merge_contact(host, old, new)
    retire_contact(host, new)
    host.session.commit()
    assert [row.state for row in both] == ["planned", "planned"]


def test_contacts_of_two_sources_and_one_with_itself_are_refused(host):
    ref = add_person(host, "a@example.org")
    for other in (ref, ContactRef("member", ref.key)):
        with pytest.raises(BadRequest):
            merge_contact(host, ref, other)


def test_who_is_gone_gets_nothing_and_nobody_inherits_the_key(host):
    ref = add_person(host, "a@example.org")
    history(host, ref, add_list(host))
    (row,) = mailing(host, ref)
    retire_contact(host, ref)
    host.session.commit()
    assert (row.state, row.reason) == ("skipped", "contact_gone")
    assert host.session.get_one(Mailing, row.mailing_id).state == "finished"
    for model in of_contacts():
        assert ref.key not in keys(host, model), model
    assert host.session.scalars(select(Enrolment.left_reason)).one() == "contact_gone"
    assert host.session.scalars(select(OutcomeReport.state)).all() == ["delivered"]
    assert keys(host, Subscription) == keys(host, Standing) == []
    assert len(keys(host, OutboxMessage)) == 2, "the statistics keep their rows"


def test_the_wishes_of_who_is_gone_hold_for_the_addresses(host):
    ref = add_person(host, "a@example.org")
    news = add_list(host)
    (row,) = mailing(host, ref, state="sent")
    consent.subscribe(host, news, [ref], proof=Proof(ConsentWay.FORM, evidence="form"))
    consent.unsubscribe(host, news, [ref], proof=Proof(ConsentWay.PAGE, evidence="opt-out page", message_id=row.id))
    suppress(host, contact=ref, **EVERYTHING)
    host.session.commit()
    retire_contact(host, ref)
    host.session.commit()
    query = select(Suppression.scope, Suppression.list_id, Suppression.reason).where(Suppression.address == row.address)
    assert {tuple(one) for one in host.session.execute(query)} == {
        ("all_but_transactional", None, "opt_out"),
        ("list", news.id, "opt_out"),
    }


def test_so_they_do_where_age_has_left_but_the_hash_of_the_address(host):
    ref = add_person(host)
    (row,) = mailing(host, ref, state="sent")
    past = {"mailing_id": row.mailing_id, "address_role": "main", "contact_source": ref.source, "contact_key": ref.key}
    host.session.add(PastMessage(id=7000, address_hash=consent.address_hash(host.config, "old@example.org"), **past))
    suppress(host, contact=ref, **EVERYTHING)
    host.session.commit()
    retire_contact(host, ref)
    again = add_person(host, "Old@example.org")
    asked = [consent.Asked(1, again.key, "Old@example.org")]
    assert consent.stopped(host, "person", asked, consent.Purpose()) == {1: SkipReason.OPTED_OUT}
    assert stopped_by_hash(host, ["old@example.org"]) == set(), "nobody was erased"


def test_of_two_who_want_fewer_mails_the_wish_for_fewest_holds(host):
    often, seldom, other = (add_person(host) for _ in range(3))
    consent.want_fewer(host, often, 30)
    consent.want_fewer(host, seldom, 7)
    merge_contact(host, often, seldom)
    assert consent.wanted_days(host, seldom) == 30
    merge_contact(host, seldom, other)
    assert (consent.wanted_days(host, other), consent.wanted_days(host, seldom)) == (30, None)
    retire_contact(host, other)
    assert consent.wanted_days(host, other) is None


def test_a_stop_of_a_topic_and_a_pause_hold_on_for_the_address_of_who_is_gone(host):
    gone = add_person(host)
    mailing(host, gone)
    topic = Topic(name="News")
    host.session.add(topic)
    host.session.flush()
    proof = Proof(ConsentWay.PAGE, evidence="page")
    consent.withdraw(host, gone, list_ids=None, topic_id=topic.id, proof=proof)
    until = host.clock() + timedelta(days=30)
    consent.pause(host, gone, until=until, proof=proof)
    retire_contact(host, gone)
    stops = host.session.scalars(select(Suppression).where(Suppression.address.is_not(None)).order_by(Suppression.id))
    assert [(one.scope, one.topic_id, one.reason, one.until) for one in stops] == [
        ("topic", topic.id, "opt_out", None),
        ("all_but_transactional", None, "pause", until),
    ]
