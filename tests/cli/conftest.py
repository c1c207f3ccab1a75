"""`flask massmail` of a small host, as one types it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from massmail_plugin import cli, mailings
from massmail_plugin.contracts import Host
from massmail_plugin.models import OutboxMessage
from massmail_plugin.upkeep import schema
from tests.campaigns.conftest import World
from tests.upkeep.small_host import Queue, small_host


class Terminal:
    """Runs commands in the application of the test; `world` fills the tables."""

    def __init__(self, app: Flask, host: Host, queue: Queue, world: World | None) -> None:
        self.app, self.host, self.queue, self._world = app, host, queue, world
        cli.register(app)

    @property
    def world(self) -> World:
        assert self._world is not None
        return self._world

    def run(self, *arguments: str, typed: str = "", code: int = 0) -> str:
        """What the command printed, both outputs together; it must end with `code`."""
        result: Result = self.app.test_cli_runner().invoke(args=["massmail", *arguments], input=typed)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result.output

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code))


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Terminal]:
    """Before the first upgrade."""
    with small_host(f"sqlite:///{tmp_path / 'host.sqlite3'}", tmp_path) as (app, host, _, queue):
        yield Terminal(app, host, queue, None)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with small_host(f"sqlite:///{tmp_path / 'host.sqlite3'}", tmp_path) as (app, host, clock, queue):
        schema.upgrade(host)
        yield Terminal(app, host, queue, World(host, clock))


@pytest.fixture
def message(terminal: Terminal) -> OutboxMessage:
    """A mail of a mailing that was launched."""
    world, host = terminal.world, terminal.host
    world.join(*world.members(1))
    made = mailings.create(
        host,
        name="Spring news",
        contact_source="members",
        by="ada",
        list_ids=[world.list_id],
        template_id=world.template("Spring"),
        sender_id=world.sender_id,
    )
    mailings.launch(host, made, by="ada")
    host.session.commit()
    mailings.fill_launched(host)
    return host.session.scalars(select(OutboxMessage)).one()
