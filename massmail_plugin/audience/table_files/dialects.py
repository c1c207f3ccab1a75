"""How a CSV file separates and quotes its cells (RFC 4180 and what is about beside it), told from its start."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Vertical bar"}
QUOTES = {'"': 'Double “"”', "'": "Single “'”"}
ROWS_LOOKED_AT = 60
_SAID = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)


class Dialect(NamedTuple):
    delimiter: str
    quote: str


def said_delimiter(first_line: str) -> str | None:
    """The delimiter that the first line names, as files for Microsoft Excel do: `sep=;`."""
    found = _SAID.fullmatch(first_line)
    return found.group(1) if found and found.group(1) in DELIMITERS else None


def dialect_of(text: str) -> Dialect:
    """The dialect whose rows are most alike; a comma where there is but one column."""
    quote = _quote(text)
    return Dialect(max(DELIMITERS, key=lambda one: _likeness(text, one, quote)), quote)


def _quote(text: str) -> str:
    edges = "[" + re.escape("".join(DELIMITERS)) + r"\r\n]"
    singly, doubly = (len(re.findall(rf"(?:^|{edges}){q}[^{q}\r\n]*{q}(?={edges}|$)", text)) for q in "'\"")
    return "'" if singly > doubly and singly > 1 else '"'


def _likeness(text: str, delimiter: str, quote: str) -> tuple[float, int]:
    widths = Counter(len(row) for row in _rows(text, delimiter, quote) if row)
    usual, often = max(widths.items(), key=lambda one: (one[1], one[0]), default=(1, 0))
    return (0.0, 1) if usual == 1 else (often / widths.total(), usual)


def _rows(text: str, delimiter: str, quote: str) -> Iterator[list[str]]:
    """The last row of a piece may be cut off."""
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, quotechar=quote)
    try:
        rows = list(islice(reader, ROWS_LOOKED_AT))
    except csv.Error:
        return iter(())
    return iter(rows[:-1] if len(rows) > 2 else rows)
