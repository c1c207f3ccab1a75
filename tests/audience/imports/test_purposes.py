"""What a file does, for each purpose: who is changed, who is left alone and why, on both databases."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from massmail_plugin.audience import imports
from massmail_plugin.audience.imports import ColumnMapping
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.consent.subscriptions.subscribing import subscribe, unsubscribe
from massmail_plugin.consent.subscriptions.tallies import list_counts
from massmail_plugin.consent.wishes.withdrawal import withdraw
from massmail_plugin.contracts import Email, Host
from massmail_plugin.errors import BadRequest, ImportRefused
from massmail_plugin.models import Criterion, ImportPart, List, Subscription, SubscriptionEvent, Suppression, Topic
from massmail_plugin.vocabulary import ConsentWay, ImportPurpose, SuppressionReason, SuppressionScope
from tests.audience.imports.files import addresses, brought, csv_file, errors, worked
from tests.consent.small_host import CLIENTS, MEMBERS, PERSONS, Client, Member, Person, add_list, add_person, clock

BY_HAND = Proof(ConsentWay.PERSON, evidence="by hand")
EVERYTHING = SuppressionScope.ALL_BUT_TRANSACTIONAL


def states(host: Host, list_: List) -> dict[str, str]:
    rows = host.session.execute(
        select(Subscription.contact_key, Subscription.state).where(Subscription.list_id == list_.id)
    )
    return dict(rows.all())


def test_contacts_come_onto_a_list(host: Host) -> None:
    news = add_list(host)
    ann = add_person(host, " Ann@X.test")
    bob = add_person(host, "other@x.test", email2="bob@bücher.example.org")
    left, there, _, out = (add_person(host, f"{name}@x.test") for name in ("left", "there", "bounced", "out"))
    subscribe(host, news, [left, there], proof=BY_HAND)
    unsubscribe(host, news, [left], proof=BY_HAND)
    suppress(host, address="bounced@x.test", scope=EVERYTHING, reason=SuppressionReason.HARD_BOUNCE)
    withdraw(host, out, list_ids=None, proof=BY_HAND)
    file = csv_file(
        ["Name", "E-Mail"],
        ["Ann", "ann@x.TEST"], ["Bob", "BOB@xn--bcher-kva.example.org"], ["Left", "left@x.test"],
        ["Bounced", "Bounced@x.test"], ["There", "there@x.test"], ["Stranger", "stranger@x.test"],
        ["Two", "a@x.test, b@x.test"], ["None"], ["Out", "out@x.test"], ["Ann again", "ANN@x.test"],
        ["Bob again", "other@x.test"],
    )  # fmt: skip
    row = brought(host, file, list_id=news.id)
    expected = {
        "rows": 11, "changed": 2, "already": 1, "left": 1, "suppressed": 1, "opted_out": 1, "unknown": 1,
        "invalid": 2, "duplicate": 2,
    }  # fmt: skip
    assert worked(host, row, dry_run=True) == expected
    assert (row.state, states(host, news)) == ("counted", {left.key: "unsubscribed", there.key: "subscribed"})
    imports.choose(host, row, evidence="spring fair")
    assert worked(host, row) == expected
    assert states(host, news) == {
        ann.key: "subscribed", bob.key: "subscribed", left.key: "unsubscribed", there.key: "subscribed",
    }  # fmt: skip
    assert list_counts(host, [news.id])[news.id] == {"subscribed": 3, "unsubscribed": 1}
    event = host.session.scalars(select(SubscriptionEvent).where(SubscriptionEvent.contact_key == ann.key)).one()
    assert (event.way, event.by, event.origin) == ("file", "ann", "people.csv")
    assert event.evidence == "spring fair – by the file “people.csv”, ann"
    problems = errors(host, row)
    assert [line[0] for line in problems] == ["4", "5", "7", "8", "9", "10", "11", "12"]
    assert [why for number, _, why in problems if number in "4 5 7 10 11"] == [
        "Left this list, and stays off it.", "Is suppressed, and stays so.", "Belongs to no contact.",
        "Opted out, and stays out.", "An earlier row says the same.",
    ]  # fmt: skip
    assert host.session.scalars(select(ImportPart.kind)).all() == ["errors"]


def test_nobody_is_put_back_by_a_second_file(host: Host) -> None:
    news, ann = add_list(host), add_person(host, "ann@x.test")
    assert worked(host, brought(host, addresses("ann@x.test"), list_id=news.id)) == {"rows": 1, "changed": 1}
    unsubscribe(host, news, [ann], proof=BY_HAND)
    assert worked(host, brought(host, addresses("ann@x.test"), list_id=news.id)) == {"rows": 1, "left": 1}
    assert states(host, news) == {ann.key: "unsubscribed"}


def test_contacts_come_off_a_list(host: Host) -> None:
    news = add_list(host)
    ann, bob, cid = (add_person(host, f"{name}@x.test") for name in ("ann", "bob", "cid"))
    subscribe(host, news, [ann, bob], proof=BY_HAND)
    unsubscribe(host, news, [bob], proof=BY_HAND)
    file = addresses("ann@x.test", "bob@x.test", "cid@x.test", "who@x.test")
    row = brought(host, file, ImportPurpose.UNSUBSCRIBE, list_id=news.id)
    expected = {"rows": 4, "changed": 1, "already": 2, "unknown": 1}
    assert worked(host, row, dry_run=True) == expected == worked(host, row)
    assert states(host, news) == {ann.key: "unsubscribed", bob.key: "unsubscribed"}
    news.criterion_id = _criterion(host)
    row = brought(host, addresses("cid@x.test"), ImportPurpose.UNSUBSCRIBE, list_id=news.id)
    assert worked(host, row, dry_run=True) == {"rows": 1, "changed": 1} == worked(host, row)
    assert states(host, news)[cid.key] == "unsubscribed"


def _criterion(host: Host) -> int:
    made = Criterion(
        name="All", contact_source="person", rule={"all": []}, created_at=host.clock(), updated_at=host.clock()
    )
    host.session.add(made)
    host.session.flush()
    return made.id


@pytest.mark.parametrize("of_topic", [False, True])
def test_contacts_are_opted_out_and_back_in(host: Host, of_topic: bool) -> None:
    topic = Topic(name="Press")
    host.session.add(topic)
    host.session.flush()
    news = add_list(host, topic_id=topic.id)
    ann, bob = (add_person(host, f"{name}@x.test") for name in ("ann", "bob"))
    subscribe(host, news, [ann, bob], proof=BY_HAND)
    options = {"topic_id": topic.id if of_topic else None}
    withdraw(host, bob, list_ids=None, topic_id=options["topic_id"], proof=BY_HAND)
    file = addresses("ann@x.test", "bob@x.test", "who@x.test")
    row = brought(host, file, ImportPurpose.OPT_OUT, options=options)
    expected = {"rows": 3, "changed": 1, "already": 1, "unknown": 1}
    assert worked(host, row, dry_run=True) == expected
    assert states(host, news)[ann.key] == "subscribed"
    assert worked(host, row) == expected
    assert states(host, news) == {ann.key: "unsubscribed", bob.key: "unsubscribed"}
    scopes = host.session.scalars(select(Suppression.scope).where(Suppression.contact_key == ann.key)).all()
    assert scopes == ["topic" if of_topic else "all_but_transactional"]
    row = brought(host, addresses("ann@x.test", "who@x.test"), ImportPurpose.OPT_IN, options=options)
    expected = {"rows": 2, "changed": 1, "unknown": 1}
    assert worked(host, row, dry_run=True) == expected
    clock(host).tick(minutes=1)
    assert worked(host, row) == expected
    assert states(host, news) == {ann.key: "subscribed", bob.key: "unsubscribed"}
    again = brought(host, addresses("ann@x.test"), ImportPurpose.OPT_IN, options=options)
    assert worked(host, again) == {"rows": 1, "already": 1}


def test_a_file_cannot_undo_a_complaint(host: Host) -> None:
    ann = add_person(host, "ann@x.test")
    suppress(host, contact=ann, scope=EVERYTHING, reason=SuppressionReason.COMPLAINT)
    assert worked(host, brought(host, addresses("ann@x.test"), ImportPurpose.OPT_IN)) == {"rows": 1, "already": 1}
    assert host.session.scalars(select(Suppression.reason)).all() == ["complaint"]


def test_addresses_are_suppressed_whoever_has_them(host: Host) -> None:
    news = add_list(host)
    until = clock(host).now + timedelta(days=30)
    file = addresses("New@x.test", "new@x.test", "nobody@x.test", "bad@")
    row = brought(host, file, ImportPurpose.SUPPRESS, list_id=news.id, options={"until": until.isoformat()})
    expected = {"rows": 4, "changed": 2, "duplicate": 1, "invalid": 1}
    assert worked(host, row, dry_run=True) == expected == worked(host, row)
    assert worked(host, brought(host, addresses("new@x.test"), ImportPurpose.SUPPRESS)) == {"rows": 1, "changed": 1}
    again = brought(host, addresses("new@x.test", "nobody@x.test"), ImportPurpose.SUPPRESS, list_id=news.id)
    assert worked(host, again) == {"rows": 2, "changed": 2}, "for good is longer than for a while"
    rows = host.session.execute(
        select(Suppression.address, Suppression.scope, Suppression.until.is_(None)).order_by(Suppression.id)
    )
    assert rows.all()[:2] == [("new@x.test", "list", False), ("nobody@x.test", "list", False)]


def test_rows_are_matched_by_the_key_of_any_type(host: Host) -> None:
    news = add_list(host)
    member, client = Member(uid=uuid.uuid4(), mail="m@x.test"), Client(code="ÄB-7", mail="c@x.test")
    host.session.add_all([member, client])
    host.session.flush()
    ann = add_person(host, "ann@x.test")
    suppress(host, address="c@x.test", scope=EVERYTHING, reason=SuppressionReason.HARD_BOUNCE)
    persons = brought(host, csv_file(["ID"], [ann.key], ["0x1"], ["9" * 30], ["1" * 80], [""]), list_id=news.id)
    assert persons.mapping["by"] == "key"
    assert worked(host, persons) == {"rows": 4, "changed": 1, "unknown": 2, "invalid": 1}
    members = brought(host, csv_file(["uid"], [member.uid], [str(member.uid).upper()]), source=MEMBERS, list_id=news.id)
    assert worked(host, members) == {"rows": 2, "changed": 1, "unknown": 1}
    clients = brought(host, csv_file(["Code"], ["ÄB-7"], ["äb-7"]), source=CLIENTS, list_id=news.id)
    assert worked(host, clients, dry_run=True) == {"rows": 2, "suppressed": 1, "unknown": 1}
    assert len(host.session.scalars(select(Subscription.contact_key)).all()) == 2


def test_an_address_as_long_as_it_likes_does_not_stop_a_file_of_keys(host: Host) -> None:
    long = replace(PERSONS, addresses=[Email(Person.email1 + Person.email2)])
    host = replace(host, sources={**host.sources, "person": long})
    odd = add_person(host, "a" * 390 + "@x.test", email2="b" * 390)
    row = brought(host, csv_file(["ID"], [odd.key]), source=long, list_id=add_list(host).id)
    assert worked(host, row) == {"rows": 1, "changed": 1}


def test_two_contacts_with_one_address_both_come(host: Host) -> None:
    news = add_list(host)
    one, two, three = add_person(host, "a@x.test"), add_person(host, "a@x.test"), add_person(host, "b@x.test")
    subscribe(host, news, [two], proof=BY_HAND)
    unsubscribe(host, news, [two], proof=BY_HAND)
    assert worked(host, brought(host, addresses("a@x.test", "b@x.test"), list_id=news.id)) == {"rows": 2, "changed": 2}
    assert states(host, news) == {one.key: "subscribed", two.key: "unsubscribed", three.key: "subscribed"}


def test_what_does_not_fit_is_refused_in_words(host: Host) -> None:
    news = add_list(host)
    with pytest.raises(BadRequest, match="Choose the list"):
        brought(host, addresses("a@x.test"))
    host.session.commit()
    with pytest.raises(ImportRefused, match="empty"):
        brought(host, csv_file([]), list_id=news.id)
    host.session.rollback()
    row = brought(host, addresses("a@x.test"), list_id=news.id)
    with pytest.raises(ImportRefused, match="does not have the columns"):
        imports.choose(host, row, mapping=ColumnMapping("address", 7))
    worked(host, row)
    with pytest.raises(BadRequest, match="under way or over"):
        imports.choose(host, row, evidence="later")
    with pytest.raises(BadRequest, match="started before"):
        imports.start(host, row, dry_run=False)


def test_a_list_that_is_gone_fails_the_import(host: Host) -> None:
    topic = Topic(name="Press")
    host.session.add(topic)
    host.session.flush()
    row = brought(host, addresses("a@x.test"), ImportPurpose.OPT_OUT, options={"topic_id": topic.id})
    host.session.delete(topic)
    host.session.commit()
    worked(host, row)
    assert (row.state, row.fault.partition(".")[0]) == ("failed", "The topic that the file is for was deleted")


def test_columns_are_guessed(host: Host) -> None:
    news = add_list(host)
    file = csv_file(["First name", "City", "Write to"], ["Ann", "Graz", "ann@x.test"])
    row = brought(host, file, list_id=news.id)
    assert ColumnMapping.kept(row.mapping) == ColumnMapping("address", 2, {"first": 0, "city": 1})
    assert imports.table_of(host, row).sample() == [["Ann", "Graz", "ann@x.test"]]
