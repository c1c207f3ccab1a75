"""CSV files as programs of all kinds write them: found out by themselves, refused in words, read in bounded memory."""

import csv
import io
import tracemalloc
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from massmail_plugin.audience.exporting import csv_lines
from massmail_plugin.audience.table_files import Reading, Table, look_at, open_table, read_csv
from massmail_plugin.audience.table_files.csv_cells import plain_cell, safe_cell
from massmail_plugin.audience.table_files.encodings import ENCODINGS, encoding_of
from massmail_plugin.errors import ImportRefused

NAMES = {
    "german": ("Jörg Müller", "Anna Groß", "Özdemir", "Käthe Schäfer"),
    "french": ("Hélène Garçon", "François Lefèvre", "Benoît", "Zoé"),
    "spanish": ("Peña", "Muñoz", "García", "José Ibáñez"),
    "polish": ("Łukasz Wójcik", "Żółkiewski", "Stanisław", "Grażyna"),
    "czech": ("Dvořák", "Novák", "Černý", "Jiří Štěpánek"),
    "hungarian": ("Szűcs", "Erdős", "Kovács", "Győrffy"),
    "russian": ("Иванов Иван", "Петров", "Сидорова Мария", "САНКТ-ПЕТЕРБУРГ"),
    "greek": ("Παπαδόπουλος", "Γεωργίου", "Ελένη"),
    "turkish": ("Yılmaz", "Şahin", "Çelik", "Doğan"),
    "baltic": ("Žukauskas", "Kazlauskienė", "Bērziņš", "Kļaviņš"),
    "japanese": ("山田太郎", "佐藤花子", "スズキ"),
    "chinese": ("王小明", "李娜", "张伟"),
    "taiwanese": ("王小明", "陳美玲", "張志豪"),
    "korean": ("김철수", "이영희", "박지훈"),
    "mixed": ("Müller", "François", "García", "Ørsted", "Lefèvre"),
}
WRITTEN_IN = {
    "german": ("cp1252", "mac-roman", "cp850"),
    "french": ("cp1252", "mac-roman", "cp850"),
    "spanish": ("cp1252", "mac-roman", "cp850"),
    "polish": ("cp1250", "iso8859-2", "cp852"),
    "czech": ("cp1250", "iso8859-2", "cp852"),
    "hungarian": ("cp1250", "iso8859-2", "cp852"),
    "russian": ("cp1251", "koi8-r", "cp866"),
    "greek": ("cp1253",),
    "turkish": ("cp1254",),
    "baltic": ("cp1257",),
    "japanese": ("cp932", "euc-jp"),
    "chinese": ("gb18030",),
    "taiwanese": ("big5",),
    "korean": ("cp949",),
    "mixed": ("cp1252",),
}
UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")


def table(data: bytes) -> Table:
    return read_csv(io.BytesIO(data))


def rows(data: bytes) -> list[tuple[int, list[str]]]:
    return list(table(data).rows())


@pytest.mark.parametrize("language", NAMES)
def test_the_encoding_is_found(language: str) -> None:
    """Whatever the encoding is called in the end: the names must come out as they were written."""
    text = "name;email\n" + "".join(f"{name};p{number}@x.test\n" for number, name in enumerate(NAMES[language]))
    for encoding in (*WRITTEN_IN[language], *UNICODE):
        found = encoding_of(text.encode(encoding))
        assert found in ENCODINGS
        assert text.encode(encoding).decode(found).lstrip("\ufeff") == text, encoding


def test_a_letter_far_down_the_file_decides_too() -> None:
    data = b"name,email\n" + b"Ann,ann@x.test\n" * 40_000 + "Jörg,j@x.test\n".encode("cp1252")
    assert list(table(data).rows())[-1][1] == ["Jörg", "j@x.test"]


def test_another_encoding_can_be_chosen() -> None:
    data = io.BytesIO("name,email\nJörg,j@x.test\n".encode("cp1252"))
    assert look_at(data).encoding == "cp1252"
    assert open_table(data, Reading(encoding="cp850")).sample() == [["J÷rg", "j@x.test"]]
    with pytest.raises(ImportRefused, match=r"cannot be read as Unicode .* Choose another encoding"):
        open_table(data, Reading(encoding="utf-8")).sample()


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_the_dialect_is_found(ends: str, delimiter: str, quote: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quotechar=quote, quoting=csv.QUOTE_ALL, lineterminator=ends)
    people = [["Ann, Dr.", "ann@x.test", "a; b"], ["O'Hara", "o@x.test", "tab\there"], ['"Bob"', "b@x.test", "x|y"]]
    writer.writerows([["Name", "E-Mail", "Note"], *people])
    found = table(text.getvalue().encode())
    assert found.columns == ("Name", "E-Mail", "Note")
    assert [cells for _, cells in found.rows()] == people


def test_line_ends_may_be_mixed_and_rows_blank() -> None:
    assert rows(b"name,email\r\nAnn,a@x.test\n\nBob,b@x.test\r;;\n,,\nEve,e@x.test") == [
        (2, ["Ann", "a@x.test"]), (4, ["Bob", "b@x.test"]), (5, [";;"]), (7, ["Eve", "e@x.test"]),
    ]  # fmt: skip


def test_excels_first_line_names_the_delimiter() -> None:
    found = table(b"sep=;\r\nE-Mail;Note\r\nann@x.test;a,b,c,d\r\n")
    assert found.columns == ("E-Mail", "Note")
    assert list(found.rows()) == [(3, ["ann@x.test", "a,b,c,d"])]


@pytest.mark.parametrize("data", [b"ann@x.test\nbob@x.test\n", b"Ann,ann@x.test\nBob,bob@x.test\n", b"17\n18\n"])
def test_a_file_without_names_of_columns_loses_no_row(data: bytes) -> None:
    found = table(data)
    assert found.columns[0] == "Column 1"
    assert [number for number, _ in found.rows()] == [1, 2]


def test_quoted_cells_may_hold_line_ends() -> None:
    assert rows(b'name,email\n"Ann\r\nB",a@x.test\nC,c@x.test\n') == [
        (2, ["Ann\r\nB", "a@x.test"]),
        (3, ["C", "c@x.test"]),
    ]


def test_a_row_over_many_lines_is_bounded_whatever_a_host_set() -> None:
    before = csv.field_size_limit(2**31 - 1)
    try:
        with pytest.raises(ImportRefused, match="row goes on"):
            rows(b'email\n"' + b"open\n" * 300_000)
        assert len(rows(b"email\n" + b"a@x.test\n" * 120_000)) == 120_000, "each row begins anew"
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\r\n\r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"name,email\n\xff\xfe\x00A,a@x.test\n", "zero bytes|cannot be read"),
        ("name,email\nÈ,a@x.test\n".encode("utf-8-sig") + b"\xff\xfe\xc3", "cannot be read"),
        (b"email\n\x00anna@example.org\n", "zero bytes"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "zero bytes|cannot be read"),
        (b"name,email\n" + b"x" * 200_000, "longer than"),
        (b"email," + b"," * 1_000, "columns"),
        (b'email\n"' + b"open,\n" * 40_000, "quotation mark"),
        (b'email\n"' + b'\n","' * 300_000, "row goes on"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(ImportRefused, match=words):
        rows(data)


def test_a_wrong_column_is_named() -> None:
    with pytest.raises(ImportRefused, match="Did you mean “Mail”"):
        table(b"Name,Mail\n").column("Mial")


class Endless(io.RawIOBase):
    """A file of one line without end."""

    def __init__(self) -> None:
        self.at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset
        return offset

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        size = min(len(buffer), max(0, 1_000_000_000 - self.at))
        buffer[:size] = b"\xe4" * size
        self.at += size
        return size


def test_a_line_of_a_gigabyte_is_refused_in_bounded_memory() -> None:
    stream: BinaryIO = io.BufferedReader(Endless())  # type: ignore[assignment, type-var]
    tracemalloc.start()
    with pytest.raises(ImportRefused, match="longer than"):
        read_csv(stream)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


@given(st.text(st.sampled_from("'=+-@|\t\r\nab1"), max_size=5))
def test_cells_survive_the_round_trip(text: str) -> None:
    assert plain_cell(safe_cell(text)) == text
    assert not safe_cell(text).startswith(("=", "+", "-", "@", "|", "\t", "\r", "\n"))


def test_numbers_stay_numbers() -> None:
    assert [safe_cell(value) for value in (-5, 1.5, None, True)] == ["-5", "1.5", "", "True"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1), min_size=1))
def test_what_is_written_can_be_read(cells: list[str]) -> None:
    header = [f"email{number}" for number in range(len(cells))]
    stream = io.BytesIO("".join(csv_lines(header, [cells])).encode())
    found = open_table(stream, Reading(encoding="utf-8-sig"))
    assert [row for _, row in found.rows()] == ([cells] if any(cell.strip() for cell in cells) else [])
