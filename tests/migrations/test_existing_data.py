"""What is in the tables stays when they are upgraded, and means the same afterwards."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import MetaData, Table, insert, select, text

from massmail_plugin import outbox
from massmail_plugin.consent import list_counts
from massmail_plugin.consent.subscriptions import tallies
from massmail_plugin.contracts import Host
from massmail_plugin.mailings import statistics
from massmail_plugin.models import Chunk, Event, List, Mailing, OutboxMessage, OutcomeReport, Sender, Template, Topic
from massmail_plugin.outbox import Counts
from massmail_plugin.upkeep import schema
from massmail_plugin.vocabulary import Priority, UncertainPolicy
from tests.upkeep.small_host import small_host

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
FIRST = {
    "massmail_list": [{"id": 1, "name": "News", "public_name": "", "description": "", "active": True}],
    "massmail_sender": [{"id": 1, "name": "Post", "provider": "smtp", "port": 25, "from_address": "us@example.org"}],
    "massmail_template": [
        {"id": 1, "name": "Letter", "topic": "Prices", "segment": "Schools", "format": "text"},
        {"id": 2, "name": "Other", "topic": "Prices", "format": "text"},
    ],
    "massmail_subscription": [
        {"id": 1, "list_id": 1, "contact_key": "1", "state": "subscribed"},
        {"id": 2, "list_id": 1, "contact_key": "2", "state": "subscribed"},
        {"id": 3, "list_id": 1, "contact_key": "3", "state": "unsubscribed"},
    ],
    "massmail_mailing": [
        {"id": 1, "name": "Spring", "kind": "one_off", "state": "sending", "contact_source": "members"},
        {"id": 2, "name": "Test", "kind": "test", "state": "sending", "contact_source": "members"},
    ],
    "massmail_mailing_list": [{"mailing_id": 1, "list_id": 1}, {"mailing_id": 2, "list_id": 1}],
    "massmail_chunk": [
        {"id": 1, "mailing_id": 1, "number": 0, "planned": 3, "sent": 1, "leased_by": "w:1", "leased_until": NOON},
        {"id": 2, "mailing_id": 2, "number": 0, "planned": 1},
    ],
    "massmail_outbox_message": [
        {"id": 1, "contact_key": "1", "state": "sent", "handed_at": NOON, "settled_at": NOON},
        {"id": 2, "contact_key": "2", "state": "planned", "handed_at": NOON},
        {"id": 3, "contact_key": "3", "state": "planned"},
        {"id": 4, "contact_key": "4", "state": "deferred"},
        {"id": 5, "contact_key": "5", "state": "planned", "mailing_id": 2},
    ],
    "massmail_event": [
        {"id": 1, "message_id": 1, "kind": "open", "by_machine": False},
        {"id": 2, "message_id": 1, "kind": "open", "by_machine": True, "machine_reason": "fetched ahead"},
        {"id": 3, "message_id": 1, "kind": "open", "by_machine": True, "machine_reason": "link scanner"},
        {"id": 4, "message_id": 1, "kind": "open", "by_machine": True, "machine_reason": "robot"},
    ],
    "massmail_outcome_report": [
        {"id": 7, "message_id": 1, "mailing_id": 1, "contact_key": "1", "outcome": "sent", "state": "waiting"}
    ],
}


def plain(table: Table, given: dict[str, Any]) -> dict[str, Any]:
    """A row with something plain in each column that must hold something."""
    needed = {column.name: column.type.python_type for column in table.columns if not column.nullable}
    values: dict[type, Any] = {str: "", int: 0, bool: False, datetime: NOON, object: [], dict: []}
    common = {"contact_source": "members", "mailing_id": 1, "due_at": NOON, "address_role": "main"}
    return {
        **{name: values[kind] for name, kind in needed.items()},
        **{name: value for name, value in common.items() if name in table.columns},
        **given,
    }


def write_first_version(host: Host) -> None:
    with host.db.engine.begin() as connection:
        command.upgrade(schema.configuration(connection), "0001")
        tables = MetaData()
        tables.reflect(connection)
        for name, rows in FIRST.items():
            for row in rows:
                connection.execute(insert(tables.tables[name]).values(plain(tables.tables[name], row)))


def test_a_mailing_under_way_goes_on_after_the_upgrade(empty_database_url: str, tmp_path: Path) -> None:
    with small_host(empty_database_url, tmp_path) as (_, host, _, _):
        write_first_version(host)
        schema.upgrade(host)
        states = {row.id: row.state for row in host.session.query(OutboxMessage)}
        assert states == {1: "sent", 2: "uncertain", 3: "planned", 4: "deferred", 5: "planned"}
        assert outbox.counts(host, 1) == Counts(sent=1, uncertain=1, planned=1, deferred=1)
        assert host.session.scalars(select(Chunk.leased_by)).all() == [None, None]
        priorities = {chunk.mailing_id: chunk.priority for chunk in host.session.query(Chunk)}
        assert priorities == {1: Priority.BULK, 2: Priority.TEST}
        assert {row.crashes for row in host.session.query(OutboxMessage)} == {0}
        assert host.session.get_one(Mailing, 1).retries


def test_senders_keep_working_as_before(empty_database_url: str, tmp_path: Path) -> None:
    with small_host(empty_database_url, tmp_path) as (_, host, _, _):
        write_first_version(host)
        schema.upgrade(host)
        sender = host.session.get_one(Sender, 1)
        assert (sender.connections, sender.per_window, sender.per_day, sender.seconds_between) == (10, None, None, 0)
        assert (sender.uncertain_policy, sender.domain_limits, sender.dkim_domain) == (UncertainPolicy.LEAVE, [], "")


def test_what_came_back_survives_both_ways(empty_database_url: str, tmp_path: Path) -> None:
    with small_host(empty_database_url, tmp_path) as (_, host, _, _):
        write_first_version(host)
        schema.upgrade(host)
        assert host.session.scalars(select(OutcomeReport.message_id)).all() == [1]
        assert host.session.scalars(select(Event.message_id)).all() == [1, 1, 1, 1]
        host.session.rollback()
        schema.downgrade(host, "0001")
        schema.upgrade(host)
        assert host.session.scalars(select(OutcomeReport.id)).all() == [7]
        assert host.session.scalars(select(Event.id).order_by(Event.id)).all() == [1, 2, 3, 4]


def test_topics_and_segments_of_templates_survive_both_ways(empty_database_url: str, tmp_path: Path) -> None:
    with small_host(empty_database_url, tmp_path) as (_, host, _, _):
        write_first_version(host)
        schema.upgrade(host)
        assert host.session.scalars(select(Topic.name)).all() == ["Prices"]
        one, two = host.session.scalars(select(Template).order_by(Template.id))
        assert (one.topic_title, one.segment and one.segment.name) == ("Prices", "Schools")
        assert (two.topic, two.segment) == (one.topic, None)
        host.session.rollback()
        schema.downgrade(host, "0003")
        words = text("SELECT topic, segment FROM massmail_template ORDER BY id")
        assert host.session.execute(words).all() == [("Prices", "Schools"), ("Prices", "")]
        host.session.rollback()
        schema.upgrade(host)
        assert [one.topic_title for one in host.session.scalars(select(Template))] == ["Prices", "Prices"]


def test_lists_know_their_numbers_and_when_they_were_mailed(empty_database_url: str, tmp_path: Path) -> None:
    """A test mail is no mailing."""
    with small_host(empty_database_url, tmp_path) as (_, host, _, _):
        write_first_version(host)
        launched = text("UPDATE massmail_mailing SET launched_at = :at WHERE id = :id")
        for number, at in ((1, NOON), (2, NOON + timedelta(days=1))):
            host.session.execute(launched, {"at": at.strftime("%Y-%m-%d %H:%M:%S.%f"), "id": number})
        host.session.commit()
        schema.upgrade(host)
        assert list_counts(host) == {1: {"subscribed": 2, "unsubscribed": 1}}
        assert tallies.differences(host) == []
        assert host.session.get_one(List, 1).last_mailed_at == NOON


def test_verdicts_over_hits_keep_their_reasons(empty_database_url: str, tmp_path: Path) -> None:
    with small_host(empty_database_url, tmp_path) as (_, host, _, _):
        write_first_version(host)
        schema.upgrade(host)
        rows = host.session.execute(select(Event.machine_reason, Event.request).order_by(Event.id)).all()
        assert rows == [("", ""), ("prefetch", "prefetch"), ("scanner", ""), ("robot", "")]


def test_pages_of_the_outbox_have_room_on_postgresql(fresh_postgres_url: str, tmp_path: Path) -> None:
    with small_host(fresh_postgres_url, tmp_path) as (_, host, _, _):
        schema.upgrade(host)
        query = text("SELECT reloptions FROM pg_class WHERE relname = 'massmail_outbox_message'")
        assert host.session.scalar(query) == ["fillfactor=50"]


def test_events_of_before_are_tallied(empty_database_url: str, tmp_path: Path) -> None:
    hits = ((5, 2, "click", False), (90, 2, "open", False), (7, 3, "open", True))
    with small_host(empty_database_url, tmp_path) as (_, host, _, _):
        write_first_version(host)
        with host.db.engine.begin() as connection:
            tables = MetaData()
            tables.reflect(connection, only=["massmail_event"])
            table = tables.tables["massmail_event"]
            for number, (minutes, message, kind, machine) in enumerate(hits, 10):
                at = NOON + timedelta(minutes=minutes)
                given = {"id": number, "message_id": message, "kind": kind, "by_machine": machine, "at": at}
                connection.execute(insert(table).values(plain(table, given)))
        schema.upgrade(host)
        assert statistics.differences(host, 1) == []
        found = statistics.responses(host, 1)
        assert (found.read, found.clicked, found.machine_opens) == (2, 1, 4)
