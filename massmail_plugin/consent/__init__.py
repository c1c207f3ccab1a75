"""Whom we may write to: addresses, subscriptions, suppressions, the one act of opting out. Flushes, never commits."""

from massmail_plugin.consent.addresses import fault, normalised, normalised_sql, usable
from massmail_plugin.consent.contact_keys import has_key, key_from_text, key_text
from massmail_plugin.consent.notices import after_commit
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.address_hashes import address_hash, address_hashes
from massmail_plugin.consent.stops.dead_addresses import undeliverable
from massmail_plugin.consent.stops.frequency import too_soon, want_as_many, want_fewer, wanted_days
from massmail_plugin.consent.stops.hand_off import Asked, Purpose, stopped
from massmail_plugin.consent.stops.released import let_ended_go
from massmail_plugin.consent.stops.suppressing_many import addresses_to_stop, suppress_selected
from massmail_plugin.consent.stops.suppression import StopClauses, in_force, reaches, release, stop_clause, suppress
from massmail_plugin.consent.stops.watch import StopWatch
from massmail_plugin.consent.subscriptions.subscribing import (
    Counts,
    subscribe,
    subscribe_selected,
    subscriber_count,
    unsubscribe,
    unsubscribe_selected,
    would_subscribe,
    would_unsubscribe,
)
from massmail_plugin.consent.subscriptions.tallies import ListDifference, list_counts
from massmail_plugin.consent.wishes.coming_back import come_back
from massmail_plugin.consent.wishes.pauses import end_pause, pause, paused_until
from massmail_plugin.consent.wishes.preferences import opted_out_of_everything
from massmail_plugin.consent.wishes.telling import is_echo
from massmail_plugin.consent.wishes.withdrawal import Withdrawal, take_back, withdraw
from massmail_plugin.consent.wishes.withdrawing_many import (
    What,
    take_back_selected,
    those_to_take_back,
    those_to_withdraw,
    withdraw_selected,
)

__all__ = [
    "Asked",
    "Counts",
    "ListDifference",
    "Proof",
    "Purpose",
    "StopClauses",
    "StopWatch",
    "What",
    "Withdrawal",
    "address_hash",
    "address_hashes",
    "addresses_to_stop",
    "after_commit",
    "come_back",
    "end_pause",
    "fault",
    "has_key",
    "in_force",
    "is_echo",
    "key_from_text",
    "key_text",
    "let_ended_go",
    "list_counts",
    "normalised",
    "normalised_sql",
    "opted_out_of_everything",
    "pause",
    "paused_until",
    "reaches",
    "release",
    "stop_clause",
    "stopped",
    "subscribe",
    "subscribe_selected",
    "subscriber_count",
    "suppress",
    "suppress_selected",
    "take_back",
    "take_back_selected",
    "those_to_take_back",
    "those_to_withdraw",
    "too_soon",
    "undeliverable",
    "unsubscribe",
    "unsubscribe_selected",
    "usable",
    "want_as_many",
    "want_fewer",
    "wanted_days",
    "withdraw",
    "withdraw_selected",
    "would_subscribe",
    "would_unsubscribe",
]
