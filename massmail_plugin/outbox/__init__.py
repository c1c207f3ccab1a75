"""Rows waiting to leave: fill, claim, settle, recover, hold. A row is in the database before any mail leaves."""

from massmail_plugin.outbox.claim import HandOver, LeasedChunk, give_back, lease_chunk, renew, rows_to_send
from massmail_plugin.outbox.counters import Counts, counts, next_due, recount
from massmail_plugin.outbox.fill import fill
from massmail_plugin.outbox.finish import finish_if_done
from massmail_plugin.outbox.hold import cancel, hold, resume, retry_refused
from massmail_plugin.outbox.lock import lock_mailing
from massmail_plugin.outbox.recover import recover
from massmail_plugin.outbox.settle import give_up, not_built, settle, skip

__all__ = [
    "Counts",
    "HandOver",
    "LeasedChunk",
    "cancel",
    "counts",
    "fill",
    "finish_if_done",
    "give_back",
    "give_up",
    "hold",
    "lease_chunk",
    "lock_mailing",
    "next_due",
    "not_built",
    "recount",
    "recover",
    "renew",
    "resume",
    "retry_refused",
    "rows_to_send",
    "settle",
    "skip",
]
