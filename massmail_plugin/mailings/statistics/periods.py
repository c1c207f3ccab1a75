"""The mailings of some time together: by sender, template, list and recipient domain, and each of a template's. Reads
only.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from massmail_plugin.contracts import Host
from massmail_plugin.mailings.statistics.overview import Numbers, overview
from massmail_plugin.models import Breakdown, List, Mailing, Sender, Template, TemplateVersion
from massmail_plugin.portable_sql import one_of
from massmail_plugin.vocabulary import UNCOUNTED, BreakdownBy

COUNTS = [one.name for one in fields(Numbers)]
MOST_MAILINGS = 1000
LARGEST = 50
_OF_BREAKDOWN = {
    name: {"failed": "refused", "machine_opens": "proxied", "machine_clicks": "scanned"}.get(name, name)
    for name in COUNTS
}


@dataclass(frozen=True)
class Group:
    """Some mailings together; `id` is the sender's, template's or list's (None: there is none)."""

    id: int | None
    name: str
    mailings: int
    numbers: Numbers


@dataclass(frozen=True)
class Period:
    """The mailings launched in some time, tests left out; at most the newest 1,000."""

    mailing_ids: Sequence[int]
    numbers: dict[int, Numbers]
    whole: Numbers
    more: bool


@dataclass(frozen=True)
class Run:
    """One use of a template: the mailing, the version it went out with, and its numbers."""

    mailing: Mailing
    version: int | None
    numbers: Numbers


def period(host: Host, since: datetime, until: datetime) -> Period:
    """The mailings launched from `since` on and before `until`, with their numbers now."""
    query = (
        select(Mailing.id)
        .where(Mailing.kind.not_in(UNCOUNTED), Mailing.launched_at >= since, Mailing.launched_at < until)
        .order_by(Mailing.launched_at.desc(), Mailing.id.desc())
        .limit(MOST_MAILINGS + 1)
    )
    found = list(host.session.scalars(query))
    numbers = overview(host, found[:MOST_MAILINGS])
    return Period(found[:MOST_MAILINGS], numbers, together(numbers.values()), len(found) > MOST_MAILINGS)


def together(numbers: Iterable[Numbers]) -> Numbers:
    """The sum."""
    every = list(numbers)
    return Numbers(**{name: sum(getattr(one, name) for one in every) for name in COUNTS})


def by_sender(host: Host, span: Period) -> list[Group]:
    """The mailings of each sender, the largest first."""
    return _grouped(
        host, span, select(Mailing.id, Sender.id, Sender.name).outerjoin(Sender, Sender.id == Mailing.sender_id)
    )


def by_template(host: Host, span: Period) -> list[Group]:
    """The mailings of each template, the largest first."""
    on = Template.id == Mailing.template_id
    return _grouped(host, span, select(Mailing.id, Template.id, Template.name).outerjoin(Template, on))


def _grouped(host: Host, span: Period, whose: Any) -> list[Group]:
    groups: dict[tuple[int | None, str], list[Numbers]] = defaultdict(list)
    for mailing_id, id_, name in host.session.execute(whose.where(one_of(Mailing.id, span.mailing_ids))):
        groups[id_, name or ""].append(span.numbers[mailing_id])
    found = [Group(id_, name, len(every), together(every)) for (id_, name), every in groups.items()]
    return sorted(found, key=lambda group: (-group.numbers.recipients, group.name))


def by_list(host: Host, span: Period) -> list[Group]:
    """Each list's recipients, as last counted; somebody on several lists counts at the first of a mailing's."""
    names = dict(host.session.execute(select(List.id, List.name)).all())
    rows = host.session.execute(_parts(span, BreakdownBy.LIST))
    found = [_group(row, int(row.name) if row.name else None, names.get(int(row.name or 0), "")) for row in rows]
    return sorted(found, key=lambda group: (-group.numbers.recipients, group.name))


def by_domain(host: Host, span: Period, *, limit: int = LARGEST) -> list[Group]:
    """The recipient domains with the most recipients, as last counted."""
    domains = Breakdown.by == BreakdownBy.DOMAIN.value, one_of(Breakdown.mailing_id, span.mailing_ids)
    largest = func.sum(Breakdown.recipients).desc()
    names = select(Breakdown.name).where(*domains).group_by(Breakdown.name).order_by(largest, Breakdown.name)
    query = _parts(span, BreakdownBy.DOMAIN).where(
        one_of(Breakdown.name, list(host.session.scalars(names.limit(limit))))
    )
    found = [_group(row, None, row.name) for row in host.session.execute(query)]
    return sorted(found, key=lambda group: (-group.numbers.recipients, group.name))


def _parts(span: Period, by: BreakdownBy) -> Select[Any]:
    sums = (func.sum(getattr(Breakdown, part)).label(name) for name, part in _OF_BREAKDOWN.items())
    return (
        select(Breakdown.name, func.count().label("mailings"), *sums)
        .where(one_of(Breakdown.mailing_id, span.mailing_ids), Breakdown.by == by.value)
        .group_by(Breakdown.name)
    )


def _group(row: Any, id_: int | None, name: str) -> Group:
    return Group(id_, name, row.mailings, Numbers(**{count: int(getattr(row, count)) for count in COUNTS}))


def runs_of(host: Host, template: Template, *, before: int | None = None, limit: int = 25) -> list[Run]:
    """The mailings a template went out with, tests among them, the newest first; those with an id below `before`."""
    query = (
        select(Mailing, TemplateVersion.number)
        .outerjoin(TemplateVersion, TemplateVersion.id == Mailing.version_id)
        .where(Mailing.template_id == template.id, Mailing.launched_at.is_not(None))
        .order_by(Mailing.id.desc())
        .limit(limit)
    )
    rows = host.session.execute(query if before is None else query.where(Mailing.id < before)).all()
    numbers = overview(host, [mailing.id for mailing, _ in rows])
    return [Run(mailing, version, numbers[mailing.id]) for mailing, version in rows]
