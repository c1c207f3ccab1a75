"""Writes outcome reports beside the results they report. Sending, feedback and opt-out enter; their doors commit."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple, cast

from sqlalchemy import Integer, String, Table, func, literal, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing, OutboxMessage, OutcomeReport
from massmail_plugin.models.base import BigId, UtcDateTime
from massmail_plugin.portable_sql import changed, dialect, moment_text, one_of, records, upsert, upsert_of
from massmail_plugin.vocabulary import NOBODY, MailingKind, Outcome, ReportState

_MESSAGE = cast(Table, OutboxMessage.__table__)
_REPORT = cast(Table, OutcomeReport.__table__)


def record(host: Host, message_id: int, outcome: Outcome, *, at: datetime, link_id: int | None = None) -> bool:
    """Report an outcome of one mail, once; True if it was news. A test mail reports nothing."""
    turn = _removal_turn(host, message_id) if outcome is Outcome.REMOVED else 0
    return turn is not None and _write(host, [message_id], outcome, at, turn=turn, link_id=link_id) == 1


def record_many(
    host: Host, message_ids: Sequence[int], outcome: Outcome, *, at: datetime, none_is_test: bool = False
) -> int:
    """Report the same outcome of many mails in one statement; the number that was news.

    `none_is_test`: the caller knows that none of them is a test mail, so that their mailings need not be looked up.
    """
    return _write(host, message_ids, outcome, at, none_is_test=none_is_test) if message_ids else 0


class Report(NamedTuple):
    """An outcome of one mail, where each has a time and a link of its own."""

    message_id: int
    outcome: Outcome
    at: datetime
    link_id: int | None = None
    turn: int = 0


def record_each(host: Host, reports: Iterable[Report]) -> int:
    """Report outcomes of many mails in one statement, each once, the earliest; the number that was news.

    Not for removals, which have turns. None of the mails is a test's. Of mails to no contact there is nobody to tell.
    """
    name = dialect(host).name
    first: dict[tuple[int, Outcome, int], Report] = {}
    for report in sorted(reports, key=attrgetter("at")):
        first.setdefault((report.message_id, report.outcome, report.turn), report)
    rows = [
        {
            "message_id": message_id,
            "outcome": outcome.value,
            "at": moment_text(name, at),
            "link_id": link_id,
            "turn": turn,
            "place": place,
        }
        for place, (message_id, outcome, at, link_id, turn) in enumerate(sorted(first.values(), key=itemgetter(0)))
    ]
    return changed(host, _each(name), {"rows": json.dumps(rows)}) if rows else 0


_GIVEN = {
    "message_id": BigId,
    "outcome": String(20),
    "at": UtcDateTime(),
    "link_id": Integer(),
    "turn": Integer(),
    "place": Integer(),
}


@cache
def _each(dialect_name: str) -> Any:
    """In the order of the mails, so that two who report the same cannot wait for each other."""
    given, message = records(dialect_name, "rows", _GIVEN).c, _MESSAGE.c
    columns = _columns(given.outcome, given.turn, given.at, given.link_id)
    rows = select(*columns.values()).join_from(_MESSAGE, given.message_id.table, message.id == given.message_id)
    new = upsert_of(dialect_name, _REPORT).on_conflict_do_nothing(index_elements=["message_id", "outcome", "turn"])
    ordered = rows.where(message.contact_key != NOBODY).order_by(given.place)
    return new.from_select(list(columns), ordered, include_defaults=False)


def record_undo(host: Host, message_id: int, *, at: datetime) -> bool:
    """Report that a removal was taken back; False if there was none to take back."""
    latest = _latest_turn(host, message_id)
    if latest is None or latest % 2 == 1:
        return False
    return _write(host, [message_id], Outcome.REMOVED, at, turn=latest + 1) == 1


def _removal_turn(host: Host, message_id: int) -> int | None:
    latest = _latest_turn(host, message_id)
    if latest is None:
        return 0
    return latest + 1 if latest % 2 == 1 else None


def _latest_turn(host: Host, message_id: int) -> int | None:
    query = select(func.max(OutcomeReport.turn)).where(
        OutcomeReport.message_id == message_id, OutcomeReport.outcome == Outcome.REMOVED.value
    )
    return host.session.scalar(query)


def _write(
    host: Host,
    message_ids: Sequence[int],
    outcome: Outcome,
    at: datetime,
    *,
    turn: int = 0,
    link_id: int | None = None,
    none_is_test: bool = False,
) -> int:
    message, report = _MESSAGE.c, _REPORT.c
    columns = _columns(
        literal(outcome.value, report.outcome.type),
        literal(turn),
        literal(at, report.at.type),
        literal(link_id, report.link_id.type),
    )
    rows = select(*columns.values()).where(one_of(message.id, message_ids), message.contact_key != NOBODY)
    if not none_is_test:
        rows = rows.join(Mailing, Mailing.id == message.mailing_id).where(Mailing.kind != MailingKind.TEST.value)
    new = upsert(host, _REPORT).on_conflict_do_nothing(index_elements=["message_id", "outcome", "turn"])
    return changed(host, new.from_select(list(columns), rows, include_defaults=False))


def _columns(outcome: Any, turn: Any, at: Any, link_id: Any) -> dict[str, Any]:
    """A report's columns, most of them copied from the row of its mail; it is due at once."""
    message = _MESSAGE.c
    return {
        "message_id": message.id,
        "mailing_id": message.mailing_id,
        "contact_source": message.contact_source,
        "contact_key": message.contact_key,
        "outcome": outcome,
        "turn": turn,
        "at": at,
        "link_id": link_id,
        "state": literal(ReportState.WAITING.value),
        "attempts": literal(0),
        "due_at": at,
        "problem": literal(""),
    }
