"""CSV in and out: matching, refusals in words, bounded memory, cells that are no formulas."""

import csv
import io
import tracemalloc
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from massmail_plugin.audience.csv_cells import plain_cell, safe_cell
from massmail_plugin.audience.csv_reading import read_csv, sample_rows
from massmail_plugin.audience.exporting import csv_lines, list_lines
from massmail_plugin.audience.importing import match_and_subscribe
from massmail_plugin.consent.subscriptions import subscribe, unsubscribe
from massmail_plugin.consent.suppression import suppress
from massmail_plugin.contracts import Host
from massmail_plugin.errors import ImportRefused
from massmail_plugin.vocabulary import SuppressionReason, SuppressionScope
from tests.consent.small_host import PERSONS, add_list, add_person


def test_matching(host: Host) -> None:
    news = add_list(host)
    ann = add_person(host, " Ann@X.test", first="Ann")
    bob = add_person(host, "other@x.test", email2="bob@bücher.example.org")
    left, there, _ = (add_person(host, f"{name}@x.test") for name in ("left", "there", "bounced"))
    subscribe(host, news, [left, there], evidence="by hand")
    unsubscribe(host, news, [left], evidence="phone call")
    suppress(
        host,
        address="bounced@x.test",
        scope=SuppressionScope.ALL_BUT_TRANSACTIONAL,
        reason=SuppressionReason.HARD_BOUNCE,
    )
    text = (
        "Name;E-Mail\r\nAnn;ann@x.TEST\r\nBob;BOB@xn--bcher-kva.example.org\r\n;;\r\nLeft;left@x.test\r\n"
        "Bounced;Bounced@x.test\r\nThere;there@x.test\r\nStranger;stranger@x.test\r\nTwo;a@x.test, b@x.test\r\n"
        "None\r\nAnn again;ann@x.test\r\n"
    )
    file = read_csv(text.encode())
    assert (file.delimiter, file.columns, file.encoding) == (";", ("Name", "E-Mail"), "utf-8")
    result = match_and_subscribe(host, news, PERSONS, file, evidence="import of ann")
    assert (result.new, result.already, result.kept_out, result.rows) == (2, 1, 2, 9)
    assert result.unknown == [(8, "stranger@x.test")]
    assert [(row, value) for row, value, _ in result.invalid] == [(9, "a@x.test, b@x.test"), (10, "")]
    assert all(why for _, _, why in result.invalid)
    again = match_and_subscribe(host, news, PERSONS, file, evidence="import of ann", column="e-mail")
    assert (again.new, again.already, again.kept_out) == (0, 3, 2)
    lines = list(csv.DictReader(io.StringIO("".join(list_lines(host, news)).removeprefix("\ufeff"))))
    assert {(line["key"], line["state"]) for line in lines} == {
        (ann.key, "subscribed"), (bob.key, "subscribed"), (there.key, "subscribed"), (left.key, "unsubscribed"),
    }  # fmt: skip
    assert next(line for line in lines if line["key"] == ann.key)["name"] == "Ann"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_encodings(encoding: str) -> None:
    file = read_csv("name\temail\nÈve\teve@x.test\n".encode(encoding))
    assert sample_rows(file) == [["Ève", "eve@x.test"]]
    assert file.column() == 1


def read_through(data: bytes) -> None:
    file = read_csv(data)
    file.column()
    for _ in file.rows():
        pass


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\r\n\r\n", "empty"),
        (b"ann@x.test\nbob@x.test\n", "must name the columns"),
        (b"name,city\nAnn,Graz\n", "No column looks like"),
        (b"name,email\n\x81\x8d\x8f,a@x.test\n", "UTF-8 or Windows-1252"),
        ("name,email\nÈ,a@x.test\n".encode("utf-8-sig") + b"\xff\xfe\xc3", "announces"),
        ("name,email\nA,a@x.test\n".encode("utf-16-le"), "zero bytes"),
        (b"PK\x03\x04\x00\x00email", "zero bytes"),
        (b"name,email\n" + b"x" * 200_000, "longer than"),
        (b"email," + b"," * 1_000, "columns"),
        (b'email\n"' + b"open,\n" * 40_000, "quotation mark"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(ImportRefused, match=words):
        read_through(data)


def test_a_wrong_column_is_named() -> None:
    with pytest.raises(ImportRefused, match="Did you mean “Mail”"):
        read_csv(b"Name,Mail\n").column("Mial")


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
        buffer[:] = b"x" * len(buffer)
        self.at += len(buffer)
        return len(buffer)


def test_a_file_without_end_is_refused_in_bounded_memory() -> None:
    stream: BinaryIO = io.BufferedReader(Endless())  # type: ignore[assignment, type-var]
    tracemalloc.start()
    with pytest.raises(ImportRefused, match="larger than"):
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


@settings(max_examples=50)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1), min_size=1))
def test_what_is_written_can_be_read(cells: list[str]) -> None:
    header = [f"email{number}" for number in range(len(cells))]
    file = read_csv("".join(csv_lines(header, [cells])).encode())
    assert [row for _, row in file.rows()] == ([cells] if any(cell.strip() for cell in cells) else [])
