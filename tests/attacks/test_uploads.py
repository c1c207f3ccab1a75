"""Files that are no list of addresses, and exports that a spreadsheet must not run."""

import base64
import csv
import io
import tracemalloc
import zlib
from typing import IO

import pytest

from massmail_plugin.admin.frame import held_file
from tests.attacks import hostile
from tests.attacks.crm import ADMIN, Crm
from tests.attacks.test_pages import dangers

GOOD = b"email\nanna@example.org\n"


class Endless(io.RawIOBase):
    """One line of a gigabyte, made as it is read."""

    def __init__(self) -> None:
        self.left, self.place = 1_000_000_000, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def,override]
        size = min(len(buffer), self.left)
        buffer[:size] = b"a" * size
        self.left -= size
        return size


def upload(crm: Crm, file: bytes | IO[bytes], name: str = "people.csv", **fields: str):  # type: ignore[no-untyped-def]
    data = {"csrf_token": crm.csrf("developer"), **fields}
    if file:
        data["file"] = (io.BytesIO(file) if isinstance(file, bytes) else file, name)  # type: ignore[assignment]
    address = f"{ADMIN}/lists/{crm.ids['spare_list_id']}/import"
    return crm.visitor("developer").post(address, data=data, content_type="multipart/form-data")


@pytest.mark.parametrize(
    "file",
    [
        b"\xff\xfe\x00\xd8e\x00",
        "email\nanna@example.org".encode("utf-32")[:-3],
        b"email\n\x00anna@example.org\n",
        b"PK\x03\x04" + bytes(200),
        b"," * 10_000 + b"\n",
        b"email\n" + b"a" * 200_000,
        b'email\n"' + b"anna@example.org\n" * 20_000,
        b"anna@example.org\nfour@example.org\n",
        b"\n\n\n",
        b"\xef\xbb\xbf",
    ],
)
def test_what_is_no_list_is_refused_in_words(standing: Crm, file: bytes) -> None:
    before = standing.state()
    answer = upload(standing, file, step="apply", column="email")
    assert answer.status_code == 422
    assert "Traceback" not in answer.text
    assert standing.state() == before


def test_a_gigabyte_is_given_up_early() -> None:
    stream = Endless()
    tracemalloc.start()
    with pytest.raises(held_file.ImportRefused, match="larger than"):
        held_file.taken(io.BufferedReader(stream))
    assert stream.left > 900_000_000
    assert tracemalloc.get_traced_memory()[1] < 64_000_000
    tracemalloc.stop()


def test_a_bomb_in_the_hidden_fields_is_not_unpacked(standing: Crm) -> None:
    bomb = base64.b64encode(zlib.compress(bytes(50_000_000))).decode()
    answer = upload(standing, b"", held=bomb, step="check")
    assert (answer.status_code, "larger than 5 MB" in answer.text) == (422, True)
    for held in ("%%%", "AAAA", base64.b64encode(b"no zlib").decode(), ""):
        assert upload(standing, b"", held=held, step="apply").status_code == 422


@pytest.mark.parametrize(
    "name", [hostile.SVG, "../../etc/passwd", "a\r\nX-Evil: 1.csv", "x" * 5000, "nul\x00.csv", "=1+1.csv"]
)
def test_the_name_of_a_file_is_only_a_name(standing: Crm, name: str) -> None:
    answer = upload(standing, GOOD, name, step="check", column="email", source="contact", evidence="They asked")
    assert answer.status_code in (200, 422)
    assert dangers(answer.text) == []
    assert "X-Evil" not in answer.headers
    assert "Evil" not in str(answer.headers)


def test_columns_and_cells_of_others_are_text(crm: Crm) -> None:
    file = f'email,"{hostile.IMAGE}"\n{hostile.IMAGE},"<script>alert(1)</script>"\nanna@example.org,x\n'.encode()
    for step in ("", "check", "apply"):
        text = upload(crm, file, step=step, column="email", source="contact").text
        assert "<img src=x" not in text
        assert "<script>alert" not in text


def test_who_is_stopped_stays_stopped_through_an_import(crm: Crm) -> None:
    """Its recipient left this list through a mail."""
    data = {"step": "apply", "column": "email", "source": "contact"}
    address = f"{ADMIN}/lists/{crm.ids['list_id']}/import"
    file = (io.BytesIO(b"email\none@example.org\n"), "back.csv")
    visitor = crm.visitor("developer")
    answer = visitor.post(address, data={**data, "file": file, "csrf_token": crm.csrf("developer")})
    assert "opted out" in answer.text
    assert "one@example.org" not in visitor.get(f"{ADMIN}/lists/{crm.ids['list_id']}").text


def test_exports_run_in_no_spreadsheet(standing: Crm) -> None:
    export = standing.visitor("developer").get(f"{ADMIN}/lists/{standing.ids['list_id']}/export").text
    bad = "email\n" + "\n".join(f'"{sign}cmd|calc"' for sign in ("=", "+", "-", "@", "|")) + "\n"
    problems = upload(standing, bad.encode(), step="download", column="email", source="contact").text
    for text in (export, problems):
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
        assert len(rows) > 5
        assert not [cell for row in rows for cell in row if cell[:1] in "=+-@|\t\r" and cell]
