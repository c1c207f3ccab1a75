"""Writing a campaign, changing it while people are inside, and what is refused."""

import pytest
from sqlalchemy import select

from massmail_plugin import campaigns
from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Campaign, CampaignStep, Mailing, OutboxMessage
from tests.campaigns.conftest import World


def step(campaign: Campaign, day: int) -> CampaignStep:
    return next(one for one in campaign.steps if one.day == day)


def paused(world: World, campaign: Campaign) -> Campaign:
    campaigns.pause(world.host, campaign, by="ada")
    world.host.session.commit()
    return campaign


def go_on(world: World, campaign: Campaign) -> None:
    campaigns.activate(world.host, campaign, by="ada")
    world.host.session.commit()


def days_of(world: World, key: str) -> list[int]:
    return [int(name.rpartition(" ")[2]) for name in world.mails(key)]


def test_steps_stand_in_the_order_of_their_days(plain_world: World) -> None:
    campaign = plain_world.campaign((14, 0, 7), active=False)
    assert [one.day for one in campaign.steps] == [0, 7, 14]


def test_what_is_refused_and_why(plain_world: World) -> None:
    world, host = plain_world, plain_world.host
    campaign = world.campaign((0,), active=False)
    template_id = campaign.steps[0].template_id
    for day, template, word in [(0, template_id, "already"), (-1, template_id, "between"), (3, 999, "template")]:
        with pytest.raises(BadRequest, match=word):
            campaigns.add_step(host, campaign, day=day, template_id=template)
    other = {"source_name": "members", "by": "ada"}
    for name, lists, sender, word in [
        (" ", [], None, "needs a name"),
        ("Welcome series", [], None, "already"),
        ("Another", [99], None, "lists"),
        ("Another", [], 99, "sender"),
    ]:
        with pytest.raises(BadRequest, match=word):
            campaigns.create(host, name=name, list_ids=lists, sender_id=sender, **other)
        host.session.rollback()


def test_a_campaign_without_lists_or_mails_cannot_start(plain_world: World) -> None:
    host = plain_world.host
    empty = campaigns.create(host, name="Empty", source_name="members", by="ada")
    with pytest.raises(BadRequest, match=r"list.* and .*mail"):
        campaigns.activate(host, empty, by="ada")
    assert empty.state == "draft"


def test_a_campaign_without_a_sender_cannot_start(plain_world: World) -> None:
    campaign = plain_world.campaign((0,), active=False)
    campaign.sender_id = None
    plain_world.host.session.commit()
    with pytest.raises(BadRequest, match="sender"):
        campaigns.activate(plain_world.host, campaign, by="ada")
    plain_world.host.session.rollback()
    assert campaign.state == "draft"


def test_an_active_campaign_is_paused_before_its_mails_change(plain_world: World) -> None:
    campaign = plain_world.campaign()
    for change in (
        lambda: campaigns.add_step(plain_world.host, campaign, day=3, template_id=campaign.steps[0].template_id),
        lambda: campaigns.remove_step(plain_world.host, campaign, campaign.steps[0]),
    ):
        with pytest.raises(BadRequest, match="Pause it"):
            change()


def test_states_that_do_not_follow_each_other(plain_world: World) -> None:
    campaign = plain_world.campaign()
    with pytest.raises(BadRequest, match="is active"):
        campaigns.activate(plain_world.host, campaign, by="ada")
    campaigns.pause(plain_world.host, campaign, by="ada")
    with pytest.raises(BadRequest, match="is paused"):
        campaigns.pause(plain_world.host, campaign, by="ada")


def test_only_a_draft_is_deleted(plain_world: World) -> None:
    host = plain_world.host
    draft = plain_world.campaign((0, 7), active=False)
    campaigns.remove(host, draft)
    host.session.commit()
    assert host.session.scalars(select(Campaign)).all() == []
    campaign = plain_world.campaign((0,), name="Second")
    with pytest.raises(BadRequest, match="kept"):
        campaigns.remove(host, paused(plain_world, campaign))


def test_a_mail_put_between_reaches_those_who_are_not_that_far(world: World) -> None:
    campaign = world.campaign((0, 10))
    far = world.new_member()
    world.tick()
    world.tick(days=10)
    near = world.new_member()
    world.tick(days=1)
    campaigns.add_step(world.host, paused(world, campaign), day=4, template_id=world.template("Between"))
    go_on(world, campaign)
    for _ in range(12):
        world.tick(days=1)
    assert days_of(world, far) == [0, 10]
    assert days_of(world, near) == [0, 4, 10]


def test_a_mail_taken_out_is_not_waited_for(world: World) -> None:
    campaign = world.campaign((0, 4, 10))
    key = world.new_member()
    world.tick()
    world.tick(days=1)
    campaigns.remove_step(world.host, paused(world, campaign), step(campaign, 4))
    go_on(world, campaign)
    assert world.tick(days=3) == 0
    assert world.tick(days=5) == 0
    assert world.tick(days=1) == 1
    assert days_of(world, key) == [0, 10]


def test_what_waits_of_a_mail_taken_out_is_cancelled(plain_world: World) -> None:
    world = plain_world
    campaign = world.campaign((0, 4))
    world.new_member()
    world.tick()
    mailing_id = step(campaign, 0).mailing_id
    campaigns.remove_step(world.host, paused(world, campaign), step(campaign, 0))
    world.host.session.commit()
    assert world.host.session.get_one(Mailing, mailing_id).state == "cancelled"
    assert [row.state for row in world.host.session.scalars(select(OutboxMessage))] == ["cancelled"]


def test_the_last_mail_replaced_by_another_reaches_those_who_waited(world: World) -> None:
    campaign = world.campaign((0, 7))
    waits, new = world.new_member(), world.new_member()
    world.tick()
    world.tick(days=1)
    paused(world, campaign)
    campaigns.remove_step(world.host, campaign, step(campaign, 7))
    campaigns.add_step(world.host, campaign, day=5, template_id=world.template("Instead"))
    go_on(world, campaign)
    assert world.tick(days=3) == 0
    assert world.tick(days=1) == 2
    assert days_of(world, waits) == days_of(world, new) == [0, 5]


def test_those_past_the_last_mail_that_is_left_have_finished(plain_world: World) -> None:
    world = plain_world
    campaign = world.campaign((0, 7))
    world.new_member()
    world.tick()
    campaigns.remove_step(world.host, paused(world, campaign), step(campaign, 7))
    go_on(world, campaign)
    assert campaigns.totals(world.host, campaign).finished == 1


def test_words_are_frozen_at_activation_and_kept_over_a_pause(plain_world: World) -> None:
    campaign = plain_world.campaign((0,))
    first = campaign.steps[0].mailing_id
    go_on(plain_world, paused(plain_world, campaign))
    assert campaign.steps[0].mailing_id == first


def test_timeline_and_totals(world: World) -> None:
    campaign = world.campaign()
    key, leaver, other = world.new_member(), world.new_member(), world.new_member()
    start = world.clock()
    world.tick()
    world.opt_out(leaver, list_ids=[world.list_id])
    world.tick(days=7)
    (stay,) = campaigns.timeline(world.host, ContactRef("members", key))
    assert [(one.day, one.passed, len(one.mails)) for one in stay.steps] == [(0, True, 1), (7, True, 1), (14, False, 0)]
    expected = stay.steps[2].expected
    assert expected is not None
    assert (expected - start).days == 14
    assert stay.left_at_step is None
    found = campaigns.totals(world.host, campaign)
    assert (found.entered, found.active, found.left, found.left_by_reason) == (3, 2, 1, {"left_list": 1})
    assert [(one.next_for, one.counts.planned) for one in found.steps] == [(0, 3), (0, 2), (2, 0)]
    assert campaigns.timeline(world.host, ContactRef("members", "no such key")) == []
    assert world.mails(other)
