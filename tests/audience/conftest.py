"""The small host on SQLite and on PostgreSQL: tests that take `host` run on both."""

from collections.abc import Iterator

import pytest

from massmail_plugin.contracts import Host
from tests.audience.criteria.criteria_host import World, criteria_host, people_the_world
from tests.consent.small_host import running_host


@pytest.fixture
def host(database_url: str) -> Iterator[Host]:
    with running_host(database_url) as host:
        yield host


@pytest.fixture
def sqlite_host() -> Iterator[Host]:
    """For what does not depend on the database."""
    with running_host("sqlite://") as host:
        yield host


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def peopled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, World]]:
    """The host of criteria with sixty people, made once for a module; its tests change nothing."""
    url, databases = f"sqlite:///{tmp_path_factory.mktemp('criteria') / 'host.sqlite'}", None
    if request.param == "postgresql":
        databases = request.getfixturevalue("postgres_databases")
        url = databases.take(empty=True)
    with criteria_host(url) as host:
        yield host, people_the_world(host, 60, seed=2026)
    if databases:
        databases.give_back(url)
