"""The words for imports of tables."""

from enum import StrEnum


class ImportPurpose(StrEnum):
    """What a file is brought for."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    SUPPRESS = "suppress"


class ImportState(StrEnum):
    """The life of an import."""

    UPLOADED = "uploaded"
    WAITING = "waiting"
    RUNNING = "running"
    COUNTED = "counted"
    """The dry run is over."""
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RowVerdict(StrEnum):
    """What an import makes of a row of its file."""

    CHANGED = "changed"
    """Added, taken off, opted out and so on, as the purpose says; of a dry run: would be."""
    CREATED = "created"
    """Nobody the host knew: a contact was made and added."""
    ALREADY = "already"
    """It was so before."""
    LEFT = "left"
    """Left this list; stays off."""
    OPTED_OUT = "opted_out"
    SUPPRESSED = "suppressed"
    UNKNOWN = "unknown"
    """No contact of the host."""
    INVALID = "invalid"
    DUPLICATE = "duplicate"
    """An earlier row of the file says the same."""
