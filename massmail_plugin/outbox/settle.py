"""Writes what became of handed messages into their rows.

Sending enters and commits, together with the outcome reports.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import cast

from sqlalchemy import Table, Update, bindparam, func, select, update

from massmail_plugin.contracts import Answer, Host
from massmail_plugin.models import OutboxMessage
from massmail_plugin.models.base import UtcDateTime
from massmail_plugin.outbox.finish import close_chunk, reopen
from massmail_plugin.outbox.lock import lock_mailing
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import WAITING, MessageState, RefusalReason, SkipReason

_MESSAGE = cast(Table, OutboxMessage.__table__)
_WAITING = [state.value for state in WAITING]
_HERE = _MESSAGE.c.id == bindparam("message"), _MESSAGE.c.state.in_(bindparam("states", expanding=True))
_WRITE = update(_MESSAGE).where(*_HERE)
_TRIED = _WRITE.values(first_tried_at=func.coalesce(_MESSAGE.c.first_tried_at, bindparam("now", type_=UtcDateTime())))
_UNCERTAIN = [MessageState.UNCERTAIN.value]
_BACK = _WRITE.where(_MESSAGE.c.handed_at.is_(None))


def settle(host: Host, message_id: int, answer: Answer, *, attempts: int) -> MessageState:
    """Write an answer into its row; the state it led to. `attempts` are those before this one.

    A deferred message comes back after a wait that doubles each time, until `give_up_hours` after the first try.
    An answer that comes after the row was given up as uncertain still counts.
    """
    now = host.clock()
    values: dict[str, object] = {
        "state": answer.state.value,
        "attempts": attempts + 1,
        "now": now,
        "settled_at": now,
        "reason": RefusalReason.REFUSED_BY_SERVER.value if answer.state is MessageState.REFUSED else "",
        "reply_text": answer.note,
    }
    if answer.reply is not None:
        values |= {
            "reply_code": answer.reply.code,
            "reply_enhanced": answer.reply.enhanced,
            "reply_text": answer.reply.text or answer.note,
        }
    if answer.state is MessageState.DEFERRED:
        values |= {"handed_at": None, "due_at": now + retry_wait(host, attempts)}
    if not _write(host, _TRIED, message_id, values) and _write(host, _TRIED, message_id, values, state=_UNCERTAIN):
        _came_late(host, message_id)
    return answer.state


def _came_late(host: Host, message_id: int) -> None:
    """Its chunk was counted without this answer, and its mailing may have ended since."""
    row = host.session.execute(
        select(OutboxMessage.mailing_id, OutboxMessage.chunk, OutboxMessage.state).where(OutboxMessage.id == message_id)
    ).one()
    lock_mailing(host, row.mailing_id)
    close_chunk(host, row.mailing_id, row.chunk)
    if row.state == MessageState.DEFERRED.value:
        reopen(host, row.mailing_id)


def retry_wait(host: Host, attempts: int) -> timedelta:
    """How long to wait after a temporary refusal.

    Doubling from `retry_first_seconds`, at most 4 hours, spread by a quarter.
    """
    seconds = min(host.config.retry_first_seconds * 2 ** min(attempts, 10), 4 * 3600)
    return timedelta(seconds=seconds * random.uniform(1.0, 1.25))


def give_up(host: Host, message_id: int, answer: Answer, *, attempts: int) -> None:
    """Refuse a message whose temporary refusals lasted too long."""
    settle(host, message_id, Answer(MessageState.REFUSED, answer.reply, answer.note), attempts=attempts)
    _write(host, _WRITE, message_id, {"reason": RefusalReason.GAVE_UP.value}, state=[MessageState.REFUSED.value])


def not_built(host: Host, message_id: int, why: str) -> bool:
    """Refuse a message that could not be made for its recipient; False where it is handed or final."""
    values = {"state": MessageState.REFUSED.value, "reason": RefusalReason.NOT_BUILT.value, "reply_text": why}
    return _write(host, _BACK, message_id, values | {"settled_at": host.clock()})


def skip(host: Host, skipped: Mapping[int, tuple[SkipReason, str]]) -> None:
    """Skip messages that must not go any more, each with its reason and a note; only those not handed."""
    for message_id, (reason, note) in skipped.items():
        values = {"state": MessageState.SKIPPED.value, "reason": reason.value, "reply_text": note}
        _write(host, _BACK, message_id, values | {"settled_at": host.clock(), "dedup_key": None})


def _write(
    host: Host, statement: Update, message_id: int, values: Mapping[str, object], *, state: Sequence[str] = _WAITING
) -> bool:
    return changed(host, statement, {"message": message_id, "states": state, **values}) == 1
