"""Table files that people bring: CSV and XLSX, whatever wrote them, read row by row in bounded memory. Reads only."""

from massmail_plugin.audience.table_files.csv_reading import read_csv
from massmail_plugin.audience.table_files.encodings import ENCODINGS
from massmail_plugin.audience.table_files.opening import look_at, open_table
from massmail_plugin.audience.table_files.table import Reading, Table
from massmail_plugin.audience.table_files.xlsx_reading import Workbook, looks_like_xlsx

__all__ = [
    "ENCODINGS",
    "Reading",
    "Table",
    "Workbook",
    "look_at",
    "looks_like_xlsx",
    "open_table",
    "read_csv",
]
