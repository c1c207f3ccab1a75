"""Saved criteria within one another: found by number, never in a circle, never without end."""

from itertools import count as count_up
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from massmail_plugin.audience import clause, count, members
from massmail_plugin.audience.criteria.saved_criteria import asked_for, askers, askers_of_list, leading_to, leads_to
from massmail_plugin.contracts import Host
from massmail_plugin.errors import RuleError
from massmail_plugin.models import Criterion
from tests.consent.small_host import CLIENTS, MEMBERS, PERSONS, add_list, add_person

NUMBERS = count_up()
ASKS = st.dictionaries(st.integers(1, 5), st.sets(st.integers(1, 5), max_size=3), max_size=5)


def save(host: Host, rule: Any, source: str = "person", **values: Any) -> Criterion:
    now = host.clock()
    named = {"name": f"Criterion {next(NUMBERS)}", "contact_source": source}
    made = Criterion(rule=rule, created_at=now, updated_at=now, **named, **values)
    host.session.add(made)
    host.session.flush()
    return made


def asks(criterion: Criterion) -> dict[str, Any]:
    return {"criterion": criterion.id}


def test_a_criterion_asks_for_another(sqlite_host: Host) -> None:
    for city in ("Graz", "Linz"):
        add_person(sqlite_host, city=city)
    inner = save(sqlite_host, {"field": "city", "op": "is", "value": "Graz"})
    outer = save(sqlite_host, {"none": [asks(inner)]})
    assert count(sqlite_host, PERSONS, asks(inner)) == 1
    assert count(sqlite_host, PERSONS, {"all": [asks(outer), {"field": "city", "op": "is", "value": "Linz"}]}) == 1
    assert count(sqlite_host, PERSONS, {**asks(outer), "op": "not_found"}) == 1


def test_circles_are_refused_when_they_are_asked(sqlite_host: Host) -> None:
    first = save(sqlite_host, None)
    second = save(sqlite_host, asks(first))
    first.rule = {"any": [asks(second)]}
    sqlite_host.session.flush()
    for one in (first, second):
        with pytest.raises(RuleError, match="asks for itself in the end"):
            clause(sqlite_host, PERSONS, asks(one))
    list_ = add_list(sqlite_host, criterion_id=first.id)
    first.rule = {"list": list_.id}
    sqlite_host.session.flush()
    with pytest.raises(RuleError, match="asks who is on this very list"):
        members(sqlite_host, PERSONS, [list_.id])
    assert leads_to(sqlite_host, {"list": list_.id}, first.id)
    assert leading_to(sqlite_host, first.id) == {first.id, second.id}


def test_a_criterion_about_other_contacts_is_refused(sqlite_host: Host) -> None:
    about_members = save(sqlite_host, None, source="member")
    assert count(sqlite_host, MEMBERS, asks(about_members)) == 0
    with pytest.raises(RuleError, match="about other contacts"):
        clause(sqlite_host, PERSONS, asks(about_members))
    with pytest.raises(RuleError, match="about other contacts"):
        clause(sqlite_host, CLIENTS, asks(about_members))


def test_towers_and_avalanches_are_refused(sqlite_host: Host) -> None:
    top = save(sqlite_host, {"field": "city", "op": "is_empty"})
    for _ in range(8):
        top = save(sqlite_host, {"all": [asks(top)]})
    with pytest.raises(RuleError, match="8 deep"):
        clause(sqlite_host, PERSONS, asks(top))
    top = save(sqlite_host, {"field": "city", "op": "is_empty"})
    for _ in range(6):
        top = save(sqlite_host, {"any": [asks(top)] * 10})
    with pytest.raises(RuleError, match="2000 rules"):
        clause(sqlite_host, PERSONS, asks(top))


def test_who_asks_for_whom(sqlite_host: Host) -> None:
    list_ = add_list(sqlite_host)
    inner = save(sqlite_host, None)
    outer = save(sqlite_host, {"all": [asks(inner), {"list": list_.id, "op": "off"}]})
    broken = save(sqlite_host, {"nonsense": True})
    assert askers(sqlite_host, "person", [inner.id, outer.id]) == {inner.id: [outer], outer.id: []}
    assert askers_of_list(sqlite_host, list_.id) == [outer]
    assert asked_for(broken.rule).criteria == frozenset()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=ASKS)
def test_the_circles_found_are_the_circles_there_are(sqlite_host: Host, graph: dict[int, set[int]]) -> None:
    """Held against every walk of up to five steps."""
    for number in range(1, 6):
        rules = [{"criterion": one} for one in graph.get(number, ())]
        save(sqlite_host, {"any": rules} if rules else None, id=number)
    reach = {one: set(graph.get(one, ())) for one in range(1, 6)}
    for _ in range(5):
        reach = {one: found | {far for near in found for far in reach[near]} for one, found in reach.items()}
    try:
        for number in range(1, 6):
            assert leading_to(sqlite_host, number) == {one for one in reach if number in reach[one]}
            assert leads_to(sqlite_host, {"criterion": number}, number)
    finally:
        sqlite_host.session.rollback()
