"""What came back: opens, clicks, the machines among them, bounces, complaints. Doors enter; the room flushes only."""

from massmail_plugin.feedback.bounces import bounce, complaint
from massmail_plugin.feedback.clicks import Destination, destination, record_click
from massmail_plugin.feedback.hits import Visitor
from massmail_plugin.feedback.opens import record_open

__all__ = ["Destination", "Visitor", "bounce", "complaint", "destination", "record_click", "record_open"]
