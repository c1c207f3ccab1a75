"""Adding to lists and taking off, set by set, with counts and history."""

from sqlalchemy import func, select

from massmail_plugin.consent.contact_keys import key_text
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.consent.subscriptions.subscribing import (
    Counts,
    subscribe,
    subscribe_selected,
    subscriber_count,
    unsubscribe,
    unsubscribe_selected,
)
from massmail_plugin.consent.wishes.withdrawal import withdraw
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import Subscription, SubscriptionEvent
from massmail_plugin.vocabulary import ConsentWay, SuppressionReason, SuppressionScope
from tests.consent.small_host import MEMBERS, PERSONS, Member, Person, add_list, add_person, clock


def history(host: Host) -> list[tuple[str, str]]:
    events = select(SubscriptionEvent).order_by(SubscriptionEvent.id)
    return [(event.contact_key, event.state) for event in host.session.scalars(events)]


def test_adding_twice_adds_once(host: Host) -> None:
    list_ = add_list(host)
    one, two = add_person(host), add_person(host)
    strangers = [ContactRef("person", "999"), ContactRef("person", "x"), ContactRef("person", "\x00")]
    assert subscribe(
        host,
        list_,
        [one, one, *strangers],
        proof=Proof(ConsentWay.PERSON, evidence="by hand"),
    ) == Counts(new=1)
    clock(host).tick(minutes=1)
    assert subscribe(host, list_, [one, two], proof=Proof(ConsentWay.PERSON, evidence="again")) == Counts(
        new=1, already=1
    )
    assert history(host) == [(one.key, "subscribed"), (two.key, "subscribed")]
    first = host.session.scalars(select(Subscription).where(Subscription.contact_key == one.key)).one()
    assert first.evidence == "by hand"
    assert first.since < host.clock()
    assert subscriber_count(host, list_) == 2


def test_who_left_is_kept_out_unless_they_come_back_themselves(host: Host) -> None:
    list_ = add_list(host)
    one, two = add_person(host), add_person(host)
    subscribe(host, list_, [one, two], proof=Proof(ConsentWay.PERSON, evidence="by hand"))
    assert unsubscribe(host, list_, [one], proof=Proof(ConsentWay.PERSON, evidence="phone call")) == 1
    assert unsubscribe(host, list_, [one], proof=Proof(ConsentWay.PERSON, evidence="phone call")) == 0
    assert subscribe(host, list_, [one, two], proof=Proof(ConsentWay.PERSON, evidence="import")) == Counts(
        already=1, kept_out=1
    )
    assert subscribe(
        host,
        list_,
        [one, two],
        proof=Proof(ConsentWay.FORM, evidence="form"),
        again=True,
    ) == Counts(already=1, back=1)
    assert history(host) == [
        (one.key, "subscribed"),
        (two.key, "subscribed"),
        (one.key, "unsubscribed"),
        (one.key, "subscribed"),
    ]


def test_who_wants_no_mail_at_all_is_not_added_to_another_list(host: Host) -> None:
    list_ = add_list(host)
    one, two = add_person(host), add_person(host)
    withdraw(host, one, list_ids=None, proof=Proof(ConsentWay.PERSON, evidence="letter"))
    suppress(host, contact=two, scope=SuppressionScope.ALL_BUT_TRANSACTIONAL, reason=SuppressionReason.BY_PERSON)
    assert subscribe(host, list_, [one, two], proof=Proof(ConsentWay.PERSON, evidence="import")) == Counts(
        new=1, kept_out=1
    )


def test_a_loaded_row_shows_the_change(host: Host) -> None:
    list_ = add_list(host)
    one = add_person(host)
    subscribe(host, list_, [one], proof=Proof(ConsentWay.PERSON, evidence="by hand"))
    row = host.session.scalars(select(Subscription)).one()
    unsubscribe(host, list_, [one], proof=Proof(ConsentWay.PERSON, evidence="phone call"))
    assert (row.state, row.evidence) == ("unsubscribed", "phone call")


def test_a_set_goes_in_by_one_statement(host: Host) -> None:
    list_ = add_list(host)
    host.session.add_all([Person(city="Graz" if i % 2 else "Linz") for i in range(4000)])
    host.session.add_all([Member(mail="m@x.test") for _ in range(5)])
    host.session.flush()
    graz = select(key_text(PERSONS)).where(Person.city == "Graz")
    assert subscribe_selected(
        host, list_, PERSONS, graz, proof=Proof(ConsentWay.PERSON, evidence="criterion Graz")
    ) == Counts(new=2000)
    everybody = select(key_text(PERSONS)).select_from(Person)
    assert subscribe_selected(
        host, list_, PERSONS, everybody, proof=Proof(ConsentWay.PERSON, evidence="all")
    ) == Counts(new=2000, already=2000)
    members = select(key_text(MEMBERS)).select_from(Member)
    assert subscribe_selected(host, list_, MEMBERS, members, proof=Proof(ConsentWay.PERSON, evidence="all")) == Counts(
        new=5
    )
    assert (
        unsubscribe_selected(host, list_, PERSONS, graz, proof=Proof(ConsentWay.PERSON, evidence="criterion Graz"))
        == 2000
    )
    assert host.session.scalar(select(func.count()).select_from(SubscriptionEvent)) == 6005
    assert subscriber_count(host, list_) == 2005
