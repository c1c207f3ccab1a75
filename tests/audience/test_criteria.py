"""Rules to SQL: the property against plain Python on both databases, refusals in words, and sentences."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Enum, Uuid, create_engine, literal, select
from sqlalchemy.types import TypeEngine

from massmail_plugin.audience.counting import count, sample
from massmail_plugin.audience.criteria_sql import clause
from massmail_plugin.audience.operators import operator, operators_for
from massmail_plugin.audience.rules import EVERYBODY, parse
from massmail_plugin.audience.words import sentence
from massmail_plugin.contact_fields import FieldKind
from massmail_plugin.contracts import Host
from massmail_plugin.errors import RuleError
from tests.audience.rule_oracle import TODAY, holds
from tests.consent.small_host import NOON, PERSONS, Company, Order, Person, add_person

TEXTS = st.text(st.sampled_from("aB%_/\\' 中"), max_size=4)
SOME_TEXT = TEXTS.filter(bool)
NUMBERS = st.integers(-3, 3)
DECIMALS = st.decimals(-2, 2, places=1)
DAYS = st.integers(-4, 4).map(lambda n: TODAY + timedelta(days=n))
MOMENTS = st.integers(-100, 100).map(lambda n: NOON + timedelta(hours=n))


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


ORDERS = st.lists(st.tuples(maybe(TEXTS), maybe(NUMBERS)), max_size=4)
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "first": TEXTS, "city": maybe(TEXTS), "balance": maybe(DECIMALS), "children": maybe(NUMBERS),
            "born": maybe(DAYS), "seen": maybe(MOMENTS), "vip": maybe(st.booleans()), "company": maybe(TEXTS),
            "boss": maybe(st.integers(0, 5)), "orders": ORDERS,
        }
    ),
    min_size=1, max_size=6,
)  # fmt: skip


def leaf(path: str, kind: FieldKind, value: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    def for_operator(name: str) -> st.SearchStrategy[dict[str, Any]]:
        given_value = {
            "nothing": st.none(),
            "one": value,
            "two": st.lists(value, min_size=2, max_size=2).map(sorted),
            "many": st.lists(value, min_size=1, max_size=3),
            "days": st.integers(0, 5),
        }[operator(kind, name).takes]
        return given_value.map(lambda v: {"field": path, "op": name, "value": v})

    return st.sampled_from([one.name for one in operators_for(kind)]).flatmap(for_operator)


ISO = DAYS.map(date.isoformat)
TEXT_LEAVES = [leaf(path, FieldKind.TEXT, SOME_TEXT) for path in ("first", "city", "company.name", "boss.city")]
OWN = st.one_of(
    *TEXT_LEAVES,
    leaf("balance", FieldKind.NUMBER, DECIMALS.map(float)),
    leaf("children", FieldKind.NUMBER, NUMBERS | st.sampled_from([0.5, 1.5])),
    leaf("born", FieldKind.DATE, ISO),
    leaf("seen", FieldKind.TIME, ISO),
    leaf("vip", FieldKind.BOOLEAN, st.none()),
    st.just({"condition": "in_credit"}),
)
OF_ORDER = leaf("item", FieldKind.TEXT, SOME_TEXT) | leaf("amount", FieldKind.NUMBER, NUMBERS)
OF_TEAM = leaf("city", FieldKind.TEXT, SOME_TEXT) | leaf("children", FieldKind.NUMBER, NUMBERS)


def group(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    kinds = st.sampled_from(["all", "any", "none"])
    return st.builds(lambda kind, rules: {kind: rules}, kinds, st.lists(inner, min_size=1, max_size=3))


def related(name: str, has: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"related": st.just(name), "has": maybe(has | group(has)), "min": st.integers(1, 3)})


LEAF = st.one_of(OWN, related("orders", OF_ORDER), related("team", OF_TEAM))
RULES = st.one_of(LEAF, group(LEAF), group(LEAF | group(LEAF)), group(group(group(OWN))))


def fill(host: Host, people: list[dict[str, Any]]) -> list[Person]:
    made = []
    for given_values in people:
        values = dict(given_values)
        orders, company, values["boss"] = values.pop("orders"), values.pop("company"), None
        person = Person(**values, orders=[Order(item=item, amount=amount) for item, amount in orders])
        person.company = None if company is None else Company(name=company)
        made.append(person)
    host.session.add_all(made)
    host.session.flush()
    for person, given_values in zip(made, people, strict=True):
        if given_values["boss"] is not None and given_values["boss"] < len(made):
            person.boss_id = made[given_values["boss"]].id
    host.session.flush()
    host.session.expire_all()
    return made


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(people=PEOPLE, rules=st.lists(RULES, min_size=1, max_size=8))
def test_sql_and_python_agree(host: Host, people: list[dict[str, Any]], rules: list[dict[str, Any]]) -> None:
    host.hooks.conditions["in_credit"] = ("In credit", lambda model: model.balance > 0)
    try:
        made = fill(host, people)
        for rule in rules:
            found = set(host.session.scalars(select(Person.id).where(clause(host, PERSONS, rule))))
            assert found == {person.id for person in made if holds(person, rule)}, rule
            assert sentence(host, PERSONS, rule)
    finally:
        host.session.rollback()


def test_count_and_sample(host: Host) -> None:
    for i in range(12):
        add_person(host, f"p{i}@x.test", first=f"P{i:02}", city="Graz" if i % 2 else None)
    rule = {"field": "city", "op": "is_not", "value": "Graz"}
    assert count(host, PERSONS, rule) == 6
    assert [one.name for one in sample(host, PERSONS, rule, limit=2)] == ["P00", "P02"]
    assert count(host, PERSONS, None) == 12
    assert count(host, PERSONS, {"field": "city", "op": "is", "value": "' OR 1=1 --"}) == 0


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
        ({"field": "city", "op": "in", "value": ["x"] * 1001}, "1 to"),
        ({"field": "balance", "op": "less", "value": "ten"}, "no number"),
        ({"field": "balance", "op": "less", "value": "NaN"}, "too large"),
        ({"field": "balance", "op": "less", "value": "1e999999"}, "too large"),
        ({"field": "balance", "op": "less", "value": "1e-30"}, "decimal places"),
        ({"field": "balance", "op": "less", "value": "9" * 100}, "no number"),
        ({"field": "balance", "op": "less", "value": None}, "no number"),
        ({"field": "balance", "op": "between", "value": [2, 1]}, "greater"),
        ({"field": "balance", "op": "between", "value": [2]}, "two values"),
        ({"field": "born", "op": "on", "value": "31.12.2025"}, "no date"),
        ({"field": "born", "op": "on", "value": "0001-01-01"}, "year"),
        ({"field": "born", "op": "in_last_days", "value": "-1"}, "days"),
        ({"field": "born", "op": "in_last_days", "value": 99999999}, "days"),
        ({"related": "order", "has": None}, "Did you mean “orders”"),
        ({"related": "orders", "min": 0}, "at least 1"),
        ({"related": "orders", "has": {"field": "city", "op": "is", "value": "x"}}, "no field"),
        ({"related": "orders", "has": {"condition": "x"}}, "Within"),
        ({"condition": "nothing"}, "no condition"),
        ({"any": []}, "holds no rule"),
        ({"all": "x"}, "list of rules"),
        ({"all": [{}]}, "needs one of"),
        ({"all": [], "sql": "DROP"}, "cannot hold"),
        ({"field": "city", "op": "is", "value": "x", "sql": "DROP"}, "cannot hold"),
        ({"field": ["city"], "op": "is"}, "name"),
        ("DROP TABLE", "must be an object"),
        ({"all": [{"any": [{"none": [{"all": [{"condition": "x"}]}]}]}]}, "deep"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(sqlite_host: Host, rule: object, words: str) -> None:
    with pytest.raises(RuleError, match=words):
        clause(sqlite_host, PERSONS, rule)


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


def test_sentences(sqlite_host: Host) -> None:
    rule = {
        "all": [
            {"field": "city", "op": "in", "value": ["Graz", "Linz"]},
            {"any": [{"field": "balance", "op": "more", "value": 100}, {"field": "vip", "op": "is_true"}]},
            {"none": [{"related": "orders", "has": {"field": "item", "op": "contains", "value": "tea"}, "min": 2}]},
            {"field": "born", "op": "in_last_days", "value": 30},
        ]
    }
    assert sentence(sqlite_host, PERSONS, rule) == (
        "City is one of “Graz”, “Linz” and (Balance is more than 100 or VIP is yes) and "
        "not (Orders: at least 2 rows where Item contains “tea”) and Born was in the last 30 days"
    )
    assert sentence(sqlite_host, PERSONS, None) == "Everybody"


@pytest.mark.parametrize("sql_type", [Enum("Graz", "Linz", name="town"), Uuid()])
def test_columns_that_are_text_only_to_people(sql_type: TypeEngine[Any]) -> None:
    test = operator(FieldKind.TEXT, "contains").test
    with create_engine("sqlite://").connect() as connection:
        value = "Graz" if isinstance(sql_type, Enum) else UUID(int=1)
        found = connection.scalar(select(test(literal(value, sql_type), ["RA" if value == "Graz" else "-000"], NOON)))
    assert found


def test_times_without_a_zone_count_as_utc() -> None:
    test = operator(FieldKind.TIME, "on").test
    with create_engine("sqlite://").connect() as connection:
        for hour in (0, 23):
            column = literal(datetime(2026, 3, 10, hour, 59))
            assert connection.scalar(select(test(column, [date(2026, 3, 10)], NOON)))
            assert not connection.scalar(select(test(column, [date(2026, 3, 11)], NOON)))
