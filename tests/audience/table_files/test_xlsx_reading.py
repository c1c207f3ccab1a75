"""XLSX files as spreadsheets write them, read row by row; bombs, damage and other archives are refused in words."""

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from massmail_plugin.audience.table_files import Reading, Workbook, look_at, open_table
from massmail_plugin.audience.table_files.xlsx_writing import xlsx_parts
from massmail_plugin.errors import ImportRefused

SHEET = "xl/worksheets/sheet1.xml"


def written(*rows: list[object], name: str = "People", epoch_1904: bool = False) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = name
    if epoch_1904:
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    for row in rows:
        sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def changed(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The same archive with one part changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            content = before.read(name)
            after.writestr(name, change(content) if name == part else content)
    return stream.getvalue()


def cells(data: bytes, **reading: object) -> list[list[str]]:
    stream = io.BytesIO(data)
    found = look_at(stream)
    table = open_table(stream, Reading(**{**found.to_keep(), **reading}))
    return [list(table.columns), *(row for _, row in table.rows())]


@pytest.mark.parametrize("epoch_1904", [False, True])
def test_values_come_as_people_see_them(epoch_1904: bool) -> None:
    data = written(
        ["Name", "E-Mail", "Born", "Seen", "At", "No", "Share", "VIP"],
        [
            "Zoë & <Co>",
            "a@x.test",
            date(1999, 12, 31),
            datetime(2026, 3, 9, 12, 30),
            time(3, 4),
            123456789012,
            0.5,
            True,
        ],
        epoch_1904=epoch_1904,
    )
    assert cells(data)[1] == [
        "Zoë & <Co>", "a@x.test", "1999-12-31", "2026-03-09 12:30:00", "03:04:00", "123456789012", "0.5", "TRUE",
    ]  # fmt: skip


def test_gaps_and_blank_rows_keep_numbers_and_places() -> None:
    data = written([], ["E-Mail", None, "City"], ["a@x.test", None, "Graz"], [], [None, None, "Linz"])
    table = open_table(io.BytesIO(data), look_at(io.BytesIO(data)))
    assert table.columns == ("E-Mail", "", "City")
    assert list(table.rows()) == [(3, ["a@x.test", "", "Graz"]), (5, ["", "", "Linz"])]


def test_rich_and_spoken_text_is_read_once() -> None:
    rich = CellRichText("plain ", TextBlock(InlineFont(b=True), "bold"))
    data = written(["E-Mail", "Note"], ["a@x.test", rich])
    assert cells(data)[1] == ["a@x.test", "plain bold"]
    spoken = changed(
        data, "xl/sharedStrings.xml", lambda xml: xml.replace(b"</si>", b'<rPh sb="0" eb="1"><t>aloud</t></rPh></si>')
    )
    assert cells(spoken)[1] == ["a@x.test", "plain bold"]


def test_sheets_can_be_chosen() -> None:
    book = openpyxl.Workbook()
    book.active.title = "Cover"  # type: ignore[union-attr]
    book.active.append(["Read me"])  # type: ignore[union-attr]
    book.create_sheet("Members").append(["a@x.test"])
    stream = io.BytesIO()
    book.save(stream)
    assert Workbook(stream).names == ["Cover", "Members"]
    assert cells(stream.getvalue(), sheet="Members", header=False)[1] == ["a@x.test"]
    with pytest.raises(ImportRefused, match="Its sheets are: Cover, Members"):
        cells(stream.getvalue(), sheet="Gone")


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff'"), min_size=1)


@settings(max_examples=40, deadline=None)
@given(st.lists(texts, min_size=1, max_size=5))
def test_what_is_written_can_be_read(row: list[str]) -> None:
    header = [f"column {letter}" for letter in "abcde"[: len(row)]]
    blank = not any(text.strip() for text in row)
    assert cells(b"".join(xlsx_parts(header, [row]))) == ([header] if blank else [header, row])


def test_memory_stays_flat_whatever_the_number_of_texts() -> None:
    """Each text is a different one, so all of them stand in the table of texts."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("A")
    sheet.append(["E-Mail", "Note"])
    for number in range(8_000):
        sheet.append([f"person{number}@x.test", f"{number} {'note ' * 100}"])
    stream = io.BytesIO()
    book.save(stream)
    reading = look_at(stream)
    tracemalloc.start()
    count = sum(len(row) for _, row in open_table(stream, reading).rows())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 16_000
    assert peak < 3_000_000


def bomb(xml: bytes) -> bytes:
    return changed(written(["E-Mail"]), SHEET, lambda _: xml)


def many_parts(number: int) -> bytes:
    """An archive whose directory names a file that is not there very often, in few bytes each."""
    entry = b"PK\x01\x02" + bytes(24) + b"\x01" + bytes(17) + b"a"
    start, size = b"PK\x03\x04" + bytes(26), len(entry) * number
    return start + entry * number + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, size, len(start), 0)


ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;"><!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b"<worksheet><sheetData><row><c t='inlineStr'><is><t>&c;&x;</t></is></c></row></sheetData></worksheet>"
)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (bomb(b"<worksheet><sheetData>" + b"<row/>" * 5_000_000), "far too large"),
        (bomb(ENTITIES), "document type"),
        (bomb(b"<worksheet>" + b"<a>" * 500), "nested too deeply"),
        (bomb(b"<worksheet><sheetData><row><c><v>1"), "damaged"),
        (bomb(b"<worksheet><sheetData><row><c t='s'><v>99</v></c></row></sheetData></worksheet>"), "not there"),
        (bomb(b"<s><row><c r='ZZZ1' t='str'><v>x</v></c></row></s>"), "columns"),
        (bomb(b"<s><row><c t='str'><v>" + b"x" * 200_000 + b"</v></c></row></s>"), "characters"),
        (bomb(b"<s><row><c x='" + b"x" * 1_000_000 + b"'/></row></s>"), "never ends"),
        (bomb(b"<!--" + b"x" * 1_000_000 + b"--><s/>"), "never ends"),
        (many_parts(100_000), "too many files"),
        (b"PK\x03\x04" + bytes(200), "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old format"),
        (written(["E-Mail"])[:-200], "damaged"),
        (written(), "empty"),
    ],
)
def test_what_is_no_sheet_of_people_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(ImportRefused, match=words):
        cells(data)


def test_another_archive_is_no_sheet() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("../../etc/passwd", "no")
        archive.writestr("inner.zip", b"PK\x03\x04")
    with pytest.raises(ImportRefused, match="no XLSX file"):
        cells(stream.getvalue())


def test_a_part_that_lies_about_its_size_gives_no_more_than_it_says() -> None:
    """The announced size is what the archive is judged by, so it must be what comes out."""
    data = bytearray(bomb(b"<worksheet><sheetData>" + b"<row/>" * 2_000_000))
    true, said = (12_000_022).to_bytes(4, "little"), (1_000).to_bytes(4, "little")
    assert data.count(true) == 2
    with pytest.raises(ImportRefused, match="damaged"):
        cells(bytes(data.replace(true, said)))
