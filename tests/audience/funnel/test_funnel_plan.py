"""PostgreSQL can share the funnel among processors: one test of the wrong form would take that away unseen."""

from datetime import timedelta
from typing import Any

from sqlalchemy import event, text

from massmail_plugin.audience.funnel.request import AudienceRequest, Lately
from massmail_plugin.audience.funnel.steps import funnel
from massmail_plugin.contracts import Host
from tests.consent.small_host import NOON, add_list, running_host

SHARES = """SELECT set_config('min_parallel_table_scan_size', '0', true), set_config('parallel_setup_cost', '0', true),
    set_config('min_parallel_index_scan_size', '0', true), set_config('parallel_tuple_cost', '0', true)"""


def plan_of_the_longest(host: Host, request: AudienceRequest) -> str:
    seen: list[tuple[str, Any]] = []

    def listen(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(host.db.engine, "before_cursor_execute", listen)
    funnel(host, request)
    event.remove(host.db.engine, "before_cursor_execute", listen)
    statement, parameters = max(seen, key=lambda one: len(one[0]))
    driver: Any = host.session.connection().connection.driver_connection
    return "\n".join(line for (line,) in driver.execute("EXPLAIN " + statement, parameters))


def test_the_funnel_is_shared_out(fresh_postgres_url: str) -> None:
    with running_host(fresh_postgres_url) as host:
        news, staff = add_list(host), add_list(host, "Staff")
        people = "SELECT n, '', '', n || '@x.test' FROM generate_series(1, 20000) AS n"
        host.session.execute(text(f"INSERT INTO person (id, first, last, email1) {people}"))
        host.session.execute(
            text(
                "INSERT INTO massmail_subscription (list_id, contact_source, contact_key, state, since, evidence) "
                "SELECT :news, 'person', id::text, 'subscribed', now(), '' FROM person"
            ),
            {"news": news.id},
        )
        host.session.commit()
        host.session.execute(text("ANALYZE"))
        host.session.execute(text(SHARES))
        request = AudienceRequest(
            "person",
            [news.id],
            roles=["main"],
            excluded_list_ids=[staff.id],
            statuses=["new"],
            lately=Lately([1, 2], NOON - timedelta(days=7)),
            topic_ids=[1],
        )
        assert "Workers Planned" in plan_of_the_longest(host, request)
