"""Cancel and pause while a real worker sends: it stops at once, and what is said afterwards is exact."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import current_app

from massmail_plugin import mailings, outbox
from massmail_plugin.contracts import Account, Answer, Host, Outgoing
from massmail_plugin.models import Mailing, Sender
from massmail_plugin.providers.one_by_one import OneByOneCarriage
from massmail_plugin.providers.recording import RecordingProvider
from massmail_plugin.sending import run_lane
from massmail_plugin.upkeep import schema
from massmail_plugin.vocabulary import MailingState
from tests.mailings.conftest import World
from tests.upkeep.small_host import small_host

CONNECTIONS = 2
PEOPLE = 200


class UnhurriedProvider(RecordingProvider):
    """Answers after twenty milliseconds, and knows how many mails it has in hand."""

    in_hand = 0

    def open(self, account: Account) -> OneByOneCarriage:
        return OneByOneCarriage(account.connections, self._slowly)

    async def _slowly(self, message: Outgoing) -> Answer:
        self.in_hand += 1
        await asyncio.sleep(0.02)
        self.in_hand -= 1
        return await self._keep(message)


@pytest.fixture
def provider() -> UnhurriedProvider:
    return UnhurriedProvider()


@pytest.fixture
def mailing(world: World, provider: UnhurriedProvider) -> Iterator[Mailing]:
    """A run in the hands of a worker: more than ten have gone, most have not."""
    sender = world.host.session.get_one(Sender, world.sender_id)
    sender.provider, sender.connections = provider.name, CONNECTIONS
    made = world.running(PEOPLE)
    worker = threading.Thread(target=_work, args=(current_app._get_current_object(), world.host, provider))
    worker.start()
    until = time.monotonic() + 20
    while len(provider.messages) < 10 and time.monotonic() < until:
        time.sleep(0.005)
    yield made
    worker.join(30)


def _work(app: object, host: Host, provider: UnhurriedProvider) -> None:
    with app.app_context():  # type: ignore[attr-defined]
        run_lane(replace(host, providers={provider.name: provider}), seconds=15)
        host.session.remove()


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """On each database; a worker has several chunks to go through."""
    with small_host(database_url, tmp_path, MASSMAIL_CHUNK_SIZE=50) as (_, mounted, clock, queue):
        schema.upgrade(mounted)
        yield World(mounted, clock, queue)


def test_after_cancel_only_what_was_in_flight_still_goes(
    world: World, provider: UnhurriedProvider, mailing: Mailing
) -> None:
    mailings.halt(world.host, mailing, by="ada")
    world.host.session.commit()
    gone = len(provider.messages) + provider.in_hand
    mailings.cancel(world.host, mailing)
    world.host.session.commit()
    rest = mailings.come_to_rest(world.host, mailing.id)
    assert rest.on_their_way == 0
    assert (rest.sent, rest.left) == (len(provider.messages), PEOPLE - len(provider.messages))
    assert rest.sent <= gone + 2 * CONNECTIONS
    assert rest.words("are not sent any more") == f"{rest.sent} mails had been sent; {rest.left} are not sent any more."
    time.sleep(0.3)
    assert len(provider.messages) == rest.sent, "nothing follows"
    assert outbox.counts(world.host, mailing.id) == outbox.Counts(sent=rest.sent, cancelled=rest.left)
    assert world.state(mailing) == MailingState.CANCELLED


def test_after_pause_the_rest_waits_and_goes_when_it_is_resumed(
    world: World, provider: UnhurriedProvider, mailing: Mailing
) -> None:
    mailings.pause(world.host, mailing, by="ada")
    world.host.session.commit()
    rest = mailings.come_to_rest(world.host, mailing.id)
    assert (rest.on_their_way, rest.sent + rest.left) == (0, PEOPLE)
    mailings.resume(world.host, mailing)
    world.host.session.commit()
    run_lane(replace(world.host, providers={provider.name: provider}), seconds=15)
    addresses = [message.rcpt_to for message in provider.messages]
    assert len(addresses) == len(set(addresses)) == PEOPLE
    assert world.state(mailing) == MailingState.FINISHED
