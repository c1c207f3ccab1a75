"""What is remembered of the responses is what counting everything anew would give."""

import random
from collections import defaultdict
from datetime import timedelta

import pytest
from sqlalchemy import event

from massmail_plugin.mailings import response_totals as totals_module
from massmail_plugin.mailings.response_totals import response_totals
from massmail_plugin.models import Event, Mailing, OutboxMessage
from massmail_plugin.vocabulary import EventKind, MailingState
from tests.consent.small_host import clock, running_host

MAILS = 12


@pytest.fixture
def host(database_url, monkeypatch):
    monkeypatch.setattr(totals_module, "UNSETTLED", 5)
    monkeypatch.setattr(totals_module, "STRETCH", 10)
    with running_host(database_url) as host:
        yield host


def mails(host, name):
    """A mailing and the ids of its rows."""
    now = host.clock()
    mailing = Mailing(name=name, state=MailingState.SENDING.value, contact_source="person", created_at=now)
    host.session.add(mailing)
    host.session.flush()
    rows = [
        OutboxMessage(
            mailing_id=mailing.id, chunk=0, contact_source="person", contact_key=str(n), address_role="main", address=""
        )
        for n in range(MAILS)
    ]
    host.session.add_all(rows)
    host.session.flush()
    return mailing.id, [row.id for row in rows]


def from_scratch(host, mailing_id):
    found = defaultdict(set)
    for one in host.session.query(Event).filter_by(mailing_id=mailing_id):
        opened = one.kind in (EventKind.OPEN, EventKind.CLICK)
        names = {
            "read": opened and not one.by_machine,
            "clicked": one.kind == EventKind.CLICK and not one.by_machine,
            "bounced": one.kind == EventKind.BOUNCE and not one.by_machine,
            "complained": one.kind == EventKind.COMPLAINT and not one.by_machine,
            "machine_reads": opened and one.by_machine,
        }
        for name, true in names.items():
            found[name] |= {one.message_id} if true else set()
    return {name: len(found[name]) for name in totals_module._KINDS}


def happens(host, chance, mailing_id, message_ids, **values):
    kind = chance.choice(list(EventKind)).value
    given = {"kind": kind, "at": host.clock(), "by_machine": chance.random() < 0.3} | values
    host.session.add(Event(message_id=chance.choice(message_ids), mailing_id=mailing_id, **given))
    host.session.flush()


def test_the_totals_are_right_at_every_moment(host):
    chance = random.Random(3)
    both = [mails(host, "One"), mails(host, "Two")]
    for _ in range(120):
        mailing_id, ids = chance.choice(both)
        happens(host, chance, mailing_id, ids)
        if chance.random() < 0.5:
            asked, _ = chance.choice(both)
            assert response_totals(host, asked) == from_scratch(host, asked)


def test_an_event_committed_very_late_is_counted_in_the_end(host):
    chance = random.Random(5)
    mailing_id, ids = mails(host, "One")
    for _ in range(40):
        happens(host, chance, mailing_id, ids[1:], id=100 + _)
    response_totals(host, mailing_id)
    host.session.add(
        Event(id=1, message_id=ids[0], mailing_id=mailing_id, kind="click", at=host.clock(), by_machine=False)
    )
    host.session.flush()
    clock(host).tick(seconds=(totals_module.AFRESH + timedelta(seconds=1)).total_seconds())
    assert response_totals(host, mailing_id) == from_scratch(host, mailing_id)


def test_what_was_counted_is_not_read_again(host):
    chance = random.Random(8)
    mailing_id, ids = mails(host, "One")
    for _ in range(60):
        happens(host, chance, mailing_id, ids)
    response_totals(host, mailing_id)
    newest, said = max(one.id for one in host.session.query(Event)), []
    event.listen(host.db.engine, "before_execute", lambda *given: said.append(given[3]))
    response_totals(host, mailing_id)
    counted = [values for values in said if "after" in values]
    assert [newest - values["after"] for values in counted] == [totals_module.UNSETTLED]
