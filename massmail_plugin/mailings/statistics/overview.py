"""The numbers of many mailings at once, for lists of mailings. Screens and CLI enter; nothing is committed."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import func, select

from massmail_plugin.contracts import Host
from massmail_plugin.mailings.statistics.responses import Responses, responses_of
from massmail_plugin.models import Chunk
from massmail_plugin.portable_sql import one_of


@dataclass(frozen=True)
class Numbers(Responses):
    """How many mails were meant to leave, what became of them, and how they were answered (by people)."""

    recipients: int = 0
    sent: int = 0
    failed: int = 0
    skipped: int = 0


def overview(host: Host, mailing_ids: Sequence[int]) -> dict[int, Numbers]:
    """The numbers of each mailing: one read of chunks, one of tallies, one of opt-outs."""
    sent = {row.mailing_id: row for row in host.session.execute(_chunks(mailing_ids))}
    answered = responses_of(host, mailing_ids)
    return {one: _numbers(sent.get(one), answered[one]) for one in mailing_ids}


def _numbers(sent: Any, answered: Responses) -> Numbers:
    own = {one.name: getattr(answered, one.name) for one in fields(Responses)}
    if sent is None:
        return Numbers(**own)
    return Numbers(**own, **{name: int(getattr(sent, name)) for name in ("recipients", "sent", "failed", "skipped")})


def _chunks(mailing_ids: Sequence[int]) -> Any:
    meant = Chunk.planned + Chunk.deferred + Chunk.sent + Chunk.refused + Chunk.uncertain + Chunk.cancelled
    sums = {"recipients": meant, "sent": Chunk.sent, "failed": Chunk.refused, "skipped": Chunk.skipped}
    return (
        select(Chunk.mailing_id, *(func.sum(number).label(name) for name, number in sums.items()))
        .where(one_of(Chunk.mailing_id, mailing_ids))
        .group_by(Chunk.mailing_id)
    )
