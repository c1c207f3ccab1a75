"""Writes what became of messages into their rows, many at once. Sending and recovery enter and commit."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, cast

from sqlalchemy import Float, Integer, String, Table, Update, bindparam, func, update

from massmail_plugin.contracts import Answer, Host
from massmail_plugin.leases import database_now
from massmail_plugin.models import OutboxMessage
from massmail_plugin.models.base import BigId, UtcDateTime
from massmail_plugin.portable_sql import changed, dialect, moment, records
from massmail_plugin.vocabulary import WAITING, MessageState, RefusalReason, SkipReason

_ROW = cast(Table, OutboxMessage.__table__)
_OPEN = [state.value for state in (*WAITING, MessageState.UNCERTAIN)]
_WAITING = [state.value for state in WAITING]
MAX_WAIT = timedelta(hours=4)

NO_ANSWER = "The mail was handed over and no answer came, so the server may or may not have it."


@dataclass(slots=True)
class Result:
    """What became of one handed message. `handed_at` is a POSIX time; `attempts` are those before this one."""

    id: int
    answer: Answer
    handed_at: float
    attempts: int
    first_tried_at: datetime | None


def settle(host: Host, results: Sequence[Result], *, retries: bool) -> dict[int, MessageState]:
    """Write the answers into their rows; what each row became.

    A deferred message comes back after a wait that doubles each time, until `give_up_hours` after its first try; with
    `retries` False it is refused at once. An answer that comes after the row was given up as uncertain still counts.
    """
    sent = [result for result in results if result.answer.state is MessageState.SENT]
    if sent:
        _write_sent(host, sent)
    became = {result.id: MessageState.SENT for result in sent}
    others = [result for result in results if result.answer.state is not MessageState.SENT]
    if others:
        now = database_now(host)
        became |= {result.id: _write_other(host, result, retries, now) for result in others}
    return became


def _write_sent(host: Host, sent: Sequence[Result]) -> None:
    """All rows in one statement and one parameter."""
    rows = []
    for result in sent:
        reply = result.answer.reply
        code, enhanced = (reply.code, reply.enhanced[:12]) if reply else (None, "")
        text = reply.text.replace("\0", "") if reply else result.answer.note
        rows.append(
            {"message": result.id, "handed": result.handed_at, "code": code, "enhanced": enhanced, "text": text}
        )
    statement = _sent_statement(dialect(host).name)
    host.session.execute(statement, {"rows": json.dumps(rows), "now": host.clock()})


@cache
def _sent_statement(dialect_name: str) -> Update:
    kinds = {"message": BigId, "handed": Float(), "code": Integer(), "enhanced": String(), "text": String()}
    given = records(dialect_name, "rows", kinds).c
    now = bindparam("now", type_=UtcDateTime())
    return (
        update(_ROW)
        .where(_ROW.c.id == given.message, _ROW.c.state.in_(_OPEN))
        .values(
            state=MessageState.SENT.value,
            attempts=_ROW.c.attempts + 1,
            first_tried_at=func.coalesce(_ROW.c.first_tried_at, now),
            handed_at=moment(dialect_name, given.handed),
            settled_at=now,
            due_at=None,
            reply_code=given.code,
            reply_enhanced=given.enhanced,
            reply_text=given.text,
        )
        .execution_options(synchronize_session=False)
    )


def _write_other(host: Host, result: Result, retries: bool, now: datetime) -> MessageState:
    """One that was refused, deferred or is uncertain."""
    answer = result.answer
    state, reason = _verdict(host, result, retries, now)
    reply = answer.reply
    values: dict[str, Any] = {
        "state": state.value,
        "reason": reason or _ROW.c.reason,
        "attempts": result.attempts + 1,
        "first_tried_at": result.first_tried_at or now,
        "handed_at": datetime.fromtimestamp(result.handed_at, UTC) if result.handed_at else None,
        "settled_at": now,
        "due_at": now + retry_wait(host, result.attempts) if state is MessageState.DEFERRED else None,
        "reply_code": reply.code if reply else None,
        "reply_enhanced": reply.enhanced[:12] if reply else "",
        "reply_text": (reply.text if reply else "") or answer.note,
    }
    write_row(host, result.id, values, states=_OPEN)
    return state


def _verdict(host: Host, result: Result, retries: bool, now: datetime) -> tuple[MessageState, str]:
    state = result.answer.state
    if state is MessageState.REFUSED:
        return state, RefusalReason.REFUSED_BY_SERVER.value
    if state is MessageState.DEFERRED:
        began, limit = result.first_tried_at, timedelta(hours=host.config.give_up_hours)
        if not retries:
            return MessageState.REFUSED, RefusalReason.NOT_RETRIED.value
        if began is not None and now - began > limit:
            return MessageState.REFUSED, RefusalReason.GAVE_UP.value
    return state, ""


def retry_wait(host: Host, attempts: int) -> timedelta:
    """How long to wait after a temporary refusal.

    Doubling from `retry_first_seconds`, at most 4 hours, spread by a quarter.
    """
    seconds = min(host.config.retry_first_seconds * 2 ** min(attempts, 10), MAX_WAIT.total_seconds())
    return timedelta(seconds=seconds * random.uniform(1.0, 1.25))


def refuse(host: Host, message_id: int, reason: RefusalReason, why: str) -> None:
    """Refuse a waiting message that was never handed, such as one that could not be written."""
    values = {"state": MessageState.REFUSED.value, "reason": reason.value, "reply_text": why, "due_at": None}
    write_row(host, message_id, values | {"settled_at": host.clock()})


def skip(host: Host, skipped: Mapping[int, tuple[SkipReason, str]]) -> None:
    """Skip waiting messages that must not go any more, each with its reason and a note."""
    for message_id, (reason, note) in skipped.items():
        values = {"state": MessageState.SKIPPED.value, "reason": reason.value, "reply_text": note, "due_at": None}
        write_row(host, message_id, values | {"settled_at": host.clock(), "dedup_key": None})


def write_row(host: Host, message_id: int, values: Mapping[str, Any], *, states: Sequence[str] = _WAITING) -> bool:
    """Change one row if it is in one of `states`; whether it was."""
    here = _ROW.c.id == message_id, _ROW.c.state.in_(states)
    return changed(host, update(_ROW).where(*here).values(**values)) == 1


def mark_uncertain(host: Host, message_ids: Sequence[int], note: str, handed_at: Mapping[int, float]) -> None:
    """Make waiting messages uncertain: nobody knows whether the server has them."""
    for message_id in message_ids:
        at = handed_at.get(message_id)
        values = {
            "state": MessageState.UNCERTAIN.value,
            "attempts": _ROW.c.attempts + 1,
            "settled_at": host.clock(),
            "due_at": None,
            "reply_code": None,
            "reply_enhanced": "",
            "reply_text": note,
        }
        if at:
            values["handed_at"] = datetime.fromtimestamp(at, UTC)
        write_row(host, message_id, values)
