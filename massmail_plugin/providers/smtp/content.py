"""Message bytes as they follow DATA. Nothing is committed here."""

import re

from massmail_plugin.contracts import Outgoing

END = b".\r\n"
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def body(message: Outgoing) -> bytes:
    """The content with ended lines; one that may hold dots is also checked for bare CR and LF."""
    content = message.content
    if not message.dotless and not content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r"):
        content = _BARE.sub(b"\r\n", content)
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def stuffed(content: bytes) -> bytes:
    """A second dot before each line that begins with one (RFC 5321 section 4.5.2); `END` is still to follow."""
    doubled = content.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled
