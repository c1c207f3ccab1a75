"""An evaluation of rules in plain Python, written apart from the SQL: what the property test compares with."""

import calendar
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.audience.criteria.criteria_host import CRITERIA, LINKS, LISTS, MAILINGS, NOON, TODAY, Person, World

Rule = dict[str, Any]


def holds(world: World, person: Person, rule: Rule) -> bool:
    """Whether the rule is true for a person."""
    if "all" in rule:
        return all(holds(world, person, one) for one in rule["all"])
    if "any" in rule:
        return any(holds(world, person, one) for one in rule["any"])
    if "none" in rule:
        return not any(holds(world, person, one) for one in rule["none"])
    kind = next(name for name in _KINDS if name in rule)
    return _KINDS[kind](world, person, rule)


# --- Rows --------------------------------------------------------------------------------------------------------

_LATEST = {"orders": "placed", "team": "seen", "tags": "since"}


def _related(world: World, person: Person, rule: Rule) -> bool:
    rows = getattr(person, rule["related"])
    fitting = [row for row in rows if not rule.get("has") or holds(world, row, rule["has"])]
    how = rule.get("rows", "any")
    if how == "count":
        return rule.get("min", 0) <= len(fitting) <= rule.get("max", len(fitting))
    if how == "latest":
        return bool(rows) and max(rows, key=_age(_LATEST[rule["related"]])) in fitting
    return {"any": bool(fitting), "none": not fitting, "all": bool(rows) and len(fitting) == len(rows)}[how]


def _age(name: str) -> Callable[[Any], Any]:
    def age(row: Any) -> Any:
        value = getattr(row, name)
        return (value is not None, value.timetuple() if value is not None else (), row.id)

    return age


# --- Lists, stops, mails, criteria -------------------------------------------------------------------------------


def _list(world: World, person: Person, rule: Rule) -> bool:
    ids = rule["list"] if isinstance(rule["list"], list) else [rule["list"]]
    op = rule.get("op", "on")
    if op == "left":
        return any(world.subscriptions.get((one, person.id)) == "unsubscribed" for one in ids)
    return any(_on(world, person, one) for one in ids) == (op == "on")


def _on(world: World, person: Person, list_id: int) -> bool:
    state = world.subscriptions.get((list_id, person.id))
    keeper = LISTS[list_id].get("criterion_id")
    return state == "subscribed" or (state is None and keeper is not None and holds(world, person, CRITERIA[keeper]))


def _opt_out(world: World, person: Person, rule: Rule) -> bool:
    list_id = rule.get("list")
    topics = {rule.get("topic"), LISTS[list_id].get("topic_id") if list_id else None} - {None}
    mails = {address.strip().lower() for address in (person.email, person.firm and person.firm.email) if address}
    stops = [
        one
        for one in world.suppressions
        if (one.get("contact_key") == str(person.id) or one.get("address") in mails)
        and (one["until"] is None or one["until"] > NOON)
        and (one["reason"] == "opt_out" or rule["opt_out"] in ("stopped", "not_stopped"))
    ]
    reaching = [
        one
        for one in stops
        if one["scope"] == "all_but_transactional"
        or (one["scope"] == "list" and one["list_id"] == list_id)
        or (one["scope"] == "topic" and one["topic_id"] in topics)
    ]
    left = list_id is not None and world.subscriptions.get((list_id, person.id)) == "unsubscribed"
    return (bool(reaching) or left) == (not rule["opt_out"].startswith("not_"))


def _history(world: World, person: Person, rule: Rule) -> bool:
    mails = [one for one in world.messages if one["contact_key"] == str(person.id) and _spoken_of(one, rule)]
    since = NOON - timedelta(days=rule["days"]) if rule.get("days") else None
    got = [one for one in mails if one["state"] == "sent" and (since is None or one["settled_at"] >= since)]
    what = rule["history"]
    if what in ("got", "not_got"):
        return bool(got) == (what == "got")
    if what in ("unread", "unclicked"):
        return bool(got) and not _answers(world, got, what[2:], rule)
    return any(since is None or one["at"] >= since for one in _answers(world, mails, what.removesuffix("ed"), rule))


def _spoken_of(message: Rule, rule: Rule) -> bool:
    template, kind = MAILINGS[message["mailing_id"]]
    if rule.get("mailing"):
        return bool(message["mailing_id"] == rule["mailing"])
    return kind not in ("test", "service") and rule.get("template") in (None, template)


def _answers(world: World, mails: Iterable[Rule], what: str, rule: Rule) -> list[Rule]:
    kinds = {"read": {"open", "click", "reply"}, "bounc": {"bounce"}}.get(what, {"click"})
    ids = {one["id"] for one in mails}
    return [
        one
        for one in world.events
        if one["message_id"] in ids
        and one["kind"] in kinds
        and not one["by_machine"]
        and (rule.get("link") is None or (one["link_id"] and LINKS[one["link_id"]][1] == rule["link"]))
    ]


# --- Fields ------------------------------------------------------------------------------------------------------


def _field(world: World, person: Any, rule: Rule) -> bool:
    path = rule["field"]
    if rule["op"].endswith("changed_in_last"):
        changed = _compared(_value(person, f"{path}_changed"), "in_last", rule["value"])
        return changed != rule["op"].startswith("not_")
    if path == "account" and rule["op"] in ("between", "at_least", "at_most"):
        return _in_codes(person.account, rule["op"], rule["value"])
    return _compared(_value(person, path), rule["op"], rule.get("value"))


_KINDS: dict[str, Callable[[World, Any, Rule], bool]] = {
    "field": _field,
    "related": _related,
    "condition": lambda world, person, rule: person.balance is not None and person.balance > 0,
    "opt_out": _opt_out,
    "history": _history,
    "criterion": lambda world, person, rule: (
        holds(world, person, CRITERIA[rule["criterion"]]) == (rule.get("op", "found") == "found")
    ),
    "list": _list,
}


def _value(row: Any, path: str) -> Any:
    for name in path.split("."):
        row = None if row is None else getattr(row, name)
    if isinstance(row, datetime):
        return (row if row.tzinfo else row.replace(tzinfo=UTC)).astimezone(UTC).date()
    return row


def _in_codes(value: str | None, op: str, given: Any) -> bool:
    bounds = [_code(one) for one in (given if isinstance(given, list) else [given])]
    mine = _code(value or "")
    if mine is None or mine[0] != bounds[0][0]:
        return False
    low = bounds[0][1] if op != "at_most" else 0
    return low <= mine[1] and (op == "at_least" or mine[1] <= bounds[-1][1])


def _code(text: str) -> Any:
    digits = re.search(r"[0-9]+\Z", text)
    return (text[: digits.start()], int(digits[0])) if digits else None


def _compared(value: Any, op: str, given: Any) -> bool:
    if op in ("is_empty", "is_not_empty"):
        return (value is None or value == "") == (op == "is_empty")
    if op in ("is_not", "not_in", "not_contains"):
        return not _compared(value, {"is_not": "is", "not_in": "in", "not_contains": "contains"}[op], given)
    if value is None:
        return False
    if op in ("is_true", "is_false"):
        return bool(value) == (op == "is_true")
    if isinstance(value, date):
        return _of_day(value, op, given)
    return _against(value, op, _like(value, given))


def _like(value: Any, given: Any) -> Any:
    if isinstance(given, list):
        return [_like(value, one) for one in given]
    return Decimal(str(given)) if isinstance(value, int | Decimal) else given


def _against(value: Any, op: str, given: Any) -> bool:
    if op in ("contains", "starts_with", "ends_with"):
        text, part = value.lower(), given.lower()
        return {"contains": part in text, "starts_with": text.startswith(part), "ends_with": text.endswith(part)}[op]
    if op == "in":
        return value in given
    if op == "between":
        return bool(given[0] <= value <= given[1])
    signs = {
        "is": value == given,
        "less": value < given,
        "more": value > given,
        "at_most": value <= given,
        "at_least": value >= given,
    }
    return bool(signs[op])


# --- Days: each is looked at one by one --------------------------------------------------------------------------


def _of_day(value: date, op: str, given: Any) -> bool:
    if op.startswith("anniversary_"):
        spans = {"today": (TODAY, TODAY), "this_week": _week(), "this_month": _month(), "in_next": (TODAY, None)}
        first, last = spans[op.removeprefix("anniversary_")]
        last = last or _later(int(given[0]), given[1])
        every = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return any(_comes_round(value, day) for day in every)
    if op in ("in_last", "longer_ago"):
        edge = _later(-int(given[0]), given[1])
        return edge <= value <= TODAY if op == "in_last" else value < edge
    if op in ("in_next", "further_ahead"):
        edge = _later(int(given[0]), given[1])
        return TODAY <= value <= edge if op == "in_next" else value > edge
    periods = {"today": (TODAY, TODAY), "this_week": _week(), "this_month": _month()}
    if op in periods:
        return periods[op][0] <= value <= periods[op][1]
    if op == "this_year":
        return value.year == TODAY.year
    days = [date.fromisoformat(one) for one in (given if isinstance(given, list) else [given])]
    return {
        "on": value == days[0],
        "before": value < days[0],
        "after": value > days[0],
        "between": days[0] <= value <= days[-1],
    }[op]


def _comes_round(value: date, day: date) -> bool:
    if (value.month, value.day) == (2, 29) and not calendar.isleap(day.year):
        return (day.month, day.day) == (2, 28)
    return (value.month, value.day) == (day.month, day.day)


def _week() -> tuple[date, date]:
    year, week, _ = TODAY.isocalendar()
    return date.fromisocalendar(year, week, 1), date.fromisocalendar(year, week, 7)


def _month() -> tuple[date, date]:
    return TODAY.replace(day=1), TODAY.replace(day=calendar.monthrange(TODAY.year, TODAY.month)[1])


def _later(number: int, unit: str) -> date:
    if unit in ("days", "weeks"):
        return TODAY + timedelta(**{unit: number})
    months = TODAY.month - 1 + number * (12 if unit == "years" else 1)
    year, month = TODAY.year + months // 12, months % 12 + 1
    return date(year, month, min(TODAY.day, calendar.monthrange(year, month)[1]))
