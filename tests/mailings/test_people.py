"""Who is behind a number: page by page everybody once, however the mailing is cut into chunks."""

import random
from collections.abc import Iterator

import pytest
from sqlalchemy import event

from massmail_plugin import mailings, outbox
from massmail_plugin.contracts import Host
from massmail_plugin.mailings import Which
from massmail_plugin.models import Mailing, OutboxMessage
from massmail_plugin.outcomes import NewEvent, keep_events
from massmail_plugin.vocabulary import EventKind, MailingState, MessageState
from tests.consent.small_host import running_host
from tests.outbox.conftest import everybody, persons

PEOPLE = 60


@pytest.fixture
def host(database_url: str) -> Iterator[Host]:
    with running_host(database_url) as host:
        object.__setattr__(host.config, "chunk_size", 7)
        yield host


@pytest.fixture
def mailing(host: Host) -> Mailing:
    """Filled; every row is in a state by chance, and so is what came back."""
    chance, now = random.Random(11), host.clock()
    one = Mailing(name="N", state=MailingState.SENDING.value, contact_source="person", address_roles=[], created_at=now)
    host.session.add(one)
    persons(host, PEOPLE)
    outbox.fill(host, one, everybody(), due_at=now)
    events: list[NewEvent] = []
    for row in host.session.query(OutboxMessage):
        row.state = chance.choice(list(MessageState)).value
        for _ in range(chance.choice((0, 1, 3))):
            kind = chance.choice(list(EventKind))
            machine = "robot" if kind is EventKind.OPEN and chance.random() < 0.5 else ""
            events.append(NewEvent(message_id=row.id, kind=kind, at=now, machine_reason=machine))
    host.session.flush()
    keep_events(host, events)
    outbox.recount(host, one.id)
    host.session.commit()
    return one


def pages(host: Host, mailing: Mailing, which: Which, size: int) -> list[int]:
    found: list[int] = []
    while page := mailings.people(host, mailing, which, after_id=found[-1] if found else 0, limit=size):
        assert len(page) <= size
        found += [person.message.id for person in page]
    return found


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_a_state_is_paged_through_completely(host, mailing, size):
    counts = outbox.counts(host, mailing.id)
    expected = {
        Which.TOTAL: counts.recipients,
        Which.WAITING: counts.waiting,
        Which.SENT: counts.sent,
        Which.FAILED: counts.refused,
        Which.SKIPPED: counts.skipped,
        Which.UNCERTAIN: counts.uncertain,
        Which.CANCELLED: counts.cancelled,
    }
    for which, number in expected.items():
        found = pages(host, mailing, which, size)
        assert (len(found), len(set(found))) == (number, number)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_response_is_paged_through_completely(host, mailing, size):
    found = mailings.progress(host, mailing).responses
    expected = {
        Which.READ: found.read,
        Which.CLICKED: found.clicked,
        Which.REPLIED: found.replied,
        Which.REMOVED: found.removed,
        Which.BOUNCED: found.bounced,
        Which.COMPLAINED: found.complained,
    }
    for which, number in expected.items():
        ids = pages(host, mailing, which, size)
        assert (len(ids), ids) == (number, sorted(set(ids)))


def test_nobody_is_looked_for_in_chunks_that_count_none(host, mailing):
    host.session.query(OutboxMessage).update({"state": MessageState.SENT.value})
    outbox.recount(host, mailing.id)
    said: list[str] = []
    event.listen(host.db.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    assert mailings.people(host, mailing, Which.FAILED) == []
    assert [statement for statement in said if "massmail_outbox_message.state" in statement] == []
