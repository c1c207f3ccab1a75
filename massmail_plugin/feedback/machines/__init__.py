"""Tells programs that fetch mail from people who read it. Opens and clicks enter; nothing is read or committed.

A hit by a machine is kept with the reason, but sets no status and counts as no reader.
"""

from massmail_plugin.composing import HIDDEN_LINK
from massmail_plugin.feedback.machines.agents import LONGEST_AGENT
from massmail_plugin.feedback.machines.hit import Hit, signs
from massmail_plugin.feedback.machines.judging import BURST, REACH, judge

__all__ = ["BURST", "HIDDEN_LINK", "LONGEST_AGENT", "REACH", "Hit", "judge", "signs"]
