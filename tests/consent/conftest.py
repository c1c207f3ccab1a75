"""The small host on SQLite and on PostgreSQL: tests that take `host` run on both."""

from collections.abc import Iterator

import pytest

from massmail_plugin.contracts import Host
from tests.consent.small_host import running_host


@pytest.fixture
def host(database_url: str) -> Iterator[Host]:
    with running_host(database_url) as host:
        yield host
