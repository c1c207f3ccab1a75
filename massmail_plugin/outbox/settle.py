"""Writes what became of handed messages into their rows.

Sending enters and commits, together with the outcome reports.
"""

import random
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import func, update

from massmail_plugin.contracts import Answer, Host
from massmail_plugin.models import OutboxMessage
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import WAITING, MessageState, RefusalReason, SkipReason

# A late answer may still settle a row that was already given up as uncertain.
_OPEN = [*(state.value for state in WAITING), MessageState.UNCERTAIN.value]


def settle(host: Host, message_id: int, answer: Answer, *, attempts: int) -> MessageState:
    """Write an answer into its row; the state it led to. `attempts` are those before this one.

    A deferred message comes back after a wait that doubles each time, until `give_up_hours` after the first try.
    """
    now = host.clock()
    values: dict[str, object] = {
        "state": answer.state.value,
        "attempts": attempts + 1,
        "first_tried_at": func.coalesce(OutboxMessage.first_tried_at, now),
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
    _write(host, message_id, values)
    return answer.state


def retry_wait(host: Host, attempts: int) -> timedelta:
    """How long to wait after a temporary refusal.

    Doubling from `retry_first_seconds`, at most 4 hours, spread by a quarter.
    """
    seconds = min(host.config.retry_first_seconds * 2 ** min(attempts, 10), 4 * 3600)
    return timedelta(seconds=seconds * random.uniform(1.0, 1.25))


def give_up(host: Host, message_id: int, answer: Answer, *, attempts: int) -> None:
    """Refuse a message whose temporary refusals lasted too long."""
    settle(host, message_id, Answer(MessageState.REFUSED, answer.reply, answer.note), attempts=attempts)
    _write(host, message_id, {"reason": RefusalReason.GAVE_UP.value}, states=[MessageState.REFUSED.value])


def not_built(host: Host, message_id: int, why: str) -> None:
    """Refuse a message that could not be made for its recipient."""
    values = {"state": MessageState.REFUSED.value, "reason": RefusalReason.NOT_BUILT.value, "reply_text": why}
    _write(host, message_id, values | {"settled_at": host.clock()})


def skip(host: Host, skipped: Mapping[int, tuple[SkipReason, str]]) -> None:
    """Skip messages that must not go any more, each with its reason and a note; only those not handed."""
    for message_id, (reason, note) in skipped.items():
        values = {"state": MessageState.SKIPPED.value, "reason": reason.value, "reply_text": note}
        _write(host, message_id, values | {"settled_at": host.clock(), "dedup_key": None})


def _write(host: Host, message_id: int, values: Mapping[str, object], *, states: list[str] = _OPEN) -> None:
    row = update(OutboxMessage).where(OutboxMessage.id == message_id, OutboxMessage.state.in_(states))
    changed(host, row.values(**values))
