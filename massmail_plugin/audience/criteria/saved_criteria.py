"""Saved criteria that ask for one another: found by their number, never in a circle. Reads only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from massmail_plugin.audience.criteria.rule_json import parse
from massmail_plugin.audience.criteria.rules import CriterionRule, ListRule, Rule, walk
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.errors import RuleError
from massmail_plugin.models import Criterion, List

LONGEST_TRAIL = 8
"""How many criteria may stand in one another."""
MOST_RULES = 2000
"""Rules in a criterion and all that it asks for."""


class Trail:
    """The criteria on the way to where we are, by number, and how many rules were read in all."""

    def __init__(self, above: tuple[int, ...] = (), read: list[int] | None = None) -> None:
        self.above = above
        self.read = [0] if read is None else read

    def on(self, criterion_id: int) -> "Trail":
        return Trail((*self.above, criterion_id), self.read)

    def count(self, rule: Rule) -> None:
        """Count the rules of a criterion that is read on the way. Raises RuleError where they become too many."""
        self.read[0] += sum(1 for _ in walk(rule))
        if self.read[0] > MOST_RULES:
            raise RuleError(
                f"With all the criteria it asks for, a criterion may hold {MOST_RULES} rules. Make it smaller."
            )


def inner_rule(host: Host, source: ContactSource, rule: CriterionRule, trail: Trail) -> tuple[Trail, Rule]:
    """The rule of the criterion that a rule asks for, and the trail within it.

    Raises RuleError where there is none, where it is for other contacts, and where it asks for itself.
    """
    saved = criterion_of(host, rule.criterion_id)
    if saved.contact_source != source.source_name:
        raise RuleError(f"The criterion “{saved.name}” is about other contacts ({saved.contact_source}).")
    if saved.id in trail.above:
        raise RuleError(f"The criterion “{saved.name}” asks for itself in the end. Take it out of what it asks for.")
    if len(trail.above) >= LONGEST_TRAIL:
        raise RuleError(f"Criteria may stand in one another {LONGEST_TRAIL} deep at the most; see “{saved.name}”.")
    inner = parse(saved.rule)
    trail.count(inner)
    return trail.on(saved.id), inner


def criterion_of(host: Host, criterion_id: int) -> Criterion:
    """A saved criterion. Raises RuleError where it is gone."""
    saved = host.session.get(Criterion, criterion_id)
    if saved is None:
        raise RuleError(f"The criterion number {criterion_id} is not there any more. Choose another.")
    return saved


# --- Who asks for whom ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What a rule asks for by number."""

    criteria: frozenset[int] = frozenset()
    lists: frozenset[int] = frozenset()


def asked_for(rule: object) -> Asked:
    """The criteria and lists a rule names itself; nothing for a rule that cannot be read."""
    try:
        rules = list(walk(parse(rule)))
    except RuleError:
        return Asked()
    criteria = frozenset(one.criterion_id for one in rules if isinstance(one, CriterionRule))
    lists = frozenset(number for one in rules if isinstance(one, ListRule) for number in one.list_ids)
    return Asked(criteria, lists)


def askers(host: Host, source_name: str, criterion_ids: Iterable[int]) -> dict[int, list[Criterion]]:
    """Criterion -> the criteria that ask for it, by name."""
    wanted = {number: list[Criterion]() for number in criterion_ids}
    query = select(Criterion).where(Criterion.contact_source == source_name).order_by(Criterion.name)
    for one in host.session.scalars(query):
        for number in asked_for(one.rule).criteria & wanted.keys():
            wanted[number].append(one)
    return wanted


def askers_of_list(host: Host, list_id: int) -> list[Criterion]:
    """The criteria that ask who is on a list, by name."""
    return [
        one
        for one in host.session.scalars(select(Criterion).order_by(Criterion.name))
        if list_id in asked_for(one.rule).lists
    ]


def leads_to(host: Host, rule: object, criterion_id: int) -> bool:
    """Whether a rule asks for a criterion, itself or through other criteria and the lists that criteria keep."""
    known = _Circles(host)
    return criterion_id in known.reached(known.named(rule))


def leading_to(host: Host, criterion_id: int) -> set[int]:
    """The criteria that ask for a criterion in this way."""
    known = _Circles(host)
    return {one for one, asked in known.asks.items() if criterion_id in known.reached(asked)}


class _Circles:
    """Which criteria ask for which, all of them read once."""

    def __init__(self, host: Host) -> None:
        keepers = select(List.id, List.criterion_id).where(List.criterion_id.is_not(None))
        self._keepers: Mapping[int, Any] = dict(host.session.execute(keepers).all())
        rules = host.session.execute(select(Criterion.id, Criterion.rule))
        self.asks = {id_: self.named(rule) for id_, rule in rules}

    def named(self, rule: object) -> frozenset[int]:
        """The criteria a rule asks for itself, or by a list that they keep."""
        asked = asked_for(rule)
        return asked.criteria | {self._keepers[one] for one in asked.lists if one in self._keepers}

    def reached(self, start: Iterable[int]) -> set[int]:
        waiting, seen = list(start), set[int]()
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                waiting += self.asks.get(one, ())
        return seen
