"""Sending limits: exact, shared by all workers, with the database as their truth. Lanes enter; see docs/limits.md."""

from massmail_plugin.sending.limits.allowance import Limits
from massmail_plugin.sending.limits.claiming import able, chain, open_gate, spill
from massmail_plugin.sending.limits.day_plan import DayPlan, day_plan
from massmail_plugin.sending.limits.gate import Gate
from massmail_plugin.sending.limits.grants import HORIZON
from massmail_plugin.sending.limits.planning import Rest
from massmail_plugin.sending.limits.trouble import Trouble, asks_for_patience
from massmail_plugin.sending.limits.words import limits_in_words

__all__ = [
    "HORIZON",
    "DayPlan",
    "Gate",
    "Limits",
    "Rest",
    "Trouble",
    "able",
    "asks_for_patience",
    "chain",
    "day_plan",
    "limits_in_words",
    "open_gate",
    "spill",
]
