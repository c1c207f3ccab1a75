"""Who is on a list: by their own wish, or as its criterion finds them."""

import pytest
from sqlalchemy import Column, MetaData, String, Table, insert, select

from massmail_plugin.audience import AudienceRequest, count, explain, funnel, left_out, select_recipients
from massmail_plugin.audience.criteria.membership import DEEPEST
from massmail_plugin.audience.members import members
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.subscriptions.subscribing import subscribe, unsubscribe
from massmail_plugin.contracts import Host
from massmail_plugin.errors import RuleError
from massmail_plugin.models import Criterion, List
from massmail_plugin.vocabulary import ConsentWay
from tests.consent.small_host import MEMBERS, PERSONS, add_list, add_person

BY_HAND = Proof(ConsentWay.PERSON, evidence="by hand")


def kept(host: Host, name: str, rule: object, source: str = "person") -> List:
    now = host.clock()
    made = Criterion(name=name, contact_source=source, rule=rule, created_at=now, updated_at=now)
    return add_list(host, f"List of {name}", criterion=made)


def on(host: Host, *lists: List) -> set[tuple[str, int]]:
    rows = host.session.execute(members(host, PERSONS, [list_.id for list_ in lists])).all()
    assert len(rows) == len(set(rows))
    return {(row.key, row.list_id) for row in rows}


def test_subscribed_or_found_and_not_gone(host: Host) -> None:
    graz = kept(host, "Graz", {"field": "city", "op": "is", "value": "Graz"})
    news = add_list(host)
    by_criterion, both, left, by_hand = (add_person(host, city=city) for city in ("Graz", "Graz", "Graz", "Linz"))
    subscribe(host, graz, [both, left, by_hand], proof=BY_HAND)
    subscribe(host, news, [both], proof=BY_HAND)
    unsubscribe(host, graz, [left], proof=BY_HAND)
    assert on(host, graz) == {(who.key, graz.id) for who in (by_criterion, both, by_hand)}
    assert on(host, graz, news) == {*on(host, graz), (both.key, news.id)}
    assert on(host) == set()


def test_a_criterion_of_another_source_adds_nobody(host: Host) -> None:
    of_members = kept(host, "Members", None, source="member")
    add_person(host)
    assert on(host, of_members) == set()
    assert host.session.execute(members(host, MEMBERS, [of_members.id])).all() == []


def test_a_list_that_asks_for_itself_is_refused_in_words(host: Host) -> None:
    news = add_list(host)
    first, second = kept(host, "First", None), kept(host, "Second", None)
    assert first.criterion is not None
    assert second.criterion is not None
    first.criterion.rule = {"list": second.id, "op": "on"}
    second.criterion.rule = {"list": news.id, "op": "on"}
    host.session.flush()
    assert on(host, first) == set()
    second.criterion.rule = {"list": first.id, "op": "on"}
    host.session.flush()
    with pytest.raises(RuleError, match="List of First"):
        members(host, PERSONS, [first.id])
    second.criterion.rule = {"list": news.id, "op": "on"}
    host.session.flush()
    assert on(host, first) == set(), "a refusal leaves nothing behind"


def test_lists_kept_by_criteria_that_ask_for_lists_work_everywhere(host: Host) -> None:
    """As deep as is allowed, also within the largest statements there are."""
    graz, linz = add_person(host, "graz@x.test", city="Graz"), add_person(host, "linz@x.test", city="Linz")
    tower = kept(host, "Graz", {"field": "city", "op": "is", "value": "Graz"})
    for floor in range(DEEPEST - 1):
        left = {"field": "city", "op": "is_empty"}
        tower = kept(host, f"Floor {floor}", {"all": [{"none": [left]}, {"list": tower.id, "op": "on"}]})
    assert on(host, tower) == {(graz.key, tower.id)}
    asked = {"any": [{"none": [{"list": tower.id, "op": "off"}]}]}
    assert count(host, PERSONS, asked) == 1
    request = AudienceRequest("person", (tower.id,), asked, roles=("main", "second"))
    assert funnel(host, request)[-1].count == 1
    assert [one.ref for one in left_out(host, request, "will_get")] == [graz]
    assert (explain(host, request, graz).gets_it, explain(host, request, linz).gets_it) == (True, False)
    going = Table("going", MetaData(), Column("key", String(64)), prefixes=["TEMPORARY"])
    going.create(host.session.connection())
    recipients = select_recipients(host, request).subquery()
    host.session.execute(insert(going).from_select(["key"], select(recipients.c.contact_key)))
    assert host.session.scalars(select(going.c.key)).all() == [graz.key]


def test_towers_and_avalanches_of_lists_are_refused(host: Host) -> None:
    tower = avalanche = kept(host, "Everybody", None)
    for floor in range(DEEPEST):
        tower = kept(host, f"Floor {floor}", {"list": tower.id, "op": "on"})
    for floor in range(4):
        avalanche = kept(host, f"Slope {floor}", {"all": [{"list": avalanche.id, "op": "on"}] * 10})
    with pytest.raises(RuleError, match=f"{DEEPEST} lists deep"):
        members(host, PERSONS, [tower.id])
    with pytest.raises(RuleError, match="Make it smaller"):
        members(host, PERSONS, [avalanche.id])
