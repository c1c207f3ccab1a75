"""Hits on their way to the database: files on this machine's own disk, appended to before a visitor is answered.

The door for recipients appends, the drain reads. Nothing here touches the database.
"""

from massmail_plugin.feedback.tracking.spool.files import holding, last_held, spool_files
from massmail_plugin.feedback.tracking.spool.hits import SpooledHit
from massmail_plugin.feedback.tracking.spool.reading import Spooled, SpoolReader
from massmail_plugin.feedback.tracking.spool.writing import append

__all__ = ["SpoolReader", "Spooled", "SpooledHit", "append", "holding", "last_held", "spool_files"]
