"""The host hears of wishes after the commit, as long as they hold, and what it writes then comes back to rest."""

import logging

import pytest
from sqlalchemy import event, select

from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.subscriptions.subscribing import subscribe
from massmail_plugin.consent.wishes.telling import is_echo
from massmail_plugin.consent.wishes.withdrawal import take_back, withdraw
from massmail_plugin.contracts import ContactRef, Host, PreferenceFact
from massmail_plugin.models import Topic
from massmail_plugin.opt_out.said_by_host import from_host
from massmail_plugin.vocabulary import ConsentWay, SuppressionScope
from tests.consent.small_host import Person, add_list, add_person, clock

PAGE = Proof(ConsentWay.PAGE, evidence="page")


def test_after_the_commit_and_whatever_others_do(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[PreferenceFact] = []

    def broken(fact: PreferenceFact) -> None:
        raise RuntimeError("the host's own fault")

    host.hooks.on_preference_change[:] = [broken, heard.append]
    list_, who = add_list(host), add_person(host)
    withdraw(host, who, list_ids=[list_.id], proof=PAGE)
    assert heard == []
    with caplog.at_level(logging.ERROR):
        host.session.commit()
    assert heard == [
        PreferenceFact(
            contact=who,
            list_id=list_.id,
            list_name="News",
            subscribed=False,
            at=host.clock(),
            source="page",
            way=ConsentWay.PAGE,
        )
    ]
    assert heard[0].scope is SuppressionScope.LIST
    assert "the host's own fault" in caplog.text


def test_what_was_rolled_back_or_holds_no_more_is_not_told(host: Host) -> None:
    heard: list[PreferenceFact] = []
    host.hooks.on_preference_change.append(heard.append)
    who = add_person(host)
    host.session.commit()
    withdraw(host, who, list_ids=None, proof=PAGE)
    host.session.rollback()
    withdraw(host, who, list_ids=None, proof=PAGE)
    take_back(host, who, list_ids=None, proof=PAGE)
    host.session.commit()
    assert [(fact.scope, fact.subscribed) for fact in heard] == [(SuppressionScope.ALL_BUT_TRANSACTIONAL, True)]


def test_a_topic_is_told_by_name(host: Host) -> None:
    heard: list[PreferenceFact] = []
    host.hooks.on_preference_change.append(heard.append)
    topic = Topic(name="Wine")
    host.session.add(topic)
    host.session.flush()
    withdraw(host, add_person(host), list_ids=None, topic_id=topic.id, proof=PAGE)
    host.session.commit()
    assert [(fact.scope, fact.topic_id, fact.topic_name, fact.list_id) for fact in heard] == [
        (SuppressionScope.TOPIC, topic.id, "Wine", None)
    ]


class TwoSides:
    """A host that keeps its own flag, and calls us back whenever that flag is written, as a listener would."""

    def __init__(self, host: Host, *, upside_down: bool = False) -> None:
        self.host = host
        self.upside_down = upside_down
        self.calls: list[bool] = []
        host.hooks.on_preference_change.append(self.told)
        event.listen(host.session(), "before_commit", self.written)

    def told(self, fact: PreferenceFact) -> None:
        """`vip` is the flag that says: wants mail."""
        person = self.host.session.get_one(Person, int(fact.contact.key))
        person.vip = not fact.subscribed if self.upside_down else fact.subscribed
        for session in (self.host.session(),):
            if not event.contains(session, "before_commit", self.written):
                event.listen(session, "before_commit", self.written)

    def written(self, session: object) -> None:
        for row in list(self.host.session.dirty):
            if isinstance(row, Person):
                self.calls.append(from_host(self.host, ContactRef("person", str(row.id)), wants_mail=bool(row.vip)))


@pytest.mark.parametrize("upside_down", [False, True])
def test_a_host_that_calls_back_from_within_comes_to_rest(host: Host, upside_down: bool) -> None:
    sides = TwoSides(host, upside_down=upside_down)
    list_, who = add_list(host), add_person(host, vip=True)
    subscribe(host, list_, [who], proof=PAGE)
    host.session.commit()
    withdraw(host, who, list_ids=None, proof=PAGE)
    host.session.commit()
    assert sides.calls == [False], "our own word came back, and changed nothing"
    assert host.session.scalars(select(Person.vip)).all() == [upside_down]
    clock(host).tick(minutes=1)
    take_back(host, who, list_ids=None, proof=PAGE)
    host.session.commit()
    assert sides.calls == [False, False]
    assert not is_echo(who)


def test_what_the_host_says_of_others_meanwhile_counts(host: Host) -> None:
    """A spouse with the same address, say: only the contact we speak of is an echo."""
    list_, who, spouse = add_list(host), add_person(host), add_person(host)
    news: list[bool] = []

    def told(fact: PreferenceFact) -> None:
        news.append(from_host(host, spouse, wants_mail=False, by="the CRM"))

    host.hooks.on_preference_change.append(told)
    withdraw(host, who, list_ids=[list_.id], proof=PAGE)
    host.session.commit()
    assert news == [True, False], "told of the spouse in turn, it says the same of the spouse: an echo"
