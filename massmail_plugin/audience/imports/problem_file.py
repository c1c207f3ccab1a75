"""The rows that nothing was done for, as lines of a CSV file that no spreadsheet runs. Nothing is kept here."""

import csv
import io
from collections.abc import Iterable

from massmail_plugin.audience.imports.rows import Problem
from massmail_plugin.audience.table_files.csv_cells import safe_cell
from massmail_plugin.vocabulary import RowVerdict

HEADER = ("row", "value", "problem")
_WORDS = {
    RowVerdict.LEFT: "Left this list, and stays off it.",
    RowVerdict.OPTED_OUT: "Opted out, and stays out.",
    RowVerdict.SUPPRESSED: "Is suppressed, and stays so.",
    RowVerdict.UNKNOWN: "Belongs to no contact.",
    RowVerdict.DUPLICATE: "An earlier row says the same.",
}


def problem_lines(problems: Iterable[Problem]) -> str:
    """Lines for rows with a problem, in the order of the file."""
    text = io.StringIO()
    write = csv.writer(text).writerow
    for one in sorted(problems):
        write([safe_cell(cell) for cell in (one.number, one.text, one.why or _WORDS[one.verdict])])
    return text.getvalue()
