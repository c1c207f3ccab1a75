"""A host on each database, with a clock that is set by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from massmail_plugin.contracts import Host
from massmail_plugin.upkeep import schema
from tests.upkeep.small_host import HandClock, small_host


@pytest.fixture
def host(database_url: str, tmp_path: Path) -> Iterator[Host]:
    with small_host(database_url, tmp_path, MASSMAIL_DRAIN_SECONDS=0) as (_, mounted, _, _):
        schema.upgrade(mounted)
        yield mounted


@pytest.fixture
def clock(host: Host) -> HandClock:
    assert isinstance(host.clock, HandClock)
    return host.clock
