"""Rules at random over the people of `criteria_host`, with every operator and every kind of rule."""

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from massmail_plugin.audience.operators.day_tests import Unit
from massmail_plugin.audience.operators.of_kinds import Operator, operators_for
from massmail_plugin.contact_fields import ContactField, register
from massmail_plugin.vocabulary import FieldKind
from tests.audience.criteria.criteria_host import (
    CODES,
    CRITERIA,
    LETTERS,
    LINKS,
    LISTS,
    MAILINGS,
    PEOPLE,
    TEMPLATES,
    TODAY,
    TOPICS,
)

Rules = st.SearchStrategy[dict[str, Any]]
KNOWN = register(PEOPLE)

TEXT = st.text(st.sampled_from(LETTERS), min_size=1, max_size=2)
NUMBER = st.sampled_from([-3, -1, 0, 1, 2, 0.5, -1.5, 1.1])
DAY = st.integers(-12, 12).map(lambda n: TODAY + timedelta(days=n)) | st.sampled_from(
    [date(2000, 2, 29), date(1999, 3, 1)]
)
SPAN = st.tuples(st.integers(0, 14), st.sampled_from(Unit)).map(lambda span: [span[0], span[1].value])
CODE = st.sampled_from([one for one in CODES if one and one[-1].isdigit()])
DAYS = st.none() | st.integers(1, 12)


def _values(field: ContactField, operator: Operator) -> st.SearchStrategy[Any]:
    one = {
        FieldKind.TEXT: TEXT,
        FieldKind.NUMBER: NUMBER,
        FieldKind.DATE: DAY.map(date.isoformat),
        FieldKind.TIME: DAY.map(date.isoformat),
        FieldKind.CODE: CODE,
        FieldKind.BOOLEAN: st.none(),
    }[field.kind]
    if field.kind is FieldKind.CODE and operator.takes == "two":
        return st.tuples(st.sampled_from(["A", "", "B"]), st.lists(st.integers(0, 12), min_size=2, max_size=2)).map(
            lambda it: [f"{it[0]}{number}" for number in sorted(it[1])]
        )
    return {
        "nothing": st.none(),
        "one": one,
        "two": st.lists(one, min_size=2, max_size=2).map(sorted),
        "many": st.lists(one, min_size=1, max_size=3),
        "span": SPAN,
    }[operator.takes]


def _leaf(field: ContactField) -> Rules:
    def compared(operator: Operator) -> Rules:
        return _values(field, operator).map(lambda value: {"field": field.path, "op": operator.name, "value": value})

    return st.sampled_from(operators_for(field)).flatmap(compared)


def _without_none(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if value is not None}


def _group(inner: Rules) -> Rules:
    kinds = st.sampled_from(["all", "any", "none"])
    return st.builds(lambda kind, rules: {kind: rules}, kinds, st.lists(inner, min_size=1, max_size=3))


def _related(name: str) -> Rules:
    rows = KNOWN.related_rows(name)
    assert rows is not None
    has = st.one_of(*map(_leaf, rows.fields))
    low, high = st.integers(0, 3), st.none() | st.integers(3, 4)
    counted = st.fixed_dictionaries({"rows": st.just("count"), "min": low, "max": high})
    other = st.sampled_from(["any", "all", "none", "latest"]).map(lambda how: {"rows": how})
    has_or_not = st.none() | has | _group(has)
    return st.builds(lambda how, has: _without_none({"related": name, "has": has, **how}), counted | other, has_or_not)


FIELDS = st.one_of(*map(_leaf, KNOWN.fields))
RELATED = st.one_of(*(_related(rows.name) for rows in KNOWN.related))
LIST = st.fixed_dictionaries(
    {
        "list": st.lists(st.sampled_from(list(LISTS)), min_size=1, max_size=2),
        "op": st.sampled_from(["on", "off", "left"]),
    }
)
OPT_OUT = st.builds(
    lambda op, scope: {"opt_out": op, **scope},
    st.sampled_from(["opted_out", "not_opted_out", "stopped", "not_stopped"]),
    st.sampled_from([{}, *({"list": one} for one in LISTS), *({"topic": one} for one in TOPICS)]),
)
HISTORY = st.builds(
    lambda op, of, days: _without_none({"history": op, "days": days, **of}),
    st.sampled_from(["got", "not_got", "read", "unread", "clicked", "unclicked", "bounced"]),
    st.sampled_from([{}, *({"mailing": one} for one in MAILINGS), *({"template": one} for one in TEMPLATES)]),
    DAYS,
)
CLICKED = st.builds(
    lambda rule, link: {**rule, "history": "clicked", "link": link},
    HISTORY,
    st.sampled_from([to for _, to in LINKS.values()]),
)
CRITERION = st.fixed_dictionaries(
    {"criterion": st.sampled_from(list(CRITERIA)), "op": st.sampled_from(["found", "not_found"])}
)
OURS = st.one_of(LIST, OPT_OUT, HISTORY, CLICKED, CRITERION, st.just({"condition": "in_credit"}))
LEAF = st.one_of(FIELDS, FIELDS, RELATED, OURS, OURS)
RULES = st.one_of(LEAF, _group(LEAF), _group(LEAF | _group(LEAF)), _group(_group(_group(FIELDS | OURS))))
"""Up to three groups in one another, those of related rows among them."""
