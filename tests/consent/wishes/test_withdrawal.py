"""Opting out and taking it back, and what the host hears."""

from sqlalchemy import select

from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.subscriptions.subscribing import Counts, subscribe
from massmail_plugin.consent.wishes.preferences import list_ids_of, opted_out_of_everything
from massmail_plugin.consent.wishes.withdrawal import take_back, withdraw
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import List, ReleasedSuppression, Topic
from massmail_plugin.vocabulary import ConsentWay
from tests.consent.small_host import add_list, add_person, clock

BY_HAND = Proof(ConsentWay.PERSON, evidence="by hand")
PAGE = Proof(ConsentWay.PAGE, evidence="page", message_id=5)


def on(host: Host, contact: ContactRef) -> list[str]:
    return sorted(host.session.get_one(List, list_id).title for list_id in list_ids_of(host, contact))


def test_lists_alone(host: Host) -> None:
    news, offers = add_list(host, public_name="Our news"), add_list(host, "Offers", description="Each week")
    who = add_person(host)
    subscribe(host, news, [who], proof=Proof(ConsentWay.PERSON, evidence="by hand"))
    done = withdraw(
        host, who, list_ids=[news.id, offers.id], proof=Proof(ConsentWay.PAGE, evidence="page", message_id=5)
    )
    assert (done.everything, done.list_ids, done.changed) == (False, (news.id, offers.id), True)
    assert not withdraw(host, who, list_ids=[news.id], proof=Proof(ConsentWay.PAGE, evidence="page")).changed
    assert on(host, who) == []
    assert subscribe(host, offers, [who], proof=Proof(ConsentWay.FILE, evidence="import")) == Counts(kept_out=1)
    assert take_back(host, who, list_ids=[news.id], proof=Proof(ConsentWay.PAGE, evidence="undo", message_id=5))
    assert on(host, who) == ["Our news"]
    assert not opted_out_of_everything(host, who)


def test_everything_and_back(host: Host) -> None:
    kept, left, never = (add_list(host, name) for name in ("Kept", "Left", "Never"))
    who, other = add_person(host), add_person(host)
    for list_ in (kept, left):
        subscribe(host, list_, [who, other], proof=Proof(ConsentWay.PERSON, evidence="by hand"))
    withdraw(host, who, list_ids=[left.id], proof=Proof(ConsentWay.PAGE, evidence="page"))
    clock(host).tick(minutes=1)
    done = withdraw(host, who, list_ids=None, proof=Proof(ConsentWay.ONE_CLICK, evidence="one click", message_id=7))
    assert (done.everything, done.list_ids, done.changed) == (True, (kept.id,), True)
    assert opted_out_of_everything(host, who)
    assert on(host, who) == []
    assert on(host, other) == ["Kept", "Left"]
    clock(host).tick(minutes=1)
    assert not withdraw(
        host, who, list_ids=None, proof=Proof(ConsentWay.ONE_CLICK, evidence="one click", message_id=7)
    ).changed
    withdraw(host, who, list_ids=[never.id], proof=Proof(ConsentWay.PAGE, evidence="page"))
    assert take_back(host, who, withdrawal=done, proof=Proof(ConsentWay.PAGE, evidence="undo", message_id=7))
    assert not take_back(host, who, list_ids=None, proof=Proof(ConsentWay.PAGE, evidence="undo"))
    assert on(host, who) == ["Kept"]
    assert not opted_out_of_everything(host, who)


def topic(host: Host, name: str = "Wine") -> int:
    row = Topic(name=name)
    host.session.add(row)
    host.session.flush()
    return row.id


def test_a_topic_and_back(host: Host) -> None:
    wine = topic(host)
    reds, whites = add_list(host, "Reds", topic_id=wine), add_list(host, "Whites", topic_id=wine)
    news = add_list(host)
    who = add_person(host)
    for list_ in (reds, whites, news):
        subscribe(host, list_, [who], proof=BY_HAND)
    clock(host).tick(minutes=1)
    withdraw(host, who, list_ids=[whites.id], proof=PAGE)
    clock(host).tick(minutes=1)
    done = withdraw(host, who, list_ids=None, topic_id=wine, proof=PAGE)
    assert (done.everything, done.topic_id, done.list_ids, done.changed) == (False, wine, (reds.id,), True)
    assert on(host, who) == ["News"]
    assert not opted_out_of_everything(host, who)
    assert not withdraw(host, who, list_ids=None, topic_id=wine, proof=PAGE).changed
    clock(host).tick(minutes=1)
    assert take_back(host, who, withdrawal=done, proof=PAGE)
    assert on(host, who) == ["News", "Reds"]
    assert not take_back(host, who, list_ids=None, topic_id=wine, proof=PAGE)


def test_what_was_left_again_after_coming_back_stays_left(host: Host) -> None:
    reds, news = add_list(host, "Reds"), add_list(host)
    who = add_person(host)
    for list_ in (reds, news):
        subscribe(host, list_, [who], proof=BY_HAND)
    clock(host).tick(minutes=1)
    withdraw(host, who, list_ids=None, proof=PAGE)
    for act in (take_back, withdraw):
        clock(host).tick(minutes=1)
        act(host, who, list_ids=[reds.id], proof=PAGE)
    clock(host).tick(minutes=1)
    assert take_back(host, who, list_ids=None, proof=PAGE)
    assert on(host, who) == ["News"]


def test_what_was_joined_in_between_comes_back_too(host: Host) -> None:
    news = add_list(host)
    who = add_person(host)
    withdraw(host, who, list_ids=None, proof=PAGE)
    clock(host).tick(minutes=1)
    take_back(host, who, list_ids=[news.id], proof=PAGE)
    clock(host).tick(minutes=1)
    assert withdraw(host, who, list_ids=None, proof=PAGE).list_ids == (news.id,)
    clock(host).tick(minutes=1)
    take_back(host, who, list_ids=None, proof=PAGE)
    assert on(host, who) == ["News"]
    assert host.session.scalars(select(ReleasedSuppression.reason)).all() == ["opt_out", "opt_out"]
