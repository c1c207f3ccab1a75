"""Whom we may write to: addresses, subscriptions, suppressions, the one act of opting out. Flushes, never commits."""

from massmail_plugin.consent.addresses import fault, normalised, normalised_sql, usable
from massmail_plugin.consent.contact_keys import has_key, key_from_text, key_text
from massmail_plugin.consent.hand_off import Asked, stopped
from massmail_plugin.consent.notices import after_commit
from massmail_plugin.consent.preferences import ListStanding, opted_out_of_everything, standing
from massmail_plugin.consent.subscriptions import (
    Counts,
    subscribe,
    subscribe_selected,
    subscriber_count,
    unsubscribe,
    unsubscribe_selected,
)
from massmail_plugin.consent.suppression import StopClauses, release, stop_clause, suppress
from massmail_plugin.consent.watch import StopWatch
from massmail_plugin.consent.withdrawal import Withdrawal, take_back, withdraw

__all__ = [
    "Asked",
    "Counts",
    "ListStanding",
    "StopClauses",
    "StopWatch",
    "Withdrawal",
    "after_commit",
    "fault",
    "has_key",
    "key_from_text",
    "key_text",
    "normalised",
    "normalised_sql",
    "opted_out_of_everything",
    "release",
    "standing",
    "stop_clause",
    "stopped",
    "subscribe",
    "subscribe_selected",
    "subscriber_count",
    "suppress",
    "take_back",
    "unsubscribe",
    "unsubscribe_selected",
    "usable",
    "withdraw",
]
