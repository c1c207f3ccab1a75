"""A file of either form: what it is, how it is to be read, and its table. Reads only."""

from typing import BinaryIO

from massmail_plugin.audience.table_files.csv_reading import csv_reading, open_csv
from massmail_plugin.audience.table_files.table import Reading, Table
from massmail_plugin.audience.table_files.xlsx_reading import Workbook, looks_like_xlsx


def look_at(stream: BinaryIO) -> Reading:
    """How a seekable stream is to be read, by looking at its start. Raises ImportRefused, in words."""
    stream.seek(0)
    return Workbook(stream).reading() if looks_like_xlsx(stream.read(4)) else csv_reading(stream)


def open_table(stream: BinaryIO, reading: Reading) -> Table:
    """The table in a seekable stream. Raises ImportRefused, also while its rows are read."""
    return Workbook(stream).table(reading) if reading.form == "xlsx" else open_csv(stream, reading)
