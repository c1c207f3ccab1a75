"""The world of the bench's audiences: contacts with companies and orders, lists, stops, and mailings they got before.

Everything is made by the database itself, from the number of the contact, so that a million takes a minute. Commits.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from flask import Flask
from sqlalchemy import text

from bench.audience.crm import SOURCE, STATUSES, Base, create_app
from bench.findings import BenchFailed
from bench.host import context
from bench.stage import Stage
from massmail_plugin.contracts import Host
from massmail_plugin.models import List, Mailing, Template
from massmail_plugin.upkeep import schema
from massmail_plugin.vocabulary import MailingKind, MailingState

FEW, MANY, QUICK_MANY = 10_000, 1_000_000, 200_000
NEWS, OFFERS, OLD, STAFF = "News", "Offers", "Old", "Staff"
PAST = 5
"""Mailings of the past, a week between two; each went to every fifth contact."""
SECRET_KEY = "a key of the bench that signs its links"

CONTACTS = (
    """INSERT INTO company (id, name, branch)
    SELECT n, 'Company ' || n, (ARRAY['wood', 'stone', 'glass', 'paper', 'iron'])[1 + n % 5]
    FROM generate_series(1, :number / 20 + 1) AS n""",
    """INSERT INTO contact (id, name, email, city, status, active, balance, since, company_id)
    SELECT n, 'Contact ' || md5(n::text),
        CASE WHEN n % 200 = 7 THEN NULL WHEN n % 500 = 9 THEN 'no address at all'
             WHEN n % 100 = 1 AND n > 1 THEN 'reader' || n - 1 || '@mail' || (n - 1) % 97 || '.example'
             WHEN n % 10 = 3 THEN 'Reader' || n || '@Mail' || n % 97 || '.Example'
             ELSE 'reader' || n || '@mail' || n % 97 || '.example' END,
        (ARRAY['Genf', 'Oslo', 'Leeds', 'Graz', 'Lyon', 'Turin', 'York', 'Bergen'])[1 + n % 8],
        (CAST(:statuses AS text[]))[1 + (n::bigint * 7919 % 1000)::int * 7 / 1000],
        n % 50 <> 11, (n::bigint * 31 % 100000) / 100.0, date '2020-01-01' + (n::bigint * 17 % 2300)::int,
        CASE WHEN n % 4 > 0 THEN 1 + n / 20 END
    FROM generate_series(1, :number) AS n""",
    """INSERT INTO customer_order (contact_id, item, total, ordered)
    SELECT 1 + n % :number, (ARRAY['stool', 'bench', 'ladder', 'bowl'])[1 + n % 4], (n::bigint * 13 % 50000) / 100.0,
        date '2026-11-01' - (n::bigint * 11 % 2000)::int
    FROM generate_series(0, 2 * :number - 1) AS n WHERE n % 3 < 2""",
)
ON_LIST = """INSERT INTO massmail_subscription (list_id, contact_source, contact_key, state, since, evidence)
    SELECT :list_id, 'contact', id::text, CASE WHEN id % 33 = 0 THEN 'unsubscribed' ELSE 'subscribed' END,
        now() - interval '1 hour' * (id % 9000), 'bench'
    FROM contact WHERE """
ON = {NEWS: "id % 20 <> 1", OFFERS: "id % 3 = 0", OLD: "id % 10 = 1", STAFF: "id % 20 = 2"}
"""Who is on the lists, or was: some are on the archived one alone."""
TALLIES = """INSERT INTO massmail_subscription_tally (list_id, state, change)
    SELECT list_id, state, count(*) FROM massmail_subscription GROUP BY list_id, state"""
STOPS = (
    """INSERT INTO massmail_suppression
        (contact_source, contact_key, scope, reason, note, created_at, created_by, until)
    SELECT 'contact', id::text, 'all_but_transactional', CASE id % 150 WHEN 5 THEN 'pause' ELSE 'opt_out' END, '',
        now() - interval '1 hour' * (id % 9000), 'bench',
        CASE id % 150 WHEN 5 THEN now() + interval '1 day' * (id % 60 - 30) END
    FROM contact WHERE id % 50 = 5""",
    """INSERT INTO massmail_suppression (address, scope, reason, note, created_at, created_by)
    SELECT lower(trim(email)), 'all_but_transactional',
        CASE id % 150 WHEN 6 THEN 'complaint' ELSE 'hard_bounce' END, '',
        now() - interval '1 hour' * (id % 9000), 'bench'
    FROM contact WHERE id % 50 = 6 AND email IS NOT NULL""",
    """INSERT INTO massmail_suppression
        (contact_source, contact_key, scope, list_id, reason, note, created_at, created_by)
    SELECT 'contact', id::text, 'list', :news, 'by_person', '', now(), 'bench' FROM contact WHERE id % 200 = 12""",
    """INSERT INTO massmail_frequency (contact_source, contact_key, days, since)
    SELECT 'contact', id::text, CASE id % 200 WHEN 13 THEN 7 ELSE 30 END, now() FROM contact WHERE id % 100 = 13""",
)
SENT = """INSERT INTO massmail_outbox_message (mailing_id, chunk, contact_source, contact_key, address_role, occurrence,
        channel, address, dedup_key, list_id, state, reason, attempts, crashes, handed_at, settled_at, reply_enhanced,
        reply_text)
    SELECT :mailing_id, id / 2500, 'contact', id::text, 'main', 0, 'email', email, NULL, :news,
        CASE WHEN id % 40 = :turn THEN 'refused' ELSE 'sent' END, '', 1, 0, :at, :at, '', ''
    FROM contact WHERE id % :past = :turn AND email IS NOT NULL"""
CHUNKS = """INSERT INTO massmail_chunk (mailing_id, number, priority, crashes, planned, deferred, sent, refused,
        uncertain, skipped, cancelled)
    SELECT mailing_id, chunk, 5, 0, 0, 0, count(*) FILTER (WHERE state = 'sent'),
        count(*) FILTER (WHERE state = 'refused'), 0, 0, 0
    FROM massmail_outbox_message GROUP BY mailing_id, chunk"""
EVENTS = """INSERT INTO massmail_event
        (message_id, mailing_id, kind, at, by_machine, machine_reason, user_agent, request, meaning, detail)
    SELECT id, mailing_id, :kind, settled_at + interval '1 minute' * (id % 3000), :machine,
        CASE WHEN :machine THEN 'proxy' ELSE '' END, 'a mail program', '', '', ''
    FROM massmail_outbox_message WHERE state = 'sent' AND id % :each = 0"""
EACH_EVENT = (("open", True, 2), ("open", False, 4), ("click", False, 20))


@dataclass(frozen=True)
class World:
    """A host with so many contacts, in a database of its own on PostgreSQL."""

    app: Flask
    number: int
    lists: dict[str, int]
    """Name -> id. Most are on News, a third on Offers, a tenth on the archived Old, some on Staff."""
    mailings: tuple[int, ...]
    """Those of the past, the oldest first."""

    @contextmanager
    def host(self) -> Iterator[Host]:
        """The plugin in the application's context; what was not committed is forgotten."""
        with context(self.app) as host:
            yield host


def many(stage: Stage) -> int:
    """How many contacts the large world has."""
    return QUICK_MANY if stage.size.quick else MANY


@cache
def world(stage: Stage, number: int) -> World:
    """The world with so many contacts; made when first asked for, then the same for all parts of a run."""
    stage.say(f"Making a world of {number:,} contacts ...")
    return make(create_app(settings(stage, f"audience_{number}")), number)


def settings(stage: Stage, name: str) -> dict[str, Any]:
    """The configuration of a host with a new database of that name."""
    return {
        "SECRET_KEY": SECRET_KEY,
        "SQLALCHEMY_DATABASE_URI": stage.database(name),
        "MASSMAIL_BASE_URL": "https://crm.bench.example",
        "MASSMAIL_SECRET_KEYS": [SECRET_KEY],
        "MASSMAIL_REDIS_URL": "redis://127.0.0.1:1/0",
        "MASSMAIL_STATE_DIR": str(stage.folder / f"{name}-state"),
    }


def make(app: Flask, number: int) -> World:
    """Fill an empty database."""
    with context(app) as host:
        if host.db.engine.dialect.name != "postgresql":
            raise BenchFailed("The world of audiences is made by PostgreSQL alone.")
        Base.metadata.create_all(host.db.engine)
        schema.upgrade(host)
        for statement in CONTACTS:
            _run(host, statement, number=number, statuses=list(STATUSES))
        lists = _lists(host)
        _history(host, lists)
        for statement in STOPS:
            _run(host, statement, news=lists[NEWS])
        mailing_ids = _mailings(host, lists[NEWS])
        host.session.commit()
        settle(host)
    return World(app, number, lists, mailing_ids)


def _lists(host: Host) -> dict[str, int]:
    made = {name: List(name=name, active=name != OLD, created_at=host.clock()) for name in (NEWS, OFFERS, OLD, STAFF)}
    host.session.add_all(made.values())
    host.session.flush()
    return {name: list_.id for name, list_ in made.items()}


def _history(host: Host, lists: dict[str, int]) -> None:
    for name, who in ON.items():
        _run(host, ON_LIST + who, list_id=lists[name])
    _run(host, TALLIES)


def _mailings(host: Host, news: int) -> tuple[int, ...]:
    """Sent mailings with what came back of them."""
    template = Template(name="Letter", created_at=host.clock(), updated_at=host.clock())
    host.session.add(template)
    made = [_mailing(host, turn, template) for turn in range(PAST)]
    host.session.add_all(made)
    host.session.flush()
    for turn, mailing in enumerate(made):
        _run(host, SENT, mailing_id=mailing.id, news=news, past=PAST, turn=turn, at=mailing.finished_at)
    _run(host, CHUNKS)
    for kind, machine, each in EACH_EVENT:
        _run(host, EVENTS, kind=kind, machine=machine, each=each)
    return tuple(mailing.id for mailing in made)


def _mailing(host: Host, turn: int, template: Template) -> Mailing:
    at = host.clock() - timedelta(days=7 * (PAST - turn) - 3)
    return Mailing(
        name=f"Letter {turn + 1}",
        kind=MailingKind.ONE_OFF.value,
        state=MailingState.FINISHED.value,
        contact_source=SOURCE,
        address_roles=[],
        template=template,
        created_at=at,
        launched_at=at,
        finished_at=at,
    )


def _run(host: Host, statement: str, **values: Any) -> None:
    host.session.execute(text(statement), {name: value for name, value in values.items() if f":{name}" in statement})


def settle(host: Host) -> None:
    """As on a database that has had time: vacuumed, and known to the planner."""
    with host.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))
