"""Rules to SQL: thousands of them against plain Python on both databases; refusals in words; sentences."""

import os
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Enum, Uuid, create_engine, literal, select, text
from sqlalchemy.types import TypeEngine

from massmail_plugin.audience.criteria.counting import count, sample
from massmail_plugin.audience.criteria.rule_json import parse
from massmail_plugin.audience.criteria.rule_sql import clause
from massmail_plugin.audience.criteria.rules import EVERYBODY
from massmail_plugin.audience.criteria.words import sentence
from massmail_plugin.audience.operators import day_tests, text_tests
from massmail_plugin.contracts import Host, HostCondition
from massmail_plugin.errors import RuleError
from tests.audience.criteria.criteria_host import NOON, PEOPLE, Person, World
from tests.audience.criteria.random_rules import RULES
from tests.audience.criteria.rule_oracle import holds
from tests.consent.small_host import PERSONS, add_person

AT_ONCE = 25
"""Rules that one statement asks of everybody."""
NUMBER = int(os.environ.get("MASSMAIL_RULES", "500"))
"""Rules for each database."""


@settings(
    max_examples=NUMBER // AT_ONCE,
    phases=[Phase.explicit, Phase.generate],  # Making 25 rules smaller takes minutes; the one that is wrong is named.
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(rules=st.lists(RULES, min_size=AT_ONCE, max_size=AT_ONCE))
def test_sql_and_python_agree(peopled: tuple[Host, World], rules: list[dict[str, Any]]) -> None:
    host, world = peopled
    columns = [clause(host, PEOPLE, rule).label(f"r{place}") for place, rule in enumerate(rules)]
    answers = {row[0]: row[1:] for row in host.session.execute(select(Person.id, *columns))}
    for place, rule in enumerate(rules):
        # Not a WHERE, so that NULL would be seen.
        found = {person.id: answers[person.id][place] for person in world.people}
        assert found == {person.id: holds(world, person, rule) for person in world.people}, rule
        assert sentence(host, PEOPLE, rule)


def test_count_and_sample(host: Host) -> None:
    for i in range(12):
        add_person(host, f"p{i}@x.test", first=f"P{i:02}", city="Graz" if i % 2 else None)
    rule = {"field": "city", "op": "is_not", "value": "Graz"}
    assert count(host, PERSONS, rule) == 6
    assert [one.name for one in sample(host, PERSONS, rule, limit=2)] == ["P00", "P02"]
    assert count(host, PERSONS, None) == 12
    assert count(host, PERSONS, {"field": "city", "op": "is", "value": "' OR 1=1 --"}) == 0


def test_a_long_column_of_values_is_one_parameter(host: Host) -> None:
    add_person(host, "a@x.test", city="Graz")
    add_person(host, "b@x.test", city="Linz")
    many = ["Graz", *(f"Town {number}'\"" for number in range(9_999))]
    assert count(host, PERSONS, {"field": "city", "op": "in", "value": many}) == 1
    assert count(host, PERSONS, {"field": "city", "op": "not_in", "value": many}) == 1


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"field": "ctiy", "op": "is", "value": "x"}, "Did you mean “city”"),
        ({"field": "city", "op": "iss", "value": "x"}, "Did you mean “is”"),
        ({"field": "city", "value": "x"}, "operator"),
        ({"field": "city", "op": "is", "value": ""}, "is empty"),
        ({"field": "city", "op": "is", "value": ["a", "b"]}, "one value"),
        ({"field": "city", "op": "is", "value": {"a": 1}}, "enter a text"),
        ({"field": "city", "op": "is", "value": True}, "enter a text"),
        ({"field": "city", "op": "contains", "value": "x" * 501}, "longer"),
        ({"field": "city", "op": "is", "value": "a\x00"}, "characters"),
        ({"field": "city", "op": "is", "value": "\ud800"}, "characters"),
        ({"field": "city", "op": "in", "value": []}, "1 to"),
        ({"field": "city", "op": "in", "value": ["x"] * 10_001}, "1 to 10,000"),
        ({"field": "city", "op": "changed_in_last", "value": [0, "years ago"]}, "counted in days"),
        ({"field": "city", "op": "changed_in_last", "value": ["-1", "weeks"]}, "number of weeks"),
        ({"field": "balance", "op": "changed_in_last", "value": [1, "days"]}, "cannot be compared"),
        ({"field": "account", "op": "between", "value": ["A1", "B2"]}, "begin alike"),
        ({"field": "account", "op": "between", "value": ["A10", "A9"]}, "must not be greater"),
        ({"field": "account", "op": "at_least", "value": "A"}, "does not end in a number"),
        ({"field": "balance", "op": "less", "value": "ten"}, "no number"),
        ({"field": "balance", "op": "less", "value": "NaN"}, "too large"),
        ({"field": "balance", "op": "less", "value": "1e999999"}, "too large"),
        ({"field": "balance", "op": "less", "value": "1e-30"}, "decimal places"),
        ({"field": "balance", "op": "less", "value": "9" * 100}, "no number"),
        ({"field": "balance", "op": "less", "value": None}, "no number"),
        ({"field": "balance", "op": "between", "value": [2, 1]}, "greater"),
        ({"field": "balance", "op": "between", "value": [2]}, "two values"),
        ({"field": "balance", "op": "in", "value": [1] * 1001}, "1 to 1,000"),
        ({"field": "born", "op": "on", "value": "31.12.2025"}, "no date"),
        ({"field": "born", "op": "on", "value": "0001-01-01"}, "year"),
        ({"field": "born", "op": "in_last", "value": "-1"}, "number of days"),
        ({"field": "born", "op": "in_last", "value": [99999999, "days"]}, "number of days"),
        ({"field": "born", "op": "in_next", "value": [101, "years"]}, "0 to 100"),
        ({"field": "born", "op": "in_next", "value": [1, "fortnights"]}, "counted in"),
        ({"related": "order", "has": None}, "Did you mean “orders”"),
        ({"related": "orders", "rows": "most"}, "cannot be asked"),
        ({"related": "orders", "min": 2}, "does not count"),
        ({"related": "orders", "rows": "count", "min": -1}, "whole numbers"),
        ({"related": "orders", "rows": "count", "min": 3, "max": 2}, "greater"),
        ({"related": "orders", "has": {"field": "city", "op": "is", "value": "x"}}, "no field"),
        ({"related": "orders", "has": {"condition": "x"}}, "Within"),
        ({"related": "orders", "has": {"list": 1}}, "Within"),
        ({"condition": "nothing"}, "no condition"),
        ({"list": 99}, "list number 99"),
        ({"list": "1; DROP TABLE x"}, "named by its number"),
        ({"list": [], "op": "on"}, "Choose 1 to"),
        ({"list": 1, "op": "near"}, "cannot ask for “near”"),
        ({"opt_out": "opted_out", "list": 1, "topic": 1}, "not of both"),
        ({"opt_out": "opted_out", "topic": 99}, "topic number 99"),
        ({"opt_out": "gone"}, "cannot ask for"),
        ({"history": "read", "mailing": 99}, "mailing number 99"),
        ({"history": "read", "template": 99}, "template number 99"),
        ({"history": "read", "template": 1, "mailing": 1}, "not of both"),
        ({"history": "read", "link": "https://a.test/"}, "where clicks are asked"),
        ({"history": "read", "days": 0}, "last 1 to"),
        ({"history": "read", "mailing": 10**12}, "named by its number"),
        ({"criterion": 99}, "criterion number 99"),
        ({"criterion": 1, "op": "maybe"}, "neither found nor"),
        ({"any": []}, "holds no rule"),
        ({"all": "x"}, "list of rules"),
        ({"all": [{}]}, "needs one of"),
        ({"all": [], "sql": "DROP"}, "cannot hold"),
        ({"field": "city", "op": "is", "value": "x", "sql": "DROP"}, "cannot hold"),
        ({"field": ["city"], "op": "is"}, "name"),
        ("DROP TABLE", "must be an object"),
        ({"all": [{"any": [{"none": [{"all": [{"condition": "x"}]}]}]}]}, "3 deep"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(peopled: tuple[Host, World], rule: object, words: str) -> None:
    host, _ = peopled
    with pytest.raises(RuleError, match=words):
        clause(host, PEOPLE, rule)


def test_huge_trees_are_refused_early() -> None:
    deep: dict[str, Any] = {"condition": "x"}
    for _ in range(20_000):
        deep = {"related": "orders", "has": deep}
    wide = {"all": [{"any": [{"condition": "x"}] * 200}] * 200}
    for rule in (deep, wide):
        with pytest.raises(RuleError):
            parse(rule)


def test_everybody() -> None:
    assert parse(None) == parse({}) == parse({"all": []}) == EVERYBODY
    assert parse(EVERYBODY) is EVERYBODY


def test_conditions_of_the_host_are_for_their_contacts_and_may_fail(sqlite_host: Host) -> None:
    conditions = sqlite_host.hooks.conditions
    conditions["vips"] = HostCondition("VIPs", lambda model: model.vip, source="person")
    conditions["members"] = HostCondition("Members", lambda model: model.label == "x", source="member")
    conditions["broken"] = HostCondition("Broken", lambda model: model.nothing_like_that)
    assert count(sqlite_host, PERSONS, {"condition": "vips"}) == 0
    with pytest.raises(RuleError, match="no condition “members”"):
        clause(sqlite_host, PERSONS, {"condition": "members"})
    with pytest.raises(RuleError, match="“Broken” of the application failed"):
        clause(sqlite_host, PERSONS, {"condition": "broken"})


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (None, "Everybody"),
        ({"field": "city", "op": "in", "value": ["Graz", "Linz"]}, "City is one of “Graz”, “Linz”"),
        (
            {"any": [{"field": "balance", "op": "more", "value": 100}, {"field": "vip", "op": "is_true"}]},
            "Balance is more than 100 or VIP is yes",
        ),
        (
            {"none": [{"related": "orders", "rows": "count", "min": 2, "has": {"field": "item", "op": "contains",
                                                                               "value": "tea"}}]},
            "not (Orders: at least 2 rows where What contains “tea”)",
        ),
        ({"related": "orders", "rows": "latest", "has": {"field": "amount", "op": "more", "value": 5}},
         "Orders: the latest row has Amount is more than 5"),
        ({"related": "tags", "rows": "none"}, "Tags: no row"),
        ({"related": "tags", "rows": "count", "min": 0, "max": 1}, "Tags: at most 1 row"),
        ({"field": "born", "op": "in_last", "value": [1, "months"]}, "Born is in the last 1 month"),
        ({"field": "born", "op": "anniversary_this_week"}, "Born has its anniversary this week"),
        ({"field": "city", "op": "changed_in_last", "value": [2, "days"]}, "City changed in the last 2 days"),
        ({"field": "account", "op": "at_least", "value": "A7"}, "Account is from “A7” on"),
        ({"list": [1, 2], "op": "off"}, "not on any of the lists “List 1”, “List 2”"),
        ({"opt_out": "opted_out"}, "has opted out of everything"),
        ({"opt_out": "not_stopped", "topic": 1}, "may get mail of the topic “Topic 1”"),
        ({"history": "unread", "template": 1, "days": 30},
         "got and did not read a mail of “Template 1” in the last 30 days"),
        ({"history": "clicked", "mailing": 1, "link": "https://a.test/"}, "clicked https://a.test/ in “Mailing 1”"),
        ({"criterion": 1, "op": "not_found"}, "not found by “Criterion 1”"),
    ],
)  # fmt: skip
def test_sentences(peopled: tuple[Host, World], rule: Any, words: str) -> None:
    assert sentence(peopled[0], PEOPLE, rule) == words


def test_a_sentence_of_several(sqlite_host: Host) -> None:
    rule = {
        "all": [
            {"field": "city", "op": "in", "value": list("abcdefg")},
            {"any": [{"field": "vip", "op": "is_true"}, {"field": "vip", "op": "is_empty"}]},
        ]
    }
    assert sentence(sqlite_host, PERSONS, rule) == (
        "City is one of “a”, “b”, “c”, “d”, “e” and 2 more and (VIP is yes or VIP is empty)"
    )


@pytest.mark.parametrize("sql_type", [Enum("Graz", "Linz", name="town"), Uuid()])
def test_columns_that_are_text_only_to_people(sql_type: TypeEngine[Any]) -> None:
    with create_engine("sqlite://").connect() as connection:
        value = "Graz" if isinstance(sql_type, Enum) else UUID(int=1)
        asked = text_tests.CONTAINS(literal(value, sql_type), ["RA" if value == "Graz" else "-000"], NOON)
        assert connection.scalar(select(asked))


def test_times_without_a_zone_count_as_utc() -> None:
    with create_engine("sqlite://").connect() as connection:
        for hour in (0, 23):
            column = literal(datetime(2026, 3, 10, hour, 59))
            assert connection.scalar(select(day_tests.ON(column, [date(2026, 3, 10)], NOON)))
            assert not connection.scalar(select(day_tests.ON(column, [date(2026, 3, 11)], NOON)))


@pytest.mark.parametrize(
    ("today", "born", "comes"),
    [
        (date(2026, 2, 28), date(2000, 2, 29), True),
        (date(2028, 2, 28), date(2000, 2, 29), False),
        (date(2028, 2, 29), date(2000, 2, 29), True),
        (date(2026, 3, 1), date(2000, 2, 29), False),
        (date(2026, 12, 31), date(1990, 12, 31), True),
    ],
)
def test_who_was_born_on_a_leap_day_has_a_birthday_every_year(today: date, born: date, comes: bool) -> None:
    now = datetime(today.year, today.month, today.day, 23, 59, tzinfo=UTC)
    with create_engine("sqlite://").connect() as connection:
        assert connection.scalar(select(day_tests.ANNIVERSARY_TODAY(literal(born), [], now))) == comes


def test_a_week_over_new_year_has_the_birthdays_of_both_years() -> None:
    now = datetime(2026, 12, 30, tzinfo=UTC)
    with create_engine("sqlite://").connect() as connection:
        for born, comes in ((date(1980, 1, 3), True), (date(1980, 1, 4), False), (date(1980, 12, 28), True)):
            asked = day_tests.ANNIVERSARY_THIS_WEEK(literal(born), [], now)
            assert connection.scalar(select(asked)) == comes


@pytest.mark.parametrize("op", ["anniversary_today", "anniversary_this_week", "anniversary_this_month"])
def test_a_day_without_a_month_has_no_anniversary_and_is_not_lost(host: Host, op: str) -> None:
    """PostgreSQL keeps days without end, SQLite whatever was written."""
    never = "infinity" if host.session.get_bind().dialect.name == "postgresql" else "never"
    odd, born = add_person(host), add_person(host, born=host.clock().date())
    host.session.execute(text("UPDATE person SET born = :never WHERE id = :key"), {"never": never, "key": int(odd.key)})
    rule = {"field": "born", "op": op}
    assert [one.ref for one in sample(host, PERSONS, rule)] == [born]
    assert [one.ref for one in sample(host, PERSONS, {"none": [rule]})] == [odd]
