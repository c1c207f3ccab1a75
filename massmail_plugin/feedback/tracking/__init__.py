"""Opens and clicks by the million: taken into a spool, brought to the database in batches, judged there.

Doors enter. What has a transaction of its own says so; the rest flushes only.
"""

from massmail_plugin.feedback.tracking.backlog import Waiting, waiting
from massmail_plugin.feedback.tracking.batches import drain
from massmail_plugin.feedback.tracking.draining import start_draining
from massmail_plugin.feedback.tracking.taking import take_hit
from massmail_plugin.feedback.tracking.targets import destination, known_destination

__all__ = ["Waiting", "destination", "drain", "known_destination", "start_draining", "take_hit", "waiting"]
