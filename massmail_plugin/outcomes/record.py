"""Writes outcome reports beside the results they report. Sending, feedback and opt-out enter; their doors commit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, func, literal, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing, OutboxMessage, OutcomeReport
from massmail_plugin.portable_sql import changed, one_of, upsert
from massmail_plugin.vocabulary import MailingKind, Outcome, ReportState

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
    columns: dict[str, Any] = {
        "message_id": message.id,
        "mailing_id": message.mailing_id,
        "contact_source": message.contact_source,
        "contact_key": message.contact_key,
        "outcome": literal(outcome.value, report.outcome.type),
        "turn": literal(turn),
        "at": literal(at, report.at.type),
        "link_id": literal(link_id, report.link_id.type),
        "state": literal(ReportState.WAITING.value),
        "attempts": literal(0),
        "due_at": literal(at, report.due_at.type),
        "problem": literal(""),
    }
    rows = select(*columns.values()).where(one_of(message.id, message_ids))
    if not none_is_test:
        rows = rows.join(Mailing, Mailing.id == message.mailing_id).where(Mailing.kind != MailingKind.TEST.value)
    new = upsert(host, _REPORT).on_conflict_do_nothing(index_elements=["message_id", "outcome", "turn"])
    return changed(host, new.from_select(list(columns), rows, include_defaults=False))
