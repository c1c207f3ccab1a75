"""An evaluation of rules in plain Python, written apart from the SQL: what the property test compares with."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.consent.small_host import NOON, Person

TODAY = NOON.date()


def holds(person: Person, rule: dict[str, Any]) -> bool:
    """Whether the rule is true for a person as the host's objects show them."""
    if "all" in rule:
        return all(holds(person, one) for one in rule["all"])
    if "any" in rule:
        return any(holds(person, one) for one in rule["any"])
    if "none" in rule:
        return not any(holds(person, one) for one in rule["none"])
    if "related" in rule:
        rows = getattr(person, rule["related"])
        return sum(1 for row in rows if not rule.get("has") or holds(row, rule["has"])) >= rule.get("min", 1)
    if "condition" in rule:
        return person.balance is not None and person.balance > 0
    return _compared(_value(person, rule["field"]), rule["op"], rule.get("value"))


def _value(row: Any, path: str) -> Any:
    for name in path.split("."):
        row = None if row is None else getattr(row, name)
    if isinstance(row, datetime):
        return (row if row.tzinfo else row.replace(tzinfo=UTC)).astimezone(UTC).date()
    return row


def _compared(value: Any, op: str, given: Any) -> bool:
    if op in ("is_empty", "is_not_empty"):
        return (value is None or value == "") == (op == "is_empty")
    if op in ("is_not", "not_in", "not_contains"):
        return not _compared(value, {"is_not": "is", "not_in": "in", "not_contains": "contains"}[op], given)
    if value is None:
        return False
    if op in ("is_true", "is_false"):
        return bool(value) == (op == "is_true")
    if op.endswith("days"):
        return _relative(value, op, timedelta(days=int(given)))
    return _against(value, op, _like(value, given))


def _like(value: Any, given: Any) -> Any:
    if isinstance(given, list):
        return [_like(value, one) for one in given]
    if isinstance(value, date):
        return date.fromisoformat(given)
    return Decimal(str(given)) if isinstance(value, int | Decimal) else given


def _relative(value: date, op: str, span: timedelta) -> bool:
    if op == "in_last_days":
        return TODAY - span <= value <= TODAY
    return TODAY <= value <= TODAY + span if op == "in_next_days" else value < TODAY - span


def _against(value: Any, op: str, given: Any) -> bool:
    if op in ("is", "on"):
        return bool(value == given)
    if op in ("contains", "starts_with", "ends_with"):
        text, part = value.lower(), given.lower()
        return {"contains": part in text, "starts_with": text.startswith(part), "ends_with": text.endswith(part)}[op]
    if op == "in":
        return value in given
    if op == "between":
        return bool(given[0] <= value <= given[1])
    return bool(
        value < given
        if op in ("less", "before")
        else value > given
        if op in ("more", "after")
        else value <= given
        if op == "at_most"
        else value >= given
    )
