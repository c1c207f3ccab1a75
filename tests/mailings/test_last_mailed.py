"""A list knows when mail for it was planned last: by a mailing of its own, or by a step of a campaign."""

from massmail_plugin import campaigns, mailings
from massmail_plugin.jobs import scheduler
from massmail_plugin.models import List, SubscriptionTally
from tests.mailings.conftest import World


def last_mailed(world: World) -> object:
    return world.host.session.get_one(List, world.list_id, populate_existing=True).last_mailed_at


def test_launching_is_not_mailing_but_filling_is(world: World) -> None:
    world.launched(2)
    assert last_mailed(world) is None
    world.clock.go(minutes=3)
    assert mailings.fill_launched(world.host) == 1
    assert last_mailed(world) == world.host.clock()


def test_a_step_of_a_campaign_counts_too(world: World) -> None:
    world.campaign()
    world.new_member()
    campaigns.advance(world.host)
    assert last_mailed(world) == world.host.clock()
    before = last_mailed(world)
    world.clock.go(minutes=3)
    campaigns.advance(world.host)
    assert last_mailed(world) == before, "nobody was due"


def test_the_scheduler_folds_the_numbers(world: World) -> None:
    for _ in range(3):
        world.new_member()
    assert world.host.session.query(SubscriptionTally).count() == 3
    scheduler.tick(world.host)
    assert world.host.session.query(SubscriptionTally).count() == 1
