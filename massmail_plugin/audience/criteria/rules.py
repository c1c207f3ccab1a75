"""The tree of a criterion as values, not yet held against a host's fields; `rule_json` reads it. Commits nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

MAX_DEPTH = 3
"""How deep groups may stand in one another, also within `has`."""
MAX_RULES = 200

GroupKind = Literal["all", "any", "none"]
GROUP_KINDS: tuple[GroupKind, ...] = ("all", "any", "none")


class Rows(StrEnum):
    """How many of a contact's related rows must fit."""

    ANY = "any"
    ALL = "all"
    """There is a row, and every row fits."""
    NONE = "none"
    COUNT = "count"
    LATEST = "latest"


class OnList(StrEnum):
    """How a contact stands to lists."""

    ON = "on"
    """On at least one of them: subscribed, or found by its criterion and not unsubscribed."""
    OFF = "off"
    LEFT = "left"
    """Unsubscribed from at least one of them."""


class OptOut(StrEnum):
    """What a contact wants, or what stops mail to it."""

    OPTED_OUT = "opted_out"
    NOT_OPTED_OUT = "not_opted_out"
    STOPPED = "stopped"
    """Opted out, complained, bounced, paused, or stopped by a person."""
    NOT_STOPPED = "not_stopped"


class Got(StrEnum):
    """What became of mails to a contact. Opens, clicks and answers count where a person did them."""

    GOT = "got"
    NOT_GOT = "not_got"
    READ = "read"
    UNREAD = "unread"
    """Got some, and read none of them."""
    CLICKED = "clicked"
    UNCLICKED = "unclicked"
    """Got some, and clicked in none of them."""
    BOUNCED = "bounced"


@dataclass(frozen=True)
class Group:
    """True where all, any or none of its rules are. An empty `all` is everybody."""

    kind: GroupKind
    rules: tuple["Rule", ...]


@dataclass(frozen=True)
class FieldRule:
    """A field (its path) compared by an operator with a value as JSON gave it."""

    field: str
    op: str
    value: Any = None


@dataclass(frozen=True)
class RelatedRule:
    """Related rows for which `has` is true (None: any row); for COUNT, from `minimum` to `maximum` of them."""

    related: str
    rows: Rows = Rows.ANY
    has: "Rule | None" = None
    minimum: int = 1
    maximum: int | None = None


@dataclass(frozen=True)
class ConditionRule:
    """A criterion the host wrote in code."""

    condition: str


@dataclass(frozen=True)
class ListRule:
    """How the contact stands to lists."""

    op: OnList
    list_ids: tuple[int, ...]


@dataclass(frozen=True)
class OptOutRule:
    """What stops mail to the contact: everywhere, or also to one list or about one topic."""

    op: OptOut
    list_id: int | None = None
    topic_id: int | None = None


@dataclass(frozen=True)
class HistoryRule:
    """What became of mails: of any mailing, of one, or of all of one template; in the last `days`.

    `link` narrows clicks to links that lead to this address.
    """

    op: Got
    mailing_id: int | None = None
    template_id: int | None = None
    link: str | None = None
    days: int | None = None


@dataclass(frozen=True)
class CriterionRule:
    """Whether another saved criterion finds the contact."""

    criterion_id: int
    found: bool = True


Leaf = FieldRule | RelatedRule | ConditionRule | ListRule | OptOutRule | HistoryRule | CriterionRule
Rule = Group | Leaf
EVERYBODY = Group("all", ())


def walk(rule: Rule) -> Iterator[Rule]:
    """The rule and everything below it."""
    yield rule
    below = rule.rules if isinstance(rule, Group) else (rule.has,) if isinstance(rule, RelatedRule) and rule.has else ()
    for inner in below:
        yield from walk(inner)
