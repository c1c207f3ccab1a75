"""Whoever goes back to tables without topics and times sends to nobody whom a topic's stop kept out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from massmail_plugin.models import List, Suppression, Topic
from massmail_plugin.upkeep import schema
from tests.upkeep.small_host import small_host


def test_stops_of_topics_become_stops_of_their_lists(empty_database_url: str, tmp_path: Path) -> None:
    with small_host(empty_database_url, tmp_path) as (_, host, _, _):
        schema.upgrade(host)
        now = datetime.now(UTC)
        wine = Topic(name="Wine")
        lists = [List(name=name, created_at=now, topic=topic) for name, topic in (("Red", wine), ("Tea", None))]
        host.session.add_all([wine, *lists])
        host.session.flush()

        def stop(address: str, until: datetime | None = None, **more: object) -> Suppression:
            return Suppression(address=address, reason="opt_out", created_at=now, until=until, **more)

        of_topic = {"scope": "topic", "topic_id": wine.id}
        host.session.add_all(
            [
                stop("topic@example.org", **of_topic),
                stop("over@example.org", now - timedelta(days=1), **of_topic),
                stop("pause@example.org", now + timedelta(days=1), scope="all_but_transactional"),
                stop("paused@example.org", now - timedelta(days=1), scope="all_but_transactional"),
                stop("list@example.org", scope="list", list_id=lists[1].id),
            ]
        )
        red, tea = (row.id for row in lists)
        host.session.commit()
        schema.downgrade(host, "0003")
        rows = host.session.execute(
            text("SELECT address, scope, list_id FROM massmail_suppression ORDER BY address")
        ).all()
        assert [tuple(row) for row in rows] == [
            ("list@example.org", "list", tea),
            ("pause@example.org", "all_but_transactional", None),
            ("topic@example.org", "list", red),
        ]
