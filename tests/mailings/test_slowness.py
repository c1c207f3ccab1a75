"""What the panel says of limits, spill-over and servers that ask for patience."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from massmail_plugin import mailings
from massmail_plugin.leases import database_now
from massmail_plugin.models import Pace, Sender
from tests.mailings.conftest import World


@pytest.fixture
def mailing(world: World):
    return world.running(3)


def limit(world: World, **values: object) -> None:
    world.host.session.execute(update(Sender).where(Sender.id == world.sender_id).values(**values))
    world.host.session.commit()


def stand(world: World, domain: str = "", **values: object) -> None:
    world.host.session.add(Pace(sender_id=world.sender_id, domain=domain, **{"day_count": 0, **values}))
    world.host.session.commit()


def test_nothing_is_said_where_nothing_is_in_the_way(world: World, mailing) -> None:
    assert mailings.slowness(world.host, mailing) == []
    limit(world, per_window=1000)
    assert mailings.slowness(world.host, mailing) == []


def test_a_used_up_day_says_when_it_goes_on(world: World, mailing) -> None:
    limit(world, per_day=300)
    stand(world, day=database_now(world.host).date(), day_count=300)
    (said,) = mailings.slowness(world.host, mailing)
    assert said.startswith("300 of 300 for today are sent; goes on at 00:00 UTC")


def test_spill_over_names_both_senders(world: World, mailing) -> None:
    second = Sender(name="Second", from_address="second@example.org", created_at=world.clock())
    world.host.session.add(second)
    world.host.session.flush()
    limit(world, per_day=300, spill_to_id=second.id)
    stand(world, day=database_now(world.host).date(), day_count=300)
    (said,) = mailings.slowness(world.host, mailing)
    assert said == "The daily quota of “Post” is used up; mails leave through “Second” for now."


def test_a_server_that_asks_for_patience_is_named_until_it_has_recovered(world: World, mailing) -> None:
    now = database_now(world.host)
    stand(world, "gmail.com", slow_rate=0.5, slow_at=now)
    (said,) = mailings.slowness(world.host, mailing)
    assert said.startswith("gmail.com asks for patience: 30 mails a minute for now")
    world.host.session.execute(update(Pace).values(slow_at=now - timedelta(hours=2)))
    world.host.session.commit()
    assert mailings.slowness(world.host, mailing) == []
