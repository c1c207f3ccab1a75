"""The loop that empties the outbox: lanes lease chunks, write letters, hand them over and settle the answers."""

from massmail_plugin.sending.lane import LaneReport, account, open_carriage, run_lane

__all__ = ["LaneReport", "account", "open_carriage", "run_lane"]
