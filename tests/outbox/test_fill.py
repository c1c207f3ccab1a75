"""An audience becomes rows and chunks: everybody once, counted right, side by side, and all or nothing."""

import multiprocessing
import random
from multiprocessing.synchronize import Event

import pytest
from sqlalchemy import func, insert, select

from massmail_plugin import outbox
from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, Mailing, OutboxMessage
from massmail_plugin.vocabulary import MailingKind, MessageState, Priority
from tests.consent.small_host import Person, add_person, running_host

from .conftest import everybody, persons

MANY = 5_000
KILLS = 6


def rows(host, mailing):
    query = select(OutboxMessage).where(OutboxMessage.mailing_id == mailing.id).order_by(OutboxMessage.id)
    return list(host.session.scalars(query))


def chunks(host, mailing):
    return list(host.session.scalars(select(Chunk).where(Chunk.mailing_id == mailing.id).order_by(Chunk.number)))


def test_the_rows_of_a_chunk_lie_together_in_the_order_of_their_keys(host, mailing):
    persons(host, 23)
    assert outbox.fill(host, mailing, everybody(), due_at=host.clock()) == 23
    found = rows(host, mailing)
    assert [row.contact_key for row in found] == sorted(row.contact_key for row in found)
    assert [row.chunk for row in found] == [place // host.config.chunk_size for place in range(23)]


def test_each_chunk_is_counted_as_it_is_made(host, mailing):
    persons(host, 9)
    for _ in range(5):
        add_person(host)
    outbox.fill(host, mailing, everybody(), due_at=host.clock())
    made = [(one.planned, one.skipped, one.due_at) for one in chunks(host, mailing)]
    outbox.recount(host, mailing.id)
    host.session.expire_all()
    assert made == [(one.planned, one.skipped, one.due_at) for one in chunks(host, mailing)]
    assert sum(planned for planned, _, _ in made) == 9
    assert [due_at is None for planned, _, due_at in made] == [planned == 0 for planned, _, _ in made]


@pytest.mark.parametrize(
    ("kind", "priority"),
    [(MailingKind.TEST, Priority.TEST), (MailingKind.ONE_OFF, Priority.BULK), (MailingKind.STEP, Priority.BULK)],
)
def test_tests_go_ahead_of_bulk(host, mailing, kind, priority):
    mailing.kind = kind.value
    persons(host, 5)
    outbox.fill(host, mailing, everybody(), due_at=host.clock())
    assert {one.priority for one in chunks(host, mailing)} == {priority}


def test_a_count_anew_touches_the_chunks_asked_for_alone(host, mailing):
    persons(host, 12)
    outbox.fill(host, mailing, everybody(), due_at=host.clock())
    for row in rows(host, mailing):
        row.state = MessageState.SENT.value
    host.session.flush()
    outbox.recount(host, mailing.id, from_number=1, to_number=1)
    host.session.expire_all()
    assert [(one.planned, one.sent, one.due_at is None) for one in chunks(host, mailing)] == [
        (4, 0, False),
        (0, 4, True),
        (4, 0, False),
    ]


def test_those_who_come_later_get_chunks_of_their_own(host, mailing):
    persons(host, 5)
    outbox.fill(host, mailing, everybody(), due_at=host.clock())
    add_person(host, "late@example.org")
    assert outbox.fill(host, mailing, everybody(), due_at=host.clock()) == 1
    assert [one.planned for one in chunks(host, mailing)] == [4, 1, 1]


def fill_in_another_process(database_url: str, mailing_id: int, begins: Event) -> None:
    with running_host(database_url) as host:
        mailing = host.session.get_one(Mailing, mailing_id)
        begins.set()
        outbox.fill(host, mailing, everybody(), due_at=host.clock())
        host.session.commit()


def killed_while_filling(database_url: str, mailing: Mailing, after: float) -> None:
    processes = multiprocessing.get_context("spawn")
    begins = processes.Event()
    process = processes.Process(target=fill_in_another_process, args=(database_url, mailing.id, begins))
    process.start()
    assert begins.wait(60)
    process.join(after)
    process.kill()
    process.join()


def written(host: Host) -> int:
    number = host.session.scalar(select(func.count()).select_from(OutboxMessage))
    host.session.commit()
    return number or 0


def test_a_process_killed_while_it_fills_leaves_all_or_nothing(host, mailing, database_url):
    host.session.execute(insert(Person), [{"first": "P", "email1": f"p{n}@example.org"} for n in range(MANY)])
    host.session.commit()
    chance = random.Random(7)
    for _ in range(KILLS):
        killed_while_filling(database_url, mailing, chance.uniform(0, 0.15))
        assert written(host) in (0, MANY)
    outbox.fill(host, mailing, everybody(), due_at=host.clock())
    host.session.commit()
    assert written(host) == MANY
    assert outbox.counts(host, mailing.id) == outbox.Counts(planned=MANY)
    assert outbox.fill(host, mailing, everybody(), due_at=host.clock()) == 0
