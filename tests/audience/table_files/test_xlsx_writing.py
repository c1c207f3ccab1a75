"""XLSX files as another program reads them: the same cells, nothing that runs, in pieces."""

import io
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import repeat
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from massmail_plugin.audience.table_files import xlsx_writing
from massmail_plugin.audience.table_files.xlsx_writing import xlsx_parts

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=40)
CELLS = st.one_of(
    TEXTS, st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False, width=32), st.booleans()
)


def book(header: list[str], rows: Any) -> Any:
    return openpyxl.load_workbook(io.BytesIO(b"".join(xlsx_parts(header, rows))))


def cells(rows: Any) -> list[list[Any]]:
    return [list(row) for row in book(["a", "b", "c"], rows).active.values][1:]


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=5))
def test_cells_come_back_as_they_were(rows: list[list[Any]]) -> None:
    expected = [[None if cell == "" else cell for cell in row] for row in rows]
    assert cells(rows) == expected


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+1", "-1", "\t=1", "|x", "'=1", '=cmd|"/c calc"!A0'])
def test_no_text_is_a_formula(text: str) -> None:
    sheet = book(["a"], [[text]]).active
    assert (sheet["A2"].data_type, sheet["A2"].value) == ("s", text)


def test_times_are_times_in_utc() -> None:
    rome = timezone(timedelta(hours=1))
    row = [datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC), datetime(2026, 3, 1, 0, 30, tzinfo=rome), date(2026, 3, 1)]
    assert cells([row]) == [[datetime(2026, 3, 1, 12, 30, 15), datetime(2026, 2, 28, 23, 30), "2026-03-01"]]


def test_what_xml_cannot_hold_is_left_out() -> None:
    assert cells([["a\x00b", "c\ufffe<&>\x1b", "\ud800"]]) == [["a b", "c <&> ", "?"]]


def test_an_empty_table_has_its_header() -> None:
    assert list(book(["a", "b"], []).active.values) == [("a", "b")]


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_writing, "ROWS_OF_A_SHEET", 4)
    made = book(["n"], ([n] for n in range(7)))
    assert [[row[0] for row in sheet.values] for sheet in made] == [["n", 0, 1, 2], ["n", 3, 4, 5], ["n", 6]]


def test_it_comes_in_pieces_while_rows_are_read() -> None:
    taken = 0

    def rows() -> Any:
        nonlocal taken
        for row in repeat(["some words", 7], 100_000):
            taken += 1
            yield row

    parts = xlsx_parts(["a", "b"], rows())
    assert sum(len(next(parts)) for _ in range(20)) < 200_000
    assert taken < 20_000
    assert max(map(len, parts)) < 100_000
