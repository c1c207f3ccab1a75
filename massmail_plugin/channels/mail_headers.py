"""Header fields of a mail as bytes, folded and encoded (RFC 5322, RFC 2047), with no way in for a second header."""

import re
from binascii import b2a_base64
from collections.abc import Iterator

from massmail_plugin.errors import RenderError

LINE = 78
"""Where lines are folded if they can be; no line is ever longer than 998 octets."""

LONGEST = 998

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NAME = re.compile(r"[!-9;-~]{1,76}")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_PLAIN = re.compile(r"[\x20-\x7e]*")
_SEPARATE = re.compile(r"=\?|  |\A |\A\Z| \Z")
_WORD_ROOM = 45
"""Octets of text in one encoded word: 60 characters of base64 and 12 around them stay below 75."""


def refuse_control(what: str, value: str) -> None:
    """Raise RenderError where `value` could end a header line or is no text at all."""
    if not value.isprintable() and _CONTROL.search(value):
        raise RenderError(f"The {what} has a line break or a control character, which a mail header cannot carry.")


def text_field(name: str, value: str) -> bytes:
    """A field of free text, such as Subject: as it is where it is ASCII and can be folded, else in encoded words."""
    if len(name) + len(value) < LINE - 10 and _ordinary(value):
        return f"{name}: {value}\r\n".encode("ascii")
    refuse_control(name, value)
    taken = len(name) + 2
    lines = list(_folded(value, taken)) if _readable(value) else _encoded_words(value, taken)
    return _field(name, "\r\n ".join(lines))


def mailbox_field(name: str, display: str, address: str) -> bytes:
    """A field with a name and one address or identifier: From, To, List-Id. `address` is taken as already checked.

    List-Id has its identifier in angle brackets even without a name.
    """
    if len(name) + len(display) + len(address) < LINE - 4 and _ATOMS.fullmatch(display) and _ordinary(display):
        return f"{name}: {display} <{address}>\r\n".encode("ascii")
    refuse_control(name, display)
    words = _phrase(display.strip(), len(name) + 2)
    if not words:
        return _field(name, address if "@" in address else f"<{address}>")
    close = len(words[-1]) + len(address) + 3 <= LINE - (len(name) + 2 if len(words) == 1 else 1)
    return _field(name, "\r\n ".join(words) + (" " if close else "\r\n ") + f"<{address}>")


def plain_field(name: str, *parts: str) -> bytes:
    """A field whose parts go out exactly as they are, folded only between parts (after a comma), never encoded."""
    for part in parts:
        if not _PLAIN.fullmatch(part) or len(part) > LONGEST - len(name) - 3:
            raise RenderError(f"The header {name} takes plain ASCII of one line; it cannot carry “{part[:60]}”.")
    return _field(name, ",\r\n ".join(parts))


def field_name(name: str) -> str:
    """`name` if it may stand before a colon (RFC 5322, 2.2); raises RenderError otherwise."""
    if not _NAME.fullmatch(name):
        raise RenderError(f"“{name[:40]}” cannot be the name of a mail header.")
    return name


def _field(name: str, value: str) -> bytes:
    return f"{name}: {value}\r\n".encode("ascii")


def _ordinary(value: str) -> bool:
    """Whether the text goes out as it is; what is not found here may still do so."""
    return value.isascii() and value.isprintable() and not _SEPARATE.search(value)


def _readable(value: str) -> bool:
    """Whether the text comes back the same when folded at its spaces."""
    if not value.isascii() or not _PLAIN.fullmatch(value) or "=?" in value or "  " in value or value != value.strip():
        return False
    return all(len(word) < LINE - 10 for word in value.split(" "))


def _folded(value: str, taken: int) -> Iterator[str]:
    line = ""
    for word in value.split(" "):
        if line and taken + len(line) + 1 + len(word) > LINE:
            yield line
            line, taken = word, 1
        else:
            line = f"{line} {word}" if line else word
    yield line


def _encoded_words(value: str, taken: int) -> list[str]:
    """RFC 2047 words of at most 75 characters, each with whole characters."""
    octets = value.encode()
    words = []
    at, room = 0, max(_WORD_ROOM - taken, 12)
    while len(octets) - at > room:
        end = at + room
        while octets[end] & 0xC0 == 0x80:
            end -= 1
        words.append(_encoded_word(octets[at:end]))
        at, room = end, _WORD_ROOM
    return [*words, _encoded_word(octets[at:])]


def _encoded_word(piece: bytes) -> str:
    return f"=?utf-8?b?{b2a_base64(piece, newline=False).decode('ascii')}?="


def _phrase(display: str, taken: int) -> list[str]:
    """A display name as lines: atoms, a quoted string, or encoded words."""
    if not display:
        return []
    if not _readable(display):
        return _encoded_words(display, taken)
    if _ATOMS.fullmatch(display):
        return list(_folded(display, taken))
    quoted = '"' + display.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return [quoted] if taken + len(quoted) <= LINE else _encoded_words(display, taken)
