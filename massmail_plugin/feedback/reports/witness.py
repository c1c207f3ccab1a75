"""Asks flufl.bounce, the reader Mailman uses, where our own reading found no address. The reader enters."""

import logging
from email import message_from_bytes

from flufl.bounce import all_failures

from massmail_plugin.feedback.reports.addresses import addresses

# It writes a traceback to the log for each of its own faults; anybody could fill our log by sending such mails.
logging.getLogger("flufl.bounce").disabled = True

LONGEST = 6 * 1024
"""Bytes shown to the witness: it takes its time over each."""
MOST_PARTS = 20


def testified(raw: bytes) -> list[str]:
    """The failed addresses flufl.bounce sees in a mail; none where it stumbles."""
    shown = raw[:LONGEST]
    if shown.count(b"\n--") > MOST_PARTS:
        return []
    try:
        temporary, permanent = all_failures(message_from_bytes(shown))
    except Exception:  # Its detectors raise what they happen to raise on mail they did not expect.
        return []
    texts = [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in permanent | temporary]
    return sorted({found for text in texts for found in addresses(text)})
