"""A file is worked on slice by slice: however it is cut, stopped, killed or started twice, the same comes of it."""

import io
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from massmail_plugin import leases
from massmail_plugin.audience import imports
from massmail_plugin.audience.imports import file_parts, purposes, working
from massmail_plugin.audience.imports.file_parts import keep_file, open_file
from massmail_plugin.audience.imports.seen import Seen
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.consent.subscriptions.subscribing import subscribe, unsubscribe
from massmail_plugin.consent.subscriptions.tallies import differences
from massmail_plugin.consent.wishes.withdrawal import withdraw
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest, ImportRefused
from massmail_plugin.models import Base, Import, Lease, List, Subscription, SubscriptionEvent
from massmail_plugin.vocabulary import ConsentWay, ImportPurpose, RowVerdict, SuppressionReason, SuppressionScope
from tests.audience.imports.files import addresses, brought, csv_file, errors, worked
from tests.consent.small_host import HostBase, add_list, add_person

BY_HAND = Proof(ConsentWay.PERSON, evidence="by hand")
PEOPLE = [f"p{number}@x.test" for number in range(8)]


def events(host: Host, list_: List) -> int:
    return host.session.scalar(select(func.count()).where(SubscriptionEvent.list_id == list_.id)) or 0


def some_world(host: Host, seed: int) -> List:
    """Eight contacts with up to two addresses each; some are on the list, left it, or must not be written to."""
    chance = random.Random(seed)
    news = add_list(host)
    for address in PEOPLE:
        second = chance.choice([None, chance.choice(PEOPLE), f"second-{address}"])
        contact = add_person(host, chance.choice([address, address.upper(), None]), email2=second)
        fate = chance.randrange(6)
        if fate in (0, 1):
            subscribe(host, news, [contact], proof=BY_HAND)
        if fate == 1:
            unsubscribe(host, news, [contact], proof=BY_HAND)
        if fate == 2:
            withdraw(host, contact, list_ids=None, proof=BY_HAND)
        if fate == 3:
            scope, reason = SuppressionScope.ALL_BUT_TRANSACTIONAL, SuppressionReason.HARD_BOUNCE
            suppress(host, address=address, scope=scope, reason=reason)
    host.session.commit()
    return news


cells = st.sampled_from([*PEOPLE, "second-p1@x.test", "second-p2@x.test", "P3@X.TEST ", "who@x.test", "a@b@c", "", "x"])


def empty(host: Host) -> None:
    host.session.rollback()
    for metadata in (Base.metadata, HostBase.metadata):
        for table in reversed(metadata.sorted_tables):
            host.session.execute(table.delete())
    host.session.commit()


def test_a_dry_run_says_what_will_be_done(sqlite_host: Host) -> None:
    """And every row is counted exactly once, and doing it again changes nothing."""
    host = sqlite_host

    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 10**6), st.lists(cells, max_size=14), st.sampled_from(list(ImportPurpose)))
    def check(seed: int, file: list[str], purpose: ImportPurpose) -> None:
        empty(host)
        news = some_world(host, seed)
        of_list = {"list_id": news.id} if purpose in ("subscribe", "unsubscribe") else {}
        rows = csv_file(["No", "E-Mail"], *([number, address] for number, address in enumerate(file)))
        row, before = brought(host, rows, purpose, **of_list), events(host, news)
        tried, wrong = worked(host, row, dry_run=True), errors(host, row)
        assert sum(tried.get(verdict, 0) for verdict in RowVerdict) == tried.get("rows", 0) == len(file)
        assert events(host, news) == before
        assert (worked(host, row), errors(host, row)) == (tried, wrong)
        assert differences(host) == []
        rows.seek(0)
        again = worked(host, brought(host, rows, purpose, **of_list))
        assert (again.get("changed", 0), again.get("rows", 0)) == (0, len(file))

    check()


@pytest.mark.parametrize("slice_", [1, 2, 3, 10, 11, 12])
def test_however_it_is_cut_the_same_comes_of_it(sqlite_host: Host, slice_: int) -> None:
    host, news = sqlite_host, some_world(sqlite_host, 7)
    file = [PEOPLE[number % 8] if number % 3 else f"who{number}@x.test" for number in range(11)]
    whole = worked(host, brought(host, addresses(*file), list_id=news.id), dry_run=True)
    row = brought(host, addresses(*file), list_id=news.id)
    assert worked(host, row, slice_=slice_) == whole
    assert sum(line[2].startswith("An earlier row") for line in errors(host, row)) == whole["duplicate"]


def test_stopped_between_slices_it_goes_on_where_it_was(host: Host) -> None:
    news = add_list(host)
    for address in PEOPLE:
        add_person(host, address)
    row = brought(host, addresses(*PEOPLE, *PEOPLE), list_id=news.id)
    imports.start(host, row, dry_run=False)
    host.session.commit()
    assert imports.due(host) == [row.id]
    assert imports.run(host, row.id, slice_=3, stopping=lambda: True) is True
    host.session.refresh(row)
    assert (row.state, row.done_rows, events(host, news)) == ("running", 3, 3)
    assert 0 < row.done_bytes <= row.size
    assert imports.run(host, row.id, slice_=3, seconds=0) is True
    while imports.run(host, row.id, slice_=3):
        pass
    host.session.refresh(row)
    assert (row.state, row.counts) == ("finished", {"rows": 16, "changed": 8, "duplicate": 8})
    assert (events(host, news), imports.due(host)) == (8, [])
    assert host.session.scalars(select(Lease.name)).all() == []


def test_a_worker_that_dies_in_a_slice_leaves_nothing_of_it(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    news = add_list(host)
    for address in PEOPLE:
        add_person(host, address)
    row = brought(host, addresses(*PEOPLE), list_id=news.id)
    imports.start(host, row, dry_run=False)
    host.session.commit()
    act, calls = purposes.Subscribe.act, []

    def dies(self: Any, wanted: Any) -> int:
        calls.append(act(self, wanted))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return calls[-1]

    monkeypatch.setattr(purposes.Subscribe, "act", dies)
    with pytest.raises(KeyboardInterrupt):
        imports.run(host, row.id, slice_=3)
    host.session.refresh(row)
    assert (row.done_rows, events(host, news), row.attempts) == (3, 3, 0)
    assert imports.run(host, row.id, slice_=3) is False
    host.session.refresh(row)
    assert (row.state, row.counts, events(host, news)) == ("finished", {"rows": 8, "changed": 8}, 8)


def test_what_stops_its_worker_each_time_fails_in_the_end(sqlite_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host, news = sqlite_host, add_list(sqlite_host)
    row = brought(host, addresses("a@x.test"), list_id=news.id)
    imports.start(host, row, dry_run=False)
    host.session.commit()

    def dies(*anything: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(working, "judge", dies)
    monkeypatch.setattr(working, "match", dies)
    for _ in range(working.MOST_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            imports.run(host, row.id)
    assert imports.run(host, row.id) is False
    host.session.refresh(row)
    assert (row.state, "It stopped 5 times after row 0" in row.fault) == ("failed", True)


def test_two_workers_do_not_do_it_twice(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease keeps the second away; and where it ran out, the progress that was written meanwhile does."""
    news = add_list(host)
    for address in PEOPLE:
        add_person(host, address)
    row = brought(host, addresses(*PEOPLE), list_id=news.id)
    imports.start(host, row, dry_run=False)
    host.session.commit()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(leases, "holder_name", lambda pid=None: "another machine")
        assert leases.take(host, f"import {row.id}", seconds=60)
    assert (imports.due(host), imports.run(host, row.id)) == ([], False)
    host.session.delete(host.session.get_one(Lease, f"import {row.id}"))
    host.session.commit()
    judge, inner = working.judge, []

    def slow(*arguments: Any, **more: Any) -> None:
        if not inner:
            inner.append(True)
            host.session.rollback()
            assert imports.run(host, row.id, slice_=3, stopping=lambda: True)
            raise InterruptedError
        judge(*arguments, **more)

    monkeypatch.setattr(working, "judge", slow)
    with pytest.raises(InterruptedError):
        imports.run(host, row.id, slice_=5)
    while imports.run(host, row.id, slice_=5):
        pass
    host.session.refresh(row)
    assert (row.counts, events(host, news)) == ({"rows": 8, "changed": 8}, 8)


def test_cancelled_it_ends_and_what_was_done_stays(host: Host) -> None:
    news = add_list(host)
    for address in PEOPLE:
        add_person(host, address)
    row = brought(host, addresses(*PEOPLE), list_id=news.id)
    imports.start(host, row, dry_run=False)
    host.session.commit()
    with pytest.raises(BadRequest, match="Cancel it first"):
        imports.forget(host, row)
    imports.run(host, row.id, slice_=3, stopping=lambda: True)
    imports.cancel(host, row)
    host.session.commit()
    assert imports.run(host, row.id) is False
    assert (host.session.get_one(Import, row.id).state, events(host, news)) == ("cancelled", 3)
    with pytest.raises(BadRequest, match="over already"):
        imports.cancel(host, row)
    imports.forget(host, row)
    host.session.commit()
    assert host.session.get(Import, row.id) is None


def test_a_row_in_the_middle_that_cannot_be_read_fails_it_in_words(sqlite_host: Host) -> None:
    host, news = sqlite_host, add_list(sqlite_host)
    row = brought(host, io.BytesIO(b"email\n" + b"a@x.test\n" * 2_000 + b'"' + b"x" * 200_000), list_id=news.id)
    worked(host, row)
    assert (row.state, "longer than" in row.fault, row.finished_at is not None) == ("failed", True, True)


@pytest.mark.parametrize("slice_", [2, 3, 100])
def test_the_rows_before_one_that_cannot_be_read_are_done(sqlite_host: Host, slice_: int) -> None:
    host, news = sqlite_host, add_list(sqlite_host)
    for number in range(6):
        add_person(host, f"p{number}@x.test")
    rows = b"".join(b"p%d@x.test\n" % number for number in range(6))
    row = brought(host, io.BytesIO(b"email\n" + rows + b'"' + b"x" * 200_000), list_id=news.id)
    counts = worked(host, row, slice_=slice_)
    assert (row.state, "longer than" in row.fault, counts) == ("failed", True, {"rows": 6, "changed": 6})
    assert (row.done_rows, events(host, news)) == (6, 6)


def test_a_file_in_parts_reads_like_one(sqlite_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_parts, "PART_BYTES", 7)

    @settings(max_examples=60, deadline=None)
    @given(st.binary(min_size=1, max_size=60), st.lists(st.tuples(st.integers(0, 70), st.integers(0, 20)), max_size=10))
    def check(data: bytes, asked: list[tuple[int, int]]) -> None:
        sqlite_host.session.rollback()
        whole = io.BytesIO(data)
        size = keep_file(sqlite_host, 1, io.BytesIO(data))
        parts = open_file(sqlite_host, 1, size)
        for place, number in asked:
            assert (parts.seek(place), parts.read(number)) == (whole.seek(place), whole.read(number))
        assert parts.seek(-1, io.SEEK_END) == whole.seek(-1, io.SEEK_END)
        assert parts.read() == whole.read()

    check()


def test_a_file_that_is_too_large_is_given_up_early(sqlite_host: Host) -> None:
    class Zeros(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return bytes(size)

    stream = Zeros()
    with pytest.raises(ImportRefused, match="larger than 200 MB"):
        keep_file(sqlite_host, 1, stream)  # type: ignore[arg-type]
    assert stream.given < 210_000_000


@given(st.lists(st.text(max_size=3), max_size=60))
def test_what_came_before_is_known_again(texts: list[str]) -> None:
    seen = Seen()
    assert [seen.before(text) for text in texts] == [text in texts[:place] for place, text in enumerate(texts)]


def test_the_subscriptions_of_two_imports_at_once_are_told_once(host: Host) -> None:
    news = add_list(host)
    add_person(host, "a@x.test")
    first, second = (brought(host, addresses("a@x.test"), list_id=news.id) for _ in range(2))
    assert worked(host, first) == {"rows": 1, "changed": 1}
    assert worked(host, second) == {"rows": 1, "already": 1}
    assert host.session.scalar(select(func.count()).select_from(Subscription)) == events(host, news) == 1
