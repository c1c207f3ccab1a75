"""The small host, and a mailing with a few persons to fill its outbox from."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Integer, String, cast, func, literal, null, select
from sqlalchemy.sql import Select

from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing, Sender
from massmail_plugin.vocabulary import MailingState
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
