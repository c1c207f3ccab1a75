"""What is missing in a line of the builder, and numbers as people enter them. Views enter; nothing is looked up."""

import re

from massmail_plugin.errors import RuleError

_WHOLE = re.compile(r"[0-9]{1,7}", re.ASCII)
MOST = 1_000_000


class Unfinished(RuleError):
    """A line that something is still missing from."""


def count_of(text: str, what: str) -> int | None:
    """A whole number from a box that may stay empty. Raises RuleError for anything else."""
    if not text:
        return None
    if not _WHOLE.fullmatch(text) or int(text) > MOST:
        raise RuleError(f"Say how many {what} in a whole number from 0 to {MOST:,}.")
    return int(text)
