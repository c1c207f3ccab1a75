"""The reckoning itself: each kind of dishonesty is found."""

import pytest
from sqlalchemy import select, update

from faults.mould import HANDFUL
from faults.reckoning import Taken, read_taken, reckon
from faults.world import world
from massmail_plugin import mailings, signed_links
from massmail_plugin.models import Chunk, OutboxMessage
from sample_host.crm.models import db

pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture(scope="module")
def filled(stand):
    """A world without workers, with a filled mailing."""
    with world(stand.mould("sqlite")) as made, made.app.app_context():
        mailing = made.launch(HANDFUL)
        mailings.fill_launched(made.host)
        yield made, mailing


@pytest.fixture
def books(filled):
    """Rows that say that all mails went, and the log that agrees."""
    made, mailing = filled
    row = OutboxMessage
    db.session.execute(update(row).where(row.mailing_id == mailing).values(state="sent"))
    counts = {"planned": 0, "sent": 40, "uncertain": 0, "due_at": None, "leased_by": None}
    db.session.execute(update(Chunk).where(Chunk.mailing_id == mailing).values(counts))
    db.session.commit()
    log = [
        Taken(1.0, 1.0, 1, one.address, message_id(made, one.id), "", 1, "")
        for one in db.session.execute(select(row.id, row.address).where(row.mailing_id == mailing))
    ]
    return made, mailing, log


def message_id(made, number: int) -> str:
    return signed_links.message_id_field(made.host.config, number, "example.com").strip("<>")


def found(books, log=None):
    made, mailing, whole = books
    return reckon(made.host, [mailing], whole if log is None else log)


def change(books, **values) -> None:
    """One row says something else."""
    _, mailing, _ = books
    first = select(OutboxMessage.id).where(OutboxMessage.mailing_id == mailing).limit(1).scalar_subquery()
    db.session.execute(update(OutboxMessage).where(OutboxMessage.id == first).values(**values))
    db.session.commit()


def test_honest_books_are_in_order(books):
    assert found(books).problems == []
    assert (found(books).rows, found(books).sent, found(books).taken) == (40, 40, 40)


def test_a_mail_that_nobody_took_is_lost(books):
    assert len(found(books, books[2][1:]).lost) == 1


def test_a_row_that_waits_for_ever_is_lost(books):
    change(books, state="deferred")
    assert len(found(books).lost) == 1


def test_a_mail_taken_twice_is_doubled(books):
    assert len(found(books, [*books[2], books[2][0]]).doubled) == 1


def test_a_mail_whose_row_denies_it_is_found(books):
    change(books, state="skipped")
    assert len(found(books).denied) == 1


def test_a_mail_to_somebody_else_is_found(books):
    log = books[2]
    assert len(found(books, [log[0]._replace(recipient="x@example.com"), *log[1:]]).strangers) == 1
    assert len(found(books, [*log, log[0]._replace(message_id="nobody@example.com")]).strangers) == 1


def test_counters_and_leases_are_looked_at(books):
    db.session.execute(update(Chunk).values(sent=39, leased_by="somebody"))
    db.session.commit()
    assert len(found(books).miscounted) == 2


def test_uncertain_is_no_fault_whether_it_was_taken_or_not(books):
    change(books, state="uncertain")
    db.session.execute(update(Chunk).values(sent=39, uncertain=1))
    db.session.commit()
    assert found(books).problems == []
    assert found(books, books[2][1:]).problems == []
    assert found(books).uncertain == 1


def test_a_line_that_a_killed_server_did_not_finish_does_not_count(tmp_path):
    path = tmp_path / "taken.log"
    path.write_bytes(b"1.0\t1.0\t1\ta@example.com\tid\tsha\t3\t-\n1.0\t1.0\t1\tcut o")
    assert [taken.recipient for taken in read_taken(path)] == ["a@example.com"]
