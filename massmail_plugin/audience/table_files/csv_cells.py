"""Cells of CSV files that spreadsheets cannot mistake for formulas, there and back. Commits nothing."""

import re

_FORMULA = re.compile(r"'*[=+\-@|\t\r\n\uff1d\uff0b\uff0d\uff20]")


def safe_cell(value: object) -> str:
    """The value as text; one that a spreadsheet would run gets an apostrophe in front. Numbers stay as they are."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    return "'" + text if _FORMULA.match(text) else text


def plain_cell(text: str) -> str:
    """What `safe_cell` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
