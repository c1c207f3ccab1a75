"""Deletes personal data by their age and keeps the numbers. The scheduler, the command line and a screen enter."""

from massmail_plugin.upkeep.retention.run import Due, Report, due, is_due, run, state

__all__ = ["Due", "Report", "due", "is_due", "run", "state"]
