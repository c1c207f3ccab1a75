"""A series: mails on certain days after each contact's entry. Its steps, who is in it, what is due, how it stands."""

from massmail_plugin.campaigns.advance import advance
from massmail_plugin.campaigns.late_start import hold_late
from massmail_plugin.campaigns.lifecycle import activate, pause
from massmail_plugin.campaigns.series import add_step, create, remove, remove_step, save
from massmail_plugin.campaigns.timeline import Stay, StepMoment, timeline
from massmail_plugin.campaigns.totals import StepTotals, Totals, totals

__all__ = [
    "Stay",
    "StepMoment",
    "StepTotals",
    "Totals",
    "activate",
    "add_step",
    "advance",
    "create",
    "hold_late",
    "pause",
    "remove",
    "remove_step",
    "save",
    "timeline",
    "totals",
]
