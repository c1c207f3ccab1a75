"""XLSX files (ECMA-376) written piece by piece: nothing but a block of rows is held, whatever their number. Reads only.

Every text is an inline string, which no program takes for a formula.
"""

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain, islice
from typing import Any
from xml.sax.saxutils import escape

ROWS_OF_A_SHEET = 1_048_576
BLOCK = 500
LONGEST_TEXT = 32_767
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 -- cells have no zone
_TIME, _BOLD = 1, 2
"""Styles of cells, by their place in `_STYLES`."""
_FONT = '<sz val="11"/><name val="Calibri"/>'
_PLAIN = 'fontId="0" fillId="0" borderId="0"'
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    f'<fonts count="2"><font>{_FONT}</font><font><b/>{_FONT}</font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    f'<cellStyleXfs count="1"><xf numFmtId="0" {_PLAIN}/></cellStyleXfs>'
    f'<cellXfs count="3"><xf numFmtId="0" {_PLAIN} xfId="0"/>'
    f'<xf numFmtId="164" {_PLAIN} xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


class _Pipe(io.RawIOBase):
    """Where the archive is written to: what came is taken away at once."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def xlsx_parts(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """The bytes of an XLSX file, piece by piece. Cells are None, numbers, texts, or times (shown in UTC).

    More rows than a sheet holds go on in further sheets, each with the header.
    """
    pipe = _Pipe()
    archive = zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    rest, sheets = iter(rows), 0
    first: Sequence[Any] | None = next(rest, None)
    while sheets == 0 or first is not None:
        sheets += 1
        some = chain(() if first is None else (first,), islice(rest, ROWS_OF_A_SHEET - 2))
        with archive.open(f"xl/worksheets/sheet{sheets}.xml", "w", force_zip64=True) as file:
            for block in _sheet(header, some):
                file.write(block.encode())
                yield pipe.taken()
        first = next(rest, None)
    for name, text in _frame(sheets).items():
        archive.writestr(name, text)
    archive.close()
    yield pipe.taken()


def _sheet(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    yield f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
    yield "<sheetData>" + _row(header, style=_BOLD)
    rest = iter(rows)
    while block := list(islice(rest, BLOCK)):
        yield "".join(map(_row, block))
    yield "</sheetData></worksheet>"


def _row(cells: Sequence[Any], style: int = 0) -> str:
    return f"<row>{''.join(_cell(cell, style) for cell in cells)}</row>"


def _cell(value: Any, style: int) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c><v>{value}</v></c>"
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=None) - value.utcoffset() if value.utcoffset() else value.replace(tzinfo=None)  # type: ignore[operator]
        return f'<c s="{_TIME}"><v>{(moment - _EPOCH).total_seconds() / 86_400:.9f}</v></c>'
    text = value.isoformat() if isinstance(value, date) else str(value)
    return f'<c t="inlineStr" s="{style}"><is><t xml:space="preserve">{_text(text)}</t></is></c>'


def _text(text: str) -> str:
    """As XML 1.0 can hold it."""
    if not text.isprintable():
        text = "".join(
            sign if sign in "\t\n\r" or (sign >= " " and sign not in "\ufffe\uffff") else " " for sign in text
        )
    return escape(text[:LONGEST_TEXT].encode("utf-8", "replace").decode())


def _frame(sheets: int) -> dict[str, str]:
    """The files around the sheets."""
    numbers = range(1, sheets + 1)
    listed = "".join(f'<sheet name="Sheet{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    related = "".join(_relation(n, "worksheet", f"worksheets/sheet{n}.xml") for n in numbers)
    related += _relation(sheets + 1, "styles", "styles.xml")
    kinds = "".join(_override(f"/xl/worksheets/sheet{n}.xml", "worksheet") for n in numbers)
    kinds += _override("/xl/workbook.xml", "sheet.main") + _override("/xl/styles.xml", "styles")
    return {
        "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(related),
        "xl/styles.xml": _STYLES,
        "_rels/.rels": _relations(_relation(1, "officeDocument", "xl/workbook.xml")),
        "[Content_Types].xml": (
            f'{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f"{kinds}</Types>"
        ),
    }


def _relations(inner: str) -> str:
    return f'{_HEAD}<Relationships xmlns="{_RELATIONS}">{inner}</Relationships>'


def _relation(number: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'


def _override(part: str, kind: str) -> str:
    return f'<Override PartName="{part}" ContentType="{_TYPES}.{kind}+xml"/>'
