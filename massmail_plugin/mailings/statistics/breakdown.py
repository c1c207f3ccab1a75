"""A mailing's numbers by recipient domain, list and reason, as they were last counted. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import Breakdown, Chunk, List
from massmail_plugin.vocabulary import BreakdownBy

LARGEST = 50


@dataclass(frozen=True)
class ListPart:
    """The part of a list in a mailing."""

    name: str
    numbers: Breakdown


def by_domain(host: Host, mailing_id: int, *, limit: int = LARGEST) -> Sequence[Breakdown]:
    """The domains with the most recipients."""
    query = _parts(mailing_id, BreakdownBy.DOMAIN).order_by(Breakdown.recipients.desc(), Breakdown.name).limit(limit)
    return host.session.scalars(query).all()


def domains(host: Host, mailing_id: int) -> int:
    """How many domains a mailing goes to."""
    rows = _parts(mailing_id, BreakdownBy.DOMAIN).subquery()
    return host.session.scalar(select(func.count()).select_from(rows)) or 0


def by_list(host: Host, mailing_id: int) -> list[ListPart]:
    """The lists the recipients were found on; each counts at the first of its lists."""
    parts = host.session.scalars(_parts(mailing_id, BreakdownBy.LIST)).all()
    names = dict(host.session.execute(select(List.id, List.name)).all())
    found = [ListPart(names.get(int(part.name), "") if part.name else "", part) for part in parts]
    return sorted(found, key=lambda part: (-part.numbers.recipients, part.name))


def reasons(host: Host, mailing_id: int, state: str) -> dict[str, int]:
    """How many messages are in `state` (refused or skipped) for each reason, the most frequent first."""
    found = {
        part.name.partition(":")[2]: part.refused + part.skipped
        for part in host.session.scalars(_parts(mailing_id, BreakdownBy.REASON))
        if part.name.partition(":")[0] == state and part.refused + part.skipped
    }
    return dict(sorted(found.items(), key=lambda it: (-it[1], it[0])))


def whole(host: Host, mailing_id: int) -> Breakdown | None:
    """All of a mailing in one row."""
    return host.session.get(Breakdown, (mailing_id, BreakdownBy.ALL.value, ""))


def uncounted(host: Host, mailing_id: int) -> int:
    """Recipients whose messages changed and were not counted since; a worker has them, or will in a moment."""
    rows = Chunk.planned + Chunk.deferred + Chunk.sent + Chunk.refused + Chunk.uncertain + Chunk.cancelled
    waiting = select(func.coalesce(func.sum(rows), 0)).where(Chunk.mailing_id == mailing_id, Chunk.uncounted)
    return int(host.session.scalar(waiting) or 0)


def _parts(mailing_id: int, by: BreakdownBy) -> Select[Any]:
    return select(Breakdown).where(Breakdown.mailing_id == mailing_id, Breakdown.by == by.value)
