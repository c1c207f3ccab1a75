"""What came back: opens, clicks, the machines among them, bounces, complaints. Doors enter; the room flushes only."""

from massmail_plugin.feedback.bounces import bounce, complaint
from massmail_plugin.feedback.corrections import Correction
from massmail_plugin.feedback.reclassifying import reclassify
from massmail_plugin.feedback.tracking import (
    Waiting,
    destination,
    drain,
    known_destination,
    start_draining,
    take_hit,
    waiting,
)

__all__ = [
    "Correction",
    "Waiting",
    "bounce",
    "complaint",
    "destination",
    "drain",
    "known_destination",
    "reclassify",
    "start_draining",
    "take_hit",
    "waiting",
]
