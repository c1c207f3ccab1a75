"""CSV files read row by row: lines and rows of bounded length, whatever the line ends. Reads only."""

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import BinaryIO

from massmail_plugin.audience.table_files.csv_cells import plain_cell
from massmail_plugin.audience.table_files.dialects import dialect_of, said_delimiter
from massmail_plugin.audience.table_files.encodings import ENCODINGS, SAMPLE_BYTES, decodes, encoding_of
from massmail_plugin.audience.table_files.table import MAX_COLUMNS, Reading, Row, Table, names_columns, table_of
from massmail_plugin.errors import ImportRefused

MAX_LINE_CHARACTERS = 100_000
MAX_ROW_CHARACTERS = 1_000_000
"""Of a row with line ends within its cells."""


def read_csv(stream: BinaryIO) -> Table:
    """The table in a seekable stream, read as `csv_reading` finds it. Raises ImportRefused, in words."""
    return open_csv(stream, csv_reading(stream))


def csv_reading(stream: BinaryIO) -> Reading:
    """How a CSV file is written, by its first SAMPLE_BYTES, and those where its first letter outside ASCII is.

    Raises ImportRefused for what is no text.
    """
    stream.seek(0)
    sample = stream.read(SAMPLE_BYTES)
    encoding = encoding_of(sample)
    if encoding == "utf-8" and sample.isascii():
        encoding = encoding_of(_further(stream, sample))
    if not decodes(sample, encoding, whole=len(sample) < SAMPLE_BYTES):
        raise _unreadable(encoding, 0)
    text = codecs.getincrementaldecoder(encoding)().decode(sample)
    if "\x00" in text:
        raise ImportRefused("The file holds zero bytes, so it is no CSV file. Save it as “CSV UTF-8” again.")
    first, rest, _ = text.partition("\n")
    said = said_delimiter(first + rest)
    dialect = dialect_of(text)
    found = Reading(encoding=encoding, delimiter=said or dialect.delimiter, quote=dialect.quote)
    named = next(_rows(stream, found), (1, [""]))[1]
    return Reading(**{**found.to_keep(), "header": names_columns(named)})


def _further(stream: BinaryIO, piece: bytes) -> bytes:
    """ASCII is the same in most encodings: the first piece that holds more, from a beginning of a line on."""
    ahead = b""
    while piece and piece.isascii():
        ahead = piece[piece.rfind(b"\n") + 1 :][-MAX_LINE_CHARACTERS:]
        piece = stream.read(SAMPLE_BYTES)
    return ahead + piece


def open_csv(stream: BinaryIO, reading: Reading) -> Table:
    """The table of a CSV file. Raises ImportRefused, also while rows are read."""
    return table_of(partial(_rows, stream, reading), header=reading.header)


def _rows(stream: BinaryIO, reading: Reading) -> Iterator[Row]:
    number, length = 0, [0]
    rows = csv.reader(_lines(stream, reading.encoding, length), delimiter=reading.delimiter, quotechar=reading.quote)
    try:
        for cells in rows:
            number += 1
            length[0] = 0
            if len(cells) > MAX_COLUMNS:
                raise ImportRefused(f"Row {number} has more than {MAX_COLUMNS} columns. This is no list of contacts.")
            if number == 1 and said_delimiter(reading.delimiter.join(cells)) == reading.delimiter:
                continue
            yield number, [plain_cell(cell) if cell[:1] == "'" else cell for cell in cells]
    except csv.Error as error:
        raise ImportRefused(
            f"The file cannot be read after row {number} ({error}). Is a quotation mark opened there and not closed?"
        ) from None
    except UnicodeError:
        raise _unreadable(reading.encoding, number) from None


def _lines(stream: BinaryIO, encoding: str, length: list[int]) -> Iterator[str]:
    """`length` holds the characters given since somebody set it back to 0, which is done for each row."""
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
            length[0] += len(line)
            if length[0] > MAX_ROW_CHARACTERS:
                raise ImportRefused(
                    f"A row goes on for more than {MAX_ROW_CHARACTERS:,} characters. Is a quotation mark opened and "
                    "not closed?"
                )
            yield line
    finally:
        with suppress(ValueError):  # Whoever gave the stream may have closed it meanwhile.
            text.detach()


def _unreadable(encoding: str, row: int) -> ImportRefused:
    where = f" after row {row:,}" if row else ""
    return ImportRefused(
        f"The file cannot be read{where} as {ENCODINGS.get(encoding, encoding)}. Choose another encoding, or save the "
        "file as “CSV UTF-8” and bring it again."
    )
