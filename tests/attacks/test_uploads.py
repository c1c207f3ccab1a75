"""Files that are no list of addresses, and exports that a spreadsheet must not run."""

import csv
import io
import zipfile
from collections.abc import Callable
from typing import IO, Any

import pytest
from sqlalchemy import select

from massmail_plugin.jobs import functions
from massmail_plugin.models import Import, Subscription
from sample_host.crm.models import db
from tests.attacks import hostile
from tests.attacks.crm import ADMIN, Crm
from tests.attacks.test_pages import dangers

GOOD = b"email\nanna@example.org\n"


def bomb() -> bytes:
    """A thousand times as large unpacked."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", bytes(60_000_000))
        archive.writestr("../../../etc/passwd", "no")
    return stream.getvalue()


def upload(crm: Crm, file: bytes | IO[bytes], name: str = "people.csv", list_id: str = "spare_list_id") -> Any:
    data: dict[str, Any] = {"csrf_token": crm.csrf("developer"), "purpose": "subscribe", "source": "contact"}
    data |= {"list_id": str(crm.ids[list_id])}
    data["file"] = (io.BytesIO(file) if isinstance(file, bytes) else file, name)
    return crm.visitor("developer").post(f"{ADMIN}/imports/new", data=data, content_type="multipart/form-data")


def checked(crm: Crm, page: str) -> str:
    """What the page of an import says after a worker has checked the file."""
    data = {"encoding": "utf-8", "delimiter": ",", "quote": '"', "header": "y", "by": "address", "column": "0"}
    data |= {"step": "check", "csrf_token": crm.csrf("developer")}
    crm.visitor("developer").post(f"{page}/columns", data=data)
    with crm.app.app_context():
        functions.import_files()
    return crm.visitor("developer").get(page).text


@pytest.mark.parametrize(
    "file",
    [
        b"\xff\xfe\x00\xd8e\x00",
        "email\nanna@example.org".encode("utf-32")[:-3],
        b"email\n\x00anna@example.org\n",
        b"PK\x03\x04" + bytes(200),
        bomb(),
        b"," * 10_000 + b"\n",
        b"a" * 200_000,
        b"\n\n\n",
        b"\xef\xbb\xbf",
    ],
)
def test_what_is_no_list_is_refused_in_words(standing: Crm, file: bytes) -> None:
    before = standing.state()
    answer = upload(standing, file)
    assert answer.status_code == 422
    assert "Traceback" not in answer.text
    assert standing.state() == before


def test_what_turns_bad_on_the_way_fails_in_words(crm: Crm) -> None:
    for file in (b"email\n" + GOOD * 30_000 + b"a" * 200_000, b'email\n"' + b"anna@example.org\n" * 20_000):
        brought = upload(crm, file)
        if brought.status_code != 422:
            assert "The import failed" in checked(crm, brought.location)


def test_a_file_beyond_the_limit_is_given_up_early(make_crm: Callable[..., Crm]) -> None:
    crm = make_crm(MASSMAIL_IMPORT_BYTES=3_000_000)
    before = crm.state()
    answer = upload(crm, b"a" * 4_000_000)
    assert (answer.status_code, "larger than 3 MB" in answer.text) == (422, True)
    assert crm.state() == before


@pytest.mark.parametrize(
    "name", [hostile.SVG, "../../etc/passwd", "a\r\nX-Evil: 1.csv", "x" * 5000, "nul\x00.csv", "=1+1.csv"]
)
def test_the_name_of_a_file_is_only_a_name(crm: Crm, name: str) -> None:
    answer = upload(crm, GOOD, name)
    assert answer.status_code in (302, 422)
    assert "Evil" not in str(answer.headers)
    if answer.status_code == 302:
        for page in (answer.location, f"{ADMIN}/imports/"):
            assert dangers(crm.visitor("developer").get(page).text) == []
        assert dangers(checked(crm, answer.location)) == []


def test_columns_and_cells_of_others_are_text(crm: Crm) -> None:
    file = f'email,"{hostile.IMAGE}"\n{hostile.IMAGE},"<script>alert(1)</script>"\nanna@example.org,x\n'.encode()
    page = upload(crm, file).location
    for text in (crm.visitor("developer").get(page).text, checked(crm, page)):
        assert "<img src=x" not in text
        assert "<script>alert" not in text


def test_who_is_stopped_stays_stopped_through_an_import(crm: Crm) -> None:
    """Its recipient left this list through a mail."""
    page = upload(crm, b"email\none@example.org\n", list_id="list_id").location
    assert "stay off" in checked(crm, page)
    crm.visitor("developer").post(f"{page}/run", data={"csrf_token": crm.csrf("developer")})
    with crm.app.app_context():
        functions.import_files()
        states = db.session.scalars(select(Subscription.state).where(Subscription.list_id == crm.ids["list_id"])).all()
        assert "unsubscribed" in states
    assert "one@example.org" not in crm.visitor("developer").get(f"{ADMIN}/lists/{crm.ids['list_id']}").text


def test_columns_that_are_not_there_are_refused(crm: Crm) -> None:
    page = upload(crm, GOOD).location
    for column in ("7", "-1", "x", "1; DROP TABLE massmail_import", ""):
        data = {"encoding": "utf-8", "delimiter": ",", "quote": '"', "header": "y", "by": "address", "column": column}
        data |= {"step": "check", "csrf_token": crm.csrf("developer")}
        assert crm.visitor("developer").post(f"{page}/columns", data=data).status_code == 422
    with crm.app.app_context():
        assert set(db.session.scalars(select(Import.state))) == {"uploaded"}


def test_exports_run_in_no_spreadsheet(crm: Crm) -> None:
    visitor = crm.visitor("developer")
    export = visitor.get(f"{ADMIN}/lists/{crm.ids['list_id']}/export").text
    bad = "email\n" + "\n".join(f'"{sign}cmd|calc"' for sign in ("=", "+", "-", "@", "|")) + "\n"
    page = upload(crm, bad.encode()).location
    checked(crm, page)
    for text in (export, visitor.get(f"{page}/errors.csv").text):
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
        assert len(rows) > 5
        assert not [cell for row in rows for cell in row if cell[:1] in "=+-@|\t\r" and cell]
