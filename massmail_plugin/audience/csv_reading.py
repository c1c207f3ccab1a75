"""Uploaded CSV files: encoding, delimiter and header found, rows read one by one in bounded memory. Commits nothing."""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from massmail_plugin.audience.csv_cells import plain_cell
from massmail_plugin.errors import ImportRefused, nearest

MAX_FILE_BYTES = 200_000_000
MAX_LINE_CHARACTERS = 100_000
MAX_COLUMNS = 500
DELIMITERS = ",;\t|"
_ADDRESS_NAMES = ("email", "e-mail", "mail", "email address", "e-mail address", "email1", "address", "e_mail")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, eq=False)
class CsvFile:
    """A file that can be read: its columns as the first row names them, and how it is written."""

    stream: BinaryIO
    encoding: str
    delimiter: str
    columns: tuple[str, ...]

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Row number (the header is row 1) and cells; blank rows are passed over. Raises ImportRefused on the way."""
        for number, cells in _cells(self.stream, self.encoding, self.delimiter):
            if number > 1 and any(cell.strip() for cell in cells):
                yield number, [plain_cell(cell) for cell in cells]

    def column(self, name: str | None = None) -> int:
        """The position of a column; without a name, of the one that looks like the address. Raises ImportRefused."""
        names = [column.lower() for column in self.columns]
        if name is not None:
            if name.strip().lower() not in names:
                hint = nearest(name, self.columns)
                raise ImportRefused(f"The file has no column “{name[:50]}”. {hint} Nothing was imported.")
            return names.index(name.strip().lower())
        found = next((names.index(known) for known in _ADDRESS_NAMES if known in names), None)
        found = next((at for at, column in enumerate(names) if "mail" in column), None) if found is None else found
        if found is None:
            shown = ", ".join(self.columns[:8])
            raise ImportRefused(f"No column looks like an e-mail address; the file has: {shown}. Nothing was imported.")
        return found


def read_csv(data: bytes | BinaryIO) -> CsvFile:
    """Look at an uploaded file: UTF-8 (with or without a mark), UTF-16 and UTF-32 with a mark, else Windows-1252.

    Streams must be seekable. Raises ImportRefused, in words, for what cannot be read as CSV with named columns.
    """
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    encoding = _encoding(stream)
    first = _first_line(stream, encoding)
    delimiter = max(DELIMITERS, key=lambda one: len(next(csv.reader([first], delimiter=one), [])))
    header = next(_cells(stream, encoding, delimiter), (1, []))[1]
    columns = tuple(plain_cell(cell).strip() for cell in header)
    if not any(columns):
        raise ImportRefused("The file is empty, or its first row is. The first row must name the columns.")
    if any("@" in column for column in columns):
        raise ImportRefused("The first row holds an address; it must name the columns. Add a row with their names.")
    return CsvFile(stream, encoding, delimiter, columns)


def _encoding(stream: BinaryIO) -> str:
    stream.seek(0)
    start = stream.read(4)
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "cp1252"):
        if _decodes(stream, encoding):
            return encoding
    wrong = f"the encoding {marked} it announces" if marked else "UTF-8 or Windows-1252"
    raise ImportRefused(f"The file cannot be read as {wrong}. Save it as “CSV UTF-8” and upload it again.")


def _decodes(stream: BinaryIO, encoding: str) -> bool:
    """Reads the whole file once, a piece at a time."""
    stream.seek(0)
    decoder, size = codecs.getincrementaldecoder(encoding)(), 0
    try:
        while piece := stream.read(1 << 20):
            size += len(piece)
            if size > MAX_FILE_BYTES:
                raise ImportRefused(f"The file is larger than {MAX_FILE_BYTES // 1_000_000} MB. Split it into parts.")
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _first_line(stream: BinaryIO, encoding: str) -> str:
    return next(_lines(stream, encoding), "")


def _lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        while line := text.readline(MAX_LINE_CHARACTERS + 1):
            if len(line) > MAX_LINE_CHARACTERS:
                raise ImportRefused(
                    f"A line is longer than {MAX_LINE_CHARACTERS} characters. This is no list of contacts."
                )
            if "\x00" in line:
                raise ImportRefused("The file holds zero bytes, so it is no CSV file. Save it as “CSV UTF-8” again.")
            yield line
    finally:
        text.detach()


def _cells(stream: BinaryIO, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        for cells in csv.reader(_lines(stream, encoding), delimiter=delimiter):
            number += 1
            if len(cells) > MAX_COLUMNS:
                raise ImportRefused(f"Row {number} has more than {MAX_COLUMNS} columns. This is no list of contacts.")
            yield number, cells
    except csv.Error as error:
        raise ImportRefused(
            f"The file cannot be read after row {number} ({error}). Is a quotation mark opened there and not closed?"
        ) from None


def sample_rows(file: CsvFile, limit: int = 5) -> list[Sequence[str]]:
    """The first rows, to show beside the column mapping."""
    return [cells for _, (_, cells) in zip(range(limit), file.rows(), strict=False)]
