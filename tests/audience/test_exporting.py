"""Lists, criteria and suppressions as CSV and XLSX: every row once, page by page, and nothing a spreadsheet runs."""

import csv
import io

import openpyxl
import pytest

from massmail_plugin.audience import exporting
from massmail_plugin.audience.exporting import Export, criterion_export, list_export, stop_export
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.consent.subscriptions.subscribing import subscribe, unsubscribe
from massmail_plugin.contracts import Host
from massmail_plugin.vocabulary import ConsentWay, SuppressionReason, SuppressionScope
from tests.consent.small_host import MEMBERS, PERSONS, Member, add_list, add_person

PROOF = Proof(ConsentWay.PERSON, evidence="+1 at the fair")


def read(export: Export) -> list[list[str]]:
    text = b"".join(export.bytes_as("csv")).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few rows are several pages, the last one full."""
    monkeypatch.setattr(exporting, "PAGE", 2)
    monkeypatch.setattr(exporting._pages, "__kwdefaults__", {"size": 2})
    monkeypatch.setattr(exporting, "MATCHING_PAGE", 2)


def test_a_list_with_everybody_who_is_or_was_on_it(host: Host) -> None:
    news = add_list(host)
    people = [add_person(host, f"p{number}@x.test", first=f"=P{number}") for number in range(4)]
    subscribe(host, news, people, proof=PROOF)
    unsubscribe(host, news, people[:1], proof=PROOF)
    host.session.commit()
    header, *rows = read(list_export(host, news))
    assert header == ["source", "key", "name", "main", "second", "fax", "state", "since", "evidence"]
    assert [row[1] for row in rows] == [one.key for one in people]
    assert [row[6] for row in rows] == ["unsubscribed", "subscribed", "subscribed", "subscribed"]
    assert rows[1][2:4] == ["'=P1", "p1@x.test"]
    assert rows[1][7:] == ["2026-03-10T12:00:00+00:00", "'+1 at the fair"]


def test_whom_a_criterion_finds_whatever_the_key(host: Host) -> None:
    people = [add_person(host, f"p{number}@x.test", city="Graz" if number % 2 else "Linz") for number in range(9)]
    host.session.add_all(Member(label=f"M{number}", mail=f"m{number}@x.test") for number in range(5))
    host.session.commit()
    rule = {"all": [{"field": "city", "op": "is", "value": "Graz"}]}
    assert [row[1] for row in read(criterion_export(host, PERSONS, rule))[1:]] == [people[n].key for n in (1, 3, 5, 7)]
    members = read(criterion_export(host, MEMBERS, None))
    assert members[0] == ["source", "key", "name", "main"]
    assert sorted(row[2] for row in members[1:]) == ["M0", "M1", "M2", "M3", "M4"]


def test_suppressions_and_the_same_rows_as_xlsx(host: Host) -> None:
    news = add_list(host)
    for number in range(3):
        suppress(
            host, address=f"a{number}@x.test", scope=SuppressionScope.LIST, list_id=news.id,
            reason=SuppressionReason.BY_PERSON, note="@SUM(A1)",
        )  # fmt: skip
    host.session.commit()
    rows = read(stop_export(host))
    assert [row[0] for row in rows] == ["address", "a0@x.test", "a1@x.test", "a2@x.test"]
    assert rows[1][4:5] + rows[1][10:] == ["News", "'@SUM(A1)"]
    book = openpyxl.load_workbook(io.BytesIO(b"".join(stop_export(host).bytes_as("xlsx"))))
    sheet = book.worksheets[0]
    assert [cell.value for cell in sheet["A"]] == ["address", "a0@x.test", "a1@x.test", "a2@x.test"]
    assert sheet["K2"].data_type == "s"
