"""What a result means for the host: which status it maps to, the report that carries it, and its delivery."""

from massmail_plugin.outcomes.deliver import deliver, retry_now
from massmail_plugin.outcomes.lost_address import lose_address
from massmail_plugin.outcomes.record import record, record_many, record_undo

__all__ = ["deliver", "lose_address", "record", "record_many", "record_undo", "retry_now"]
