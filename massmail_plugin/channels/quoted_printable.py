"""Text as quoted-printable lines (RFC 2045, 6.7): at most 76 characters, none beginning with a dot.

The bodies of mails enter. How a line comes out depends on that line alone, so lines may be encoded apart and joined.
"""

import re
from binascii import a2b_qp, b2a_qp

# Octets that no UTF-8 text has; each comes out three characters wide and is then given its meaning.
_DOT, _SPACE, _TAB = b"\xff", b"\xfe", b"\xfd"
# After each line end (quick to find): a dot, or a blank before it that was encoded after the line was measured.
_AMISS = re.compile(rb"\n(?:[.]|(?<==20\n)|(?<==09\n))").search
_LONGEST = 76


def quoted(text: str) -> bytes:
    """`text` (lines end with LF) with CRLF line ends; surrogates become question marks."""
    octets = text.encode("utf-8", "replace")
    made = b2a_qp(octets)
    if made[:1] == b"." or _AMISS(made):
        made = b"\n".join(map(_carefully, octets.split(b"\n")))
    return made.replace(b"\n", b"\r\n")


def settled(beginning: str) -> tuple[bytes, str]:
    """The lines that `beginning`, which starts a line, gives whatever follows it; and what is left to encode."""
    made = quoted(beginning + "x" * _LONGEST)
    at = made.rfind(b"=\r\n")
    while at >= 0:
        known = a2b_qp(made[:at]).decode("utf-8", "ignore")
        # The last character of a line may stand where others break.
        if len(known) + 1 < len(beginning) and beginning.startswith(known) and quoted(known) == made[:at]:
            return made[: at + 3], beginning[len(known) :]
        at = made.rfind(b"=\r\n", 0, at)
    return b"", beginning


def _carefully(line: bytes) -> bytes:
    """One line; what comes after a soft break before a dot is measured again with the dot encoded."""
    line = line[:-1] + _SPACE if line.endswith(b" ") else line
    line = line[:-1] + _TAB if line.endswith(b"\t") else line
    line = _DOT + line[1:] if line.startswith(b".") else line
    done = []
    made = b2a_qp(line)
    while (at := made.find(b"=\n.")) >= 0:
        done.append(made[: at + 2])
        line = _DOT + line[len(a2b_qp(made[:at])) + 1 :]
        made = b2a_qp(line)
    return b"".join([*done, made]).replace(b"=FF", b"=2E").replace(b"=FE", b"=20").replace(b"=FD", b"=09")
