"""The small host, a mailing with a few persons to fill its outbox from, and what a worker does with its rows."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Integer, String, cast, func, literal, null, select
from sqlalchemy.sql import Select

from massmail_plugin import outbox
from massmail_plugin.contracts import Answer, Host
from massmail_plugin.models import Mailing, OutboxMessage, Sender
from massmail_plugin.smtp_status import reply
from massmail_plugin.vocabulary import MailingState, MessageState
from tests.consent.small_host import Person, running_host


@pytest.fixture
def host(database_url: str) -> Iterator[Host]:
    """The small host on either database."""
    with running_host(database_url) as host:
        object.__setattr__(host.config, "chunk_size", 4)
        yield host


@pytest.fixture
def mailing(host: Host) -> Mailing:
    """A mailing that is sending, with an empty outbox."""
    now = host.clock()
    sender = Sender(name="Post", host="localhost", from_address="us@example.org", created_at=now)
    mailing = Mailing(
        name="News", state=MailingState.SENDING.value, contact_source="person", address_roles=[], created_at=now
    )
    mailing.sender = sender
    host.session.add(mailing)
    host.session.commit()
    return mailing


def persons(host: Host, number: int) -> None:
    """So many persons with an address each."""
    host.session.add_all(Person(first=f"P{i}", email1=f"p{i}@example.org") for i in range(number))
    host.session.commit()


def everybody() -> Select:
    """All persons as recipients; who has no address is skipped."""
    return select(
        literal("person").label("contact_source"),
        cast(Person.id, String).label("contact_key"),
        literal("main").label("address_role"),
        literal("email").label("channel"),
        Person.email1.label("address"),
        func.lower(Person.email1).label("dedup_key"),
        cast(null(), Integer).label("list_id"),
        cast(func.nullif(func.coalesce(Person.email1, "no_address"), Person.email1), String).label("skip_reason"),
    )


SENT = Answer(MessageState.SENT, reply(250, "2.0.0 taken"))
LATER = Answer(MessageState.DEFERRED, reply(451, "4.3.0 later"))
NEVER = Answer(MessageState.REFUSED, reply(550, "5.1.1 nobody here"))


def filled(host: Host, mailing: Mailing, number: int) -> None:
    """A row for each of so many persons."""
    persons(host, number)
    outbox.fill(host, mailing, everybody(), due_at=host.clock())
    host.session.commit()


def states(host: Host, mailing: Mailing) -> list[str]:
    """What each row of the mailing is, in order."""
    query = select(OutboxMessage.state).where(OutboxMessage.mailing_id == mailing.id).order_by(OutboxMessage.id)
    return [str(state) for state in host.session.scalars(query)]


def take(host: Host, name: str = "one", journal: str = "here") -> tuple[outbox.LeasedChunk | None, list]:
    """Lease a chunk; its rows."""
    chunk = outbox.lease_chunk(host, name, journal)
    return chunk, outbox.rows_to_send(host, chunk, most=100) if chunk else []


def settle(host: Host, rows: list, *answers: Answer, retries: bool = True, at: float = 0.0) -> None:
    """Answers for rows that were taken, committed."""
    results = [
        outbox.Result(row.id, answer, at, row.attempts, row.first_tried_at)
        for row, answer in zip(rows, answers, strict=True)
    ]
    outbox.settle(host, results, retries=retries)
    host.session.commit()
