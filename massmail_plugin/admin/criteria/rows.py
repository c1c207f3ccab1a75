"""What the screens of criteria read and change in the tables: the list with its use, what uses one, a copy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from massmail_plugin.audience.contacts.summaries import ContactSummary
from massmail_plugin.audience.criteria.counting import count, sample
from massmail_plugin.audience.criteria.saved_criteria import askers
from massmail_plugin.audience.criteria.words import sentence
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.errors import MassMailError
from massmail_plugin.models import Criterion, List, Mailing
from massmail_plugin.vocabulary import UNCOUNTED

SAMPLE = 10
MOST_MAILINGS = 20


def table() -> Select[Any]:
    """Criteria by name."""
    return select(Criterion).order_by(func.lower(Criterion.name))


# --- Who uses it ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Use:
    """What uses a criterion: `mailings` with tests (`newest` without, at most 20), lists it keeps, other criteria."""

    mailings: int = 0
    newest: Sequence[Mailing] = ()
    lists: Sequence[List] = ()
    criteria: Sequence[Criterion] = ()

    @property
    def free(self) -> bool:
        return not (self.mailings or self.lists or self.criteria)

    @property
    def words(self) -> str:
        """Such as: 2 mailings, 1 list; empty where nothing uses it."""
        kinds = (("mailing", self.mailings), ("list", len(self.lists)), ("criterion", len(self.criteria)))
        plural = {"criterion": "criteria"}
        counted = [(number, kind if number == 1 else plural.get(kind, f"{kind}s")) for kind, number in kinds if number]
        return ", ".join(f"{number:,} {kind}" for number, kind in counted)


def uses(host: Host, criteria: Iterable[Criterion]) -> dict[int, Use]:
    """Criterion -> what uses it, without the newest mailings: three reads for all of them."""
    asked = list(criteria)
    ids = [one.id for one in asked]
    per_criterion = select(Mailing.criterion_id, func.count()).where(Mailing.criterion_id.in_(ids))
    mailings = dict(host.session.execute(per_criterion.group_by(Mailing.criterion_id)).all())
    lists: dict[int | None, list[List]] = {}
    for list_ in host.session.scalars(select(List).where(List.criterion_id.in_(ids)).order_by(List.name)):
        lists.setdefault(list_.criterion_id, []).append(list_)
    others: dict[int, list[Criterion]] = {}
    for source in {one.contact_source for one in asked}:
        others |= askers(host, source, [one.id for one in asked if one.contact_source == source])
    return {id_: Use(mailings.get(id_, 0), (), lists.get(id_, ()), others[id_]) for id_ in ids}


def use(host: Host, criterion: Criterion) -> Use:
    """What uses one criterion."""
    found = uses(host, [criterion])[criterion.id]
    told = Mailing.criterion_id == criterion.id, Mailing.kind.not_in([kind.value for kind in UNCOUNTED])
    newest = host.session.scalars(select(Mailing).where(*told).order_by(Mailing.id.desc()).limit(MOST_MAILINGS))
    return Use(found.mailings, list(newest), found.lists, found.criteria)


# --- Names and copies -------------------------------------------------------------------------------------------


def name_taken(host: Host, name: str, but: Criterion | None) -> bool:
    """Whether another criterion has this name."""
    query = select(Criterion.id).where(func.lower(Criterion.name) == name.lower())
    return any(found != (but.id if but else None) for found in host.session.scalars(query))


def copy(host: Host, criterion: Criterion) -> Criterion:
    """A second one with the same rule and a name of its own."""
    now = host.clock()
    made = Criterion(
        name=_free_name(host, criterion.name),
        description=criterion.description,
        contact_source=criterion.contact_source,
        rule=criterion.rule,
        created_at=now,
        updated_at=now,
    )
    host.session.add(made)
    host.session.flush()
    return made


def _free_name(host: Host, name: str) -> str:
    number, wanted = 1, f"Copy of {name}"[:200]
    while name_taken(host, wanted, None):
        number += 1
        wanted = f"Copy {number} of {name}"[:200]
    return wanted


# --- Whom it finds ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finds:
    """Whom a rule finds: its sentence, how many of all, the first few by name; or why that cannot be said."""

    words: str
    number: int = 0
    whole: int = 0
    people: tuple[ContactSummary, ...] = ()
    problem: str = ""
    counted: bool = True
    """False: the sentence alone. The page comes at once, and fetches the rest beside."""


def finds(
    host: Host, source: ContactSource, rule: Mapping[str, Any] | None, *, people: bool, counting: bool = True
) -> Finds:
    """Count and sample for a rule (None: everybody); without `counting` the sentence alone."""
    said = ""
    try:
        said = sentence(host, source, rule)
        if not counting:
            return Finds(said, counted=False)
        return Finds(
            said,
            count(host, source, rule),
            count(host, source, None),
            tuple(sample(host, source, rule, SAMPLE)) if people else (),
        )
    except MassMailError as error:
        return Finds(said, problem=str(error))


def words(host: Host, criterion: Criterion) -> str:
    """Its rule as a sentence, or why it can no longer be read."""
    try:
        return sentence(host, host.source(criterion.contact_source), criterion.rule)
    except MassMailError as error:
        return f"Cannot be used any more: {error}"
