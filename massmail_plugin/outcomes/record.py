"""Writes outcome reports beside the results they report. Sending, feedback and opt-out enter; their doors commit."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Insert, Table, bindparam, func, literal, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing, OutboxMessage, OutcomeReport
from massmail_plugin.portable_sql import changed, dialect, upsert_of
from massmail_plugin.vocabulary import MailingKind, Outcome, ReportState


def record(host: Host, message_id: int, outcome: Outcome, *, at: datetime, link_id: int | None = None) -> bool:
    """Report an outcome of one mail, once; True if it was news. A test mail reports nothing."""
    turn = _removal_turn(host, message_id) if outcome is Outcome.REMOVED else 0
    return turn is not None and _write(host, [message_id], outcome, at, turn=turn, link_id=link_id) == 1


def record_many(host: Host, message_ids: Sequence[int], outcome: Outcome, *, at: datetime) -> int:
    """Report the same outcome of many mails in one statement; the number that was news."""
    return _write(host, message_ids, outcome, at) if message_ids else 0


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
    host: Host, message_ids: Sequence[int], outcome: Outcome, at: datetime, *, turn: int = 0, link_id: int | None = None
) -> int:
    values = {"messages": message_ids, "outcome": outcome.value, "at": at, "turn": turn, "link": link_id}
    return changed(host, _statement(dialect(host).name), values)


@cache
def _statement(dialect_name: str) -> Insert:
    """Made once, since it runs for every message that is sent."""
    message, report = OutboxMessage, OutcomeReport
    columns: dict[str, Any] = {
        "message_id": message.id,
        "mailing_id": message.mailing_id,
        "contact_source": message.contact_source,
        "contact_key": message.contact_key,
        "outcome": bindparam("outcome", type_=report.outcome.type),
        "turn": bindparam("turn", type_=report.turn.type),
        "at": bindparam("at", type_=report.at.type),
        "link_id": bindparam("link", type_=report.link_id.type),
        "state": literal(ReportState.WAITING.value),
        "attempts": literal(0),
        "due_at": bindparam("at", type_=report.due_at.type),
        "problem": literal(""),
    }
    rows = (
        select(*columns.values())
        .join(Mailing, Mailing.id == message.mailing_id)
        .where(message.id.in_(bindparam("messages", expanding=True)), Mailing.kind != MailingKind.TEST.value)
    )
    new: Insert = upsert_of(dialect_name, cast(Table, report.__table__)).on_conflict_do_nothing()
    return new.from_select(list(columns), rows)
