"""What the numbers in cells of XLSX files mean: dates are numbers with a format (ECMA-376, 18.8.30). Reads only."""

import re
from datetime import datetime, timedelta
from typing import BinaryIO, NamedTuple

from massmail_plugin.audience.table_files.xml_stream import XmlStream

_DATE_FORMATS = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
"""The numbers of built-in formats that show a date or a time."""
_NOT_SHOWN = re.compile(r'"[^"]*"|\\.|\[(?!h|m|s)[^\]]*\]', re.IGNORECASE)
_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 -- cells have no zone
_LAST_DAY = 2_958_465


class Formats(NamedTuple):
    """Which styles of cells show dates, and the day that dates are counted from."""

    dates: frozenset[str] = frozenset()
    epoch: datetime = _EPOCH


def read_formats(styles: BinaryIO | None, book: BinaryIO | None) -> Formats:
    """From the parts `styles.xml` and `workbook.xml`."""
    return Formats(_date_styles(styles) if styles else frozenset(), _epoch(book) if book else _EPOCH)


def number_text(value: str, formats: Formats, style: str) -> str:
    """A number as people write it: dates as 2026-03-09, whole numbers without a point or an exponent."""
    if style in formats.dates:
        return _date_text(value, formats.epoch)
    if value.isdecimal() or len(value) > 40:
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _date_text(value: str, epoch: datetime) -> str:
    try:
        days = float(value)
    except ValueError:
        return value
    if not 0 <= days <= _LAST_DAY:
        return value
    moment = epoch + timedelta(seconds=round(days * 86_400))
    if days < 1:
        return f"{moment:%H:%M:%S}"
    return f"{moment:%Y-%m-%d}" if days == int(days) else moment.isoformat(" ")


def _date_styles(part: BinaryIO) -> frozenset[str]:
    codes: dict[str, str] = {}
    styles: list[str] = []
    inside: list[str] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        inside.append(name)
        if name == "numFmt":
            codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "xf" and "cellXfs" in inside:
            styles.append(attributes.get("numFmtId", "0"))

    def end(name: str, text: str) -> None:
        inside.pop()

    for _ in XmlStream(begin, end).pieces(part):
        pass
    return frozenset(str(place) for place, number in enumerate(styles) if _shows_date(number, codes))


def _shows_date(number: str, codes: dict[str, str]) -> bool:
    if number in codes:
        return bool(re.search("[ymdhs]", _NOT_SHOWN.sub("", codes[number].partition(";")[0]), re.IGNORECASE))
    return number.isdecimal() and len(number) < 4 and int(number) in _DATE_FORMATS


def _epoch(part: BinaryIO) -> datetime:
    found: list[str] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        if name == "workbookPr":
            found.append(attributes.get("date1904", ""))

    for _ in XmlStream(begin, lambda name, text: None).pieces(part):
        pass
    return _EPOCH_1904 if found and found[0] in ("1", "true") else _EPOCH
