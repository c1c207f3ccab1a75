"""Message bytes as they follow DATA. Nothing is committed here."""

import re

END = b".\r\n"
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def line_ends(content: bytes) -> bytes:
    """CRLF and nothing else ends a line, and the last line is ended: what else could smuggle a second message."""
    whole = _BARE.sub(b"\r\n", content)
    return whole if whole.endswith(b"\r\n") else whole + b"\r\n"


def stuffed(content: bytes) -> bytes:
    """A second dot before each line that begins with one (RFC 5321 section 4.5.2); `END` is still to follow."""
    doubled = content.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled
