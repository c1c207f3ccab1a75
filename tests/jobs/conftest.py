"""The small host with a queue of its own on a real Redis."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from massmail_plugin.contracts import Host
from massmail_plugin.jobs.queue import JobQueue
from tests.consent.small_host import running_host


@pytest.fixture
def host(tmp_path: Path, redis_url: str) -> Iterator[Host]:
    """The small host; its queue is this test's own."""
    with running_host(f"sqlite:///{tmp_path / 'host.sqlite'}") as host:
        config = replace(host.config, redis_url=redis_url, queue=f"of-{uuid.uuid4().hex}", lanes=3)
        yield replace(host, config=config)


@pytest.fixture
def jobs(host: Host) -> JobQueue:
    """The queue."""
    return JobQueue(host.config, host.clock)
