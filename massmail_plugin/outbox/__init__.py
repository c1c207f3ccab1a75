"""Rows waiting to leave: fill, claim, settle, recover, hold. A row is in the database before any mail leaves."""

from massmail_plugin.outbox.claim import (
    LeasedChunk,
    WaitingRow,
    give_back,
    give_back_others,
    held,
    lease_chunk,
    put_off,
    renew,
    rows_to_send,
)
from massmail_plugin.outbox.counters import Counts, counts, next_due, recount
from massmail_plugin.outbox.fill import fill
from massmail_plugin.outbox.finish import finish_done, finish_if_done
from massmail_plugin.outbox.hold import cancel, hold, resume, retry_refused
from massmail_plugin.outbox.journal import Journal, Mark, Region, open_folder
from massmail_plugin.outbox.kept_values import all_values_of, forget_values, forget_values_of, keep_values, values_of
from massmail_plugin.outbox.lock import lock_mailing
from massmail_plugin.outbox.recover import recover
from massmail_plugin.outbox.settle import NO_ANSWER, Result, mark_uncertain, refuse, settle, skip

__all__ = [
    "NO_ANSWER",
    "Counts",
    "Journal",
    "LeasedChunk",
    "Mark",
    "Region",
    "Result",
    "WaitingRow",
    "all_values_of",
    "cancel",
    "counts",
    "fill",
    "finish_done",
    "finish_if_done",
    "forget_values",
    "forget_values_of",
    "give_back",
    "give_back_others",
    "held",
    "hold",
    "keep_values",
    "lease_chunk",
    "lock_mailing",
    "mark_uncertain",
    "next_due",
    "open_folder",
    "put_off",
    "recount",
    "recover",
    "refuse",
    "renew",
    "resume",
    "retry_refused",
    "rows_to_send",
    "settle",
    "skip",
    "values_of",
]
