"""The loop that empties the outbox: lanes lease chunks, write letters, hand them over and settle the answers."""

from massmail_plugin.sending.accounts import account, note_trouble, open_carriage
from massmail_plugin.sending.lane import LaneReport, run_lane
from massmail_plugin.sending.results import recover

__all__ = ["LaneReport", "account", "note_trouble", "open_carriage", "recover", "run_lane"]
