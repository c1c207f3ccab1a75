"""Everybody sends the same item to the same people, and what is missing is noticed."""

import smtplib
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from bench import work_item
from bench.engine import BY_LOGIC, Engine, Way, check
from bench.findings import BenchFailed
from bench.host import Contact, context
from bench.sinks import HOST, SlowSink
from bench.without import PARTS
from massmail_plugin.models import Mailing

from .conftest import MILLISECONDS, PEOPLE


def test_the_item_is_the_standard_one():
    assert 10_500 < len(work_item.PLAIN.html.encode()) < 10_700
    assert len(work_item.FIELDS) == 8
    for words in (work_item.PLAIN, work_item.BY_LOGIC):
        assert len(set(work_item.LINKS)) == 12
        assert all(link in words.text and link.replace("&", "&amp;") in words.html for link in work_item.LINKS)


def test_the_peers_write_to_the_same_people_with_the_same_values(engine: Engine):
    with context(engine.app) as host:
        found = host.session.scalars(select(Contact).order_by(Contact.id)).all()
        values = [{name: getattr(contact, name) for name in ("email", *work_item.FIELDS)} for contact in found]
    assert values == [work_item.person(number) for number in range(1, PEOPLE + 1)]


WAYS = {
    "two workers on asyncio": Way(loop="asyncio", workers=2),
    "logic, no limits": Way(words=BY_LOGIC, sender={}),
    **{f"without {part}": Way(without=part) for part in PARTS if part != "nothing"},
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_a_round_sends_everything_whatever_is_taken_away(way: Way, engine: Engine, sink: SlowSink):
    sample = engine.run(sink, PEOPLE, way)
    taken, octets, signatures = sink.counts()
    assert (taken, signatures) == (PEOPLE, 0)
    assert 12_000 < octets / taken < 14_500
    assert all(value > 0 for value in sample.values())


def test_each_round_begins_with_an_empty_outbox(engine: Engine, sink: SlowSink):
    engine.run(sink, PEOPLE, Way())
    engine.empty()
    with context(engine.app) as host:
        assert host.session.scalars(select(Mailing)).all() == []
    engine.run(sink, PEOPLE // 2, Way())
    assert sink.taken() == PEOPLE + PEOPLE // 2


def test_a_row_that_is_not_sent_and_a_mail_that_did_not_arrive_are_noticed(engine: Engine):
    with context(engine.app) as host:
        mailing_id = engine.launch(host, PEOPLE, 9, Way())
        with pytest.raises(BenchFailed, match="120 mails"):
            check(host, mailing_id, PEOPLE, PEOPLE)


def test_the_slow_server_answers_after_its_time_and_pipelined_commands_together(sink: SlowSink):
    with closing(smtplib.SMTP(HOST, sink.port, timeout=10)) as session:
        session.ehlo()
        assert session.has_extn("pipelining")
        began = time.monotonic()
        session.send(b"MAIL FROM:<a@bench.example>\r\nRCPT TO:<b@bench.example>\r\nDATA\r\n")
        assert [session.getreply()[0] for _ in range(3)] == [250, 250, 354]
        seconds = time.monotonic() - began
        session.send(b"DKIM-Signature: v=1\r\n\r\nHello\r\n.\r\n")
        assert session.getreply()[0] == 250
    assert MILLISECONDS / 1000 <= seconds < 3 * MILLISECONDS / 1000 + 1
    assert sink.counts() == (1, len(b"DKIM-Signature: v=1\r\n\r\nHello\r\n"), 1)


def test_a_process_that_fails_is_told_with_its_log(engine: Engine, sink: SlowSink, tmp_path: Path):
    with pytest.raises(BenchFailed, match="KeyError: 'everything'"):
        engine.run(sink, PEOPLE, Way(without="everything"))
