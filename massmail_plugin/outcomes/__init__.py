"""What a result means for the host: which status it maps to, the report that carries it, and its delivery."""

from massmail_plugin.outcomes.came_back import CameBack, take_in
from massmail_plugin.outcomes.deliver import Step, deliver, deliver_step, is_due
from massmail_plugin.outcomes.event_rows import NewEvent
from massmail_plugin.outcomes.events import keep_events
from massmail_plugin.outcomes.failures import OnTheirWay, failing, on_their_way, put_off_lost, retry_now, set_aside
from massmail_plugin.outcomes.lost_address import Lost, lose_address, lose_addresses
from massmail_plugin.outcomes.record import record, record_many, record_undo
from massmail_plugin.outcomes.turn import LEASE_SECONDS

__all__ = [
    "LEASE_SECONDS",
    "CameBack",
    "Lost",
    "NewEvent",
    "OnTheirWay",
    "Step",
    "deliver",
    "deliver_step",
    "failing",
    "is_due",
    "keep_events",
    "lose_address",
    "lose_addresses",
    "on_their_way",
    "put_off_lost",
    "record",
    "record_many",
    "record_undo",
    "retry_now",
    "set_aside",
    "take_in",
]
