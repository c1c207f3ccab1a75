"""What the short fault runs share: moulds of both kinds of database, made once."""

from collections.abc import Iterator

import pytest

from faults.run import Stand
from sample_host.services.child_process import ServiceMissing
from sample_host.services.postgres_server import find_programs
from sample_host.services.redis_server import find_program
from tests.requirements import need


@pytest.fixture(scope="session")
def stand() -> Iterator[Stand]:
    """Redis, PostgreSQL and the moulds; a test that needs what is not here is skipped with the reason."""
    for kind, find in (("redis", find_program), ("postgresql", find_programs)):
        try:
            find()
        except ServiceMissing as missing:
            need(kind, str(missing))
    made = Stand(contacts=1200)
    yield made
    made.close()
