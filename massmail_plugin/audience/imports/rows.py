"""The rows of a file as the database takes them in: checked, in one form, each address once. Reads only."""

import json
from typing import NamedTuple

from massmail_plugin.audience.imports.mapping import ColumnMapping
from massmail_plugin.audience.imports.seen import Seen
from massmail_plugin.audience.table_files import Table
from massmail_plugin.consent.addresses import fault, normalised, spellings
from massmail_plugin.errors import ImportRefused
from massmail_plugin.vocabulary import RowVerdict

SLICES = {"postgresql": 200_000, "sqlite": 50_000}
"""Rows of a file that one transaction deals with: the host's table is read for each, and in SQLite nobody else writes
meanwhile.
"""
LARGEST_SLICE = 30_000_000
"""Characters of rows that are held at a time."""
LONGEST_KEY = 64
LONGEST_SHOWN = 100
_SKIPPED = 50_000


class Slice(NamedTuple):
    """Rows on their way into the database."""

    rows: list[tuple[int, str, str | None]]
    """Number of the row, its address or key in the one form, and as JSON the values a contact may be made with."""
    spellings: list[tuple[int, str]]
    """Other forms in which the host may have the address of a row."""


class Problem(NamedTuple):
    """A row that nothing was done for, and why."""

    number: int
    text: str
    verdict: RowVerdict
    why: str = ""


class FileRows:
    """The rows of a file, taken slice by slice. `taken` counts all, whatever became of them; `ended` says that there
    are no more.
    """

    def __init__(self, table: Table, mapping: ColumnMapping, *, with_values: bool) -> None:
        self._rows = table.rows()
        self._column = mapping.column
        self._fields = mapping.fields if with_values else {}
        self._by_address = mapping.by == "address"
        self._seen = Seen()
        self.taken = 0
        self.ended = False
        self._refused: ImportRefused | None = None
        self.problems: list[Problem] = []
        """Of the slice that is being taken."""

    def skip(self, number: int) -> None:
        """Pass over rows that were dealt with before; those after them are still told from them."""
        while self.taken < number and not self.ended:
            self.take(min(_SKIPPED, number - self.taken))
            self.problems.clear()

    def take(self, limit: int) -> Slice:
        """So many rows of the file, as far as they are fit; the others become problems. Fewer where they are large.

        Raises ImportRefused where the file cannot be read on: not before the rows up to there were taken.
        """
        if self._refused is not None:
            raise self._refused
        slice_ = Slice([], [])
        end, room, column, fit = self.taken + limit, LARGEST_SLICE, self._column, self._fit
        while self.taken < end and room > 0:
            try:
                row = next(self._rows, None)
            except ImportRefused as refused:
                self._refused = refused
                break
            if row is None:
                self.ended = True
                break
            self.taken += 1
            number, cells = row
            form = fit(number, cells[column].strip() if column < len(cells) else "")
            if form:
                values = self._values(cells) if self._fields else None
                slice_.rows.append((number, form, values))
                room -= len(form) + len(values or "")
                if "xn--" in form and self._by_address:
                    slice_.spellings.extend((number, other) for other in spellings(form) - {form})
        return slice_

    def _fit(self, number: int, text: str) -> str:
        """The one form of an address or key that is fit and did not come before; else empty, and a problem."""
        why = fault(text) if self._by_address else _fault_of_key(text)
        if why:
            self._problem(number, text, RowVerdict.INVALID, why)
            return ""
        form = text if not self._by_address else text.lower() if text.isascii() else normalised(text)
        if self._seen.before(form):
            self._problem(number, text, RowVerdict.DUPLICATE)
            return ""
        return form

    def _values(self, cells: list[str]) -> str:
        given = {name: cells[at].strip() for name, at in self._fields.items() if at < len(cells)}
        return json.dumps({name: value for name, value in given.items() if value})

    def _problem(self, number: int, text: str, verdict: RowVerdict, why: str = "") -> None:
        self.problems.append(Problem(number, text[:LONGEST_SHOWN], verdict, why))


def _fault_of_key(text: str) -> str:
    if not text:
        return "There is no key."
    return "" if len(text) <= LONGEST_KEY and text.isprintable() else "This is no key."
