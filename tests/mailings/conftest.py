"""The small host with a mailing ready to be launched, as the tests of sending have it; and runs at any point."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from massmail_plugin import mailings
from massmail_plugin.models import Mailing
from massmail_plugin.upkeep import schema
from massmail_plugin.vocabulary import MailingState
from tests.campaigns.conftest import World as Campaigns
from tests.sending.conftest import host, news, provider, template
from tests.upkeep.small_host import HandClock, Queue, small_host

__all__ = ["World", "host", "news", "provider", "template", "world"]


class World(Campaigns):
    """What a test of runs needs to say in one line."""

    def __init__(self, host: object, clock: HandClock, queue: Queue) -> None:
        super().__init__(host, clock)  # type: ignore[arg-type]
        self.woken = queue.calls

    def draft(self, people: int, name: str = "Spring news", **values: object) -> Mailing:
        """A mailing to `people` new contacts (on the list are also those of before)."""
        if people:
            self.join(*self.members(people))
        made = mailings.create(
            self.host,
            name=name,
            contact_source="members",
            by="ada",
            list_ids=[self.list_id],
            template_id=self.template(f"{name} {self.host.session.query(Mailing).count()}"),
            sender_id=self.sender_id,
            **values,
        )
        self.host.session.commit()
        return made

    def launched(self, people: int, **values: object) -> Mailing:
        """Launched, but not filled yet."""
        made = self.draft(people, **values)
        mailings.launch(self.host, made, by="ada")
        self.host.session.commit()
        return made

    def running(self, people: int) -> Mailing:
        """Filled, and nothing has left."""
        made = self.launched(people)
        assert mailings.fill_launched(self.host) == 1
        return made

    def state(self, mailing: Mailing) -> MailingState:
        return MailingState(self.host.session.get_one(Mailing, mailing.id, populate_existing=True).state)

    def set_state(self, mailing: Mailing, state: MailingState) -> None:
        mailing.state = state.value
        self.host.session.commit()


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """On each database; chunks of two."""
    with small_host(database_url, tmp_path, MASSMAIL_CHUNK_SIZE=2) as (_, mounted, clock, queue):
        schema.upgrade(mounted)
        yield World(mounted, clock, queue)
