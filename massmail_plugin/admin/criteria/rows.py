"""What the screens of criteria read and change in the tables: the list with its use, what uses one, a copy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from massmail_plugin.audience.contacts import ContactSummary
from massmail_plugin.audience.counting import count, sample
from massmail_plugin.audience.words import sentence
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.errors import MassMailError
from massmail_plugin.models import Criterion, Mailing
from massmail_plugin.vocabulary import MailingKind

SAMPLE = 10


def table() -> Select[Any]:
    """(Criterion, number of mailings that use it) by name."""
    used = select(func.count()).where(_uses(Criterion.id)).correlate(Criterion).scalar_subquery()
    return select(Criterion, used).order_by(func.lower(Criterion.name))


def mailings(host: Host, criterion: Criterion, most: int = 20) -> list[Mailing]:
    """The newest mailings that use it; tests are left out."""
    query = select(Mailing).where(_uses(criterion.id), Mailing.kind != MailingKind.TEST)
    return list(host.session.scalars(query.order_by(Mailing.id.desc()).limit(most)))


def use(host: Host, criterion: Criterion) -> int:
    """How many mailings use it, tests included: none may lose it."""
    return host.session.scalar(select(func.count()).where(_uses(criterion.id))) or 0


def _uses(criterion_id: Any) -> Any:
    return Mailing.criterion_id == criterion_id


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


@dataclass(frozen=True)
class Finds:
    """Whom a rule finds: its sentence, how many of all, the first few by name; or why that cannot be said."""

    words: str
    number: int = 0
    whole: int = 0
    people: tuple[ContactSummary, ...] = ()
    problem: str = ""


def finds(host: Host, source: ContactSource, rule: Mapping[str, Any] | None, *, people: bool) -> Finds:
    """Count and sample for a rule (None: everybody)."""
    try:
        return Finds(
            sentence(host, source, rule),
            count(host, source, rule),
            count(host, source, None),
            tuple(sample(host, source, rule, SAMPLE)) if people else (),
        )
    except MassMailError as error:
        return Finds("", problem=str(error))


def words(host: Host, criterion: Criterion) -> str:
    """Its rule as a sentence, or why it can no longer be read."""
    try:
        return sentence(host, host.source(criterion.contact_source), criterion.rule)
    except MassMailError as error:
        return f"Cannot be used any more: {error}"
