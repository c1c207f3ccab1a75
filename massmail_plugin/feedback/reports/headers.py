"""The header fields of a mail or of a part, read as leniently as they are written. The reader enters."""

import re
from base64 import b64decode
from binascii import a2b_qp
from collections.abc import Iterable

MOST = 2000
"""Fields read of one header."""
LONGEST = 8000
"""Characters kept of one field."""
_FIELD = re.compile(r"([!-9;-~]{1,80})[ \t]*:[ \t]*(.*)", re.S)
_WORD = re.compile(r"=\?([^?\s]{1,40})\?([bq])\?([^?\s]*|[^?\n]*)\?=", re.I)
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(=\?)")

# What mail programs call charsets that Python knows by another name.
_CHARSETS = {
    "x-unknown": "utf-8",
    "unknown-8bit": "utf-8",
    "default": "utf-8",
    "cp-850": "cp850",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "utf-7": "utf-8",
}


class Headers:
    """Fields by lower-case name, in the order they came. A field that comes more than once keeps all its values."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields: dict[str, list[str]] = {}
        for name, value in fields:
            self._fields.setdefault(name, []).append(value)

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def __len__(self) -> int:
        return len(self._fields)

    def get(self, name: str) -> str:
        """The first value of a field, or nothing."""
        values = self._fields.get(name)
        return values[0] if values else ""

    def all(self, *names: str) -> list[str]:
        """Every value of the fields named, in the order of the names."""
        return [value for name in names for value in self._fields.get(name, ())]

    def words(self, name: str) -> str:
        """The first value of a field with its RFC 2047 words decoded."""
        return decoded_words(self.get(name))


def read_headers(block: str) -> Headers:
    """Read a header block; lines that are no field and continue none are passed over."""
    fields: list[list[str]] = []
    for line in block.split("\n"):
        if line[:1] in (" ", "\t"):
            if fields and len(fields[-1][1]) < LONGEST:
                fields[-1][1] += " " + line.strip()[:LONGEST]
        elif (found := _FIELD.match(line)) and len(fields) < MOST:
            fields.append([found[1].lower(), found[2].strip()[:LONGEST]])
    return Headers((name, value) for name, value in fields)


def decoded_words(text: str) -> str:
    """Text with its RFC 2047 words decoded; what cannot be decoded stays as it is."""
    if "=?" not in text:
        return text
    return _WORD.sub(_word, _BETWEEN_WORDS.sub(r"\1\2", text))


def decode(raw: bytes, charset: str) -> str:
    """Bytes as text. An unknown or wrong charset falls back to UTF-8, then to Windows-1252; nothing is ever raised."""
    name = charset.strip().strip("\"'").lower()
    name = _CHARSETS.get(name, name) or "utf-8"
    if b"\x1b$" in raw and not name.startswith("iso"):
        name = "iso2022_jp_ext"
    try:
        return raw.decode(name)
    except (LookupError, ValueError, UnicodeError):
        pass
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return _patched(raw, name)


def _patched(raw: bytes, name: str) -> str:
    try:
        return raw.decode(name if name != "utf-8" else "cp1252", "replace")
    except (LookupError, ValueError, UnicodeError):
        return raw.decode("latin-1")


def _word(found: re.Match[str]) -> str:
    charset, encoding, text = found.groups()
    raw = text.encode("utf-8", "replace")
    try:
        octets = b64decode(raw + b"==") if encoding in "bB" else a2b_qp(raw, header=True)
    except ValueError:
        return found[0]
    return decode(octets, charset.partition("*")[0])
