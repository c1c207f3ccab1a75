"""The rules that ask our own tables (lists, opt-outs, mailing history, saved criteria), read from JSON.

Nothing is looked up here, nothing is committed.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from massmail_plugin.audience.criteria.rules import (
    CriterionRule,
    Got,
    HistoryRule,
    ListRule,
    OnList,
    OptOut,
    OptOutRule,
)
from massmail_plugin.errors import RuleError, nearest

LARGEST = 2**31 - 1
MOST_LISTS = 100
MOST_DAYS = 36_500
LONGEST_LINK = 2000

Word = TypeVar("Word", bound=StrEnum)


def of_lists(rule: Mapping[str, Any]) -> ListRule:
    """{"list": 5 or [5, 6], "op": "on" | "off" | "left"}"""
    given = rule["list"]
    several = list(given) if isinstance(given, list | tuple) else [given]
    if not 0 < len(several) <= MOST_LISTS:
        raise RuleError(f"Choose 1 to {MOST_LISTS} lists.")
    ids = tuple(dict.fromkeys(_number("list", one) for one in several))
    return ListRule(_word(OnList, rule.get("op", OnList.ON)), ids)


def of_opt_out(rule: Mapping[str, Any]) -> OptOutRule:
    """{"opt_out": "opted_out" | "stopped" | "not_...", "list" or "topic": 5 where it is about one}"""
    list_id, topic_id = _optional("list", rule), _optional("topic", rule)
    if list_id is not None and topic_id is not None:
        raise RuleError("Ask for the opt-out of a list or of a topic, not of both in one rule.")
    return OptOutRule(_word(OptOut, rule["opt_out"]), list_id, topic_id)


def of_history(rule: Mapping[str, Any]) -> HistoryRule:
    """{"history": "got" | "read" | ..., "mailing" or "template": 5, "link": address, "days": 30}"""
    op = _word(Got, rule["history"])
    mailing_id, template_id = _optional("mailing", rule), _optional("template", rule)
    if mailing_id is not None and template_id is not None:
        raise RuleError("Ask for the mails of a mailing or of a template, not of both in one rule.")
    link = rule.get("link")
    if link is not None and (op is not Got.CLICKED or not isinstance(link, str) or not 0 < len(link) <= LONGEST_LINK):
        raise RuleError("A link can be named where clicks are asked for: the address it leads to, as a text.")
    return HistoryRule(op, mailing_id, template_id, link, _days(rule.get("days")))


def of_criterion(rule: Mapping[str, Any]) -> CriterionRule:
    """{"criterion": 5, "op": "found" | "not_found"}"""
    op = rule.get("op", "found")
    if op not in ("found", "not_found"):
        raise RuleError(f"A criterion finds a contact or does not; “{str(op)[:50]}” is neither found nor not_found.")
    return CriterionRule(_number("criterion", rule["criterion"]), op == "found")


def _word(words: type[Word], given: object) -> Word:
    found = next((word for word in words if word == given), None)
    if found is None:
        raise RuleError(f"A rule cannot ask for “{str(given)[:50]}”. {nearest(str(given)[:50], list(words))}")
    return found


def _optional(what: str, rule: Mapping[str, Any]) -> int | None:
    return None if rule.get(what) is None else _number(what, rule[what])


def _number(what: str, given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 0 < given <= LARGEST:
        raise RuleError(f"A {what} is named by its number; this is {str(given)[:50]!r}.")
    return given


def _days(given: object) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or not 0 < given <= MOST_DAYS:
        raise RuleError(f"Mailing history is asked for the last 1 to {MOST_DAYS:,} days; this is {str(given)[:50]!r}.")
    return given
