"""The rows of one sheet of an XLSX file as texts (ECMA-376, 18.3). Reads only."""

from collections.abc import Iterator
from typing import BinaryIO

from massmail_plugin.audience.table_files.cell_values import Formats, number_text
from massmail_plugin.audience.table_files.csv_cells import plain_cell
from massmail_plugin.audience.table_files.shared_strings import SharedStrings
from massmail_plugin.audience.table_files.table import MAX_COLUMNS, Row
from massmail_plugin.audience.table_files.xml_stream import XmlStream
from massmail_plugin.errors import ImportRefused


def sheet_rows(part: BinaryIO, shared: SharedStrings, formats: Formats) -> Iterator[Row]:
    """Number of each row and its cells, up to the last one that is filled. Raises ImportRefused."""
    sheet = _Sheet(shared, formats)
    for _ in XmlStream(sheet.begin, sheet.end).pieces(part):
        yield from sheet.rows
        sheet.rows.clear()


class _Sheet:
    """What the parser tells of, gathered to rows."""

    def __init__(self, shared: SharedStrings, formats: Formats) -> None:
        self.rows: list[Row] = []
        self._shared, self._formats = shared, formats
        self._number = 0
        self._cells: list[str] = []
        self._place, self._kind, self._style = -1, "", ""
        self._value = ""
        self._aloud = 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            reference = attributes.get("r")
            self._place = self._place + 1 if reference is None else column_of(reference)
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._value = ""
        elif name == "row":
            number = attributes.get("r", "")
            self._number = int(number) if number.isdecimal() and len(number) < 9 else self._number + 1
            self._cells, self._place = [], -1
        elif name == "rPh":
            self._aloud += 1

    def end(self, name: str, text: str) -> None:
        if name == "v":
            self._value = text
        elif name == "t" and not self._aloud:
            self._value += text
        elif name == "c":
            if self._value:
                self._add(self._text())
        elif name == "row":
            self.rows.append((self._number, self._cells))
        elif name == "rPh":
            self._aloud -= 1

    def _add(self, text: str) -> None:
        if self._place >= MAX_COLUMNS:
            raise ImportRefused(f"Row {self._number} has more than {MAX_COLUMNS} columns. This is no list of contacts.")
        cells = self._cells
        while len(cells) < self._place:
            cells.append("")
        cells[self._place :] = [plain_cell(text) if text[:1] == "'" else text]

    def _text(self) -> str:
        value, kind = self._value, self._kind
        if kind == "s":
            return self._shared[int(value)] if value.isdecimal() and len(value) < 10 else ""
        if kind == "n":
            return number_text(value, self._formats, self._style)
        return {"1": "TRUE", "0": "FALSE"}.get(value, value) if kind == "b" else value


def column_of(reference: str) -> int:
    """The place, from 0, of a cell such as AB12."""
    place = 0
    for letter in reference:
        if not letter.isascii() or not letter.isalpha():
            break
        place = place * 26 + ord(letter.upper()) - 64
        if place > 100_000:
            break
    return place - 1
