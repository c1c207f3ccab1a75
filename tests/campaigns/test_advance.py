"""Ticks of the scheduler: each contact gets each mail on its day, once, until it leaves."""

from concurrent.futures import ThreadPoolExecutor

from flask import current_app
from sqlalchemy import event, func, select

from massmail_plugin import campaigns, consent
from massmail_plugin.consent.proof import Proof
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import Enrolment, Mailing, OutboxMessage, Suppression
from massmail_plugin.vocabulary import ConsentWay
from tests.campaigns.conftest import World
from tests.upkeep.small_host import Member

DAYS = ["Welcome series, day 0", "Welcome series, day 7", "Welcome series, day 14"]


def enrolment(world: World, key: str) -> Enrolment:
    return world.host.session.scalars(select(Enrolment).where(Enrolment.contact_key == key)).one()


def test_day_0_7_and_14_are_exactly_three_mails(world: World) -> None:
    world.campaign()
    key = world.new_member()
    sent = {}
    for hour in range(0, 24 * 20, 6):
        if planned := world.tick(hours=6 if hour else 0):
            sent[hour / 24] = planned
    assert sent == {0: 1, 7: 1, 14: 1}
    assert world.mails(key) == DAYS
    assert enrolment(world, key).state == "finished"


def test_a_tick_that_runs_twice_sends_nothing_twice(world: World) -> None:
    world.campaign()
    keys = world.members(20)
    world.join(*keys)
    assert [world.tick(), world.tick(), world.tick()] == [20, 0, 0]
    assert [world.tick(days=7), world.tick(), world.tick(seconds=15)] == [20, 0, 0]
    assert all(world.mails(key) == DAYS[:2] for key in keys)


def test_those_on_the_list_before_stay_out_unless_asked_in(plain_world: World) -> None:
    world = plain_world
    old = world.new_member()
    world.clock.go(minutes=1)
    campaign = world.campaign(active=False)
    assert campaigns.activate(world.host, campaign, by="ada") == 0
    world.host.session.commit()
    assert world.tick() == 0
    campaigns.pause(world.host, campaign, by="ada")
    assert campaigns.activate(world.host, campaign, by="ada", include_present=True) == 1
    world.host.session.commit()
    assert world.tick(hours=1) == 1
    assert world.mails(old) == DAYS[:1]


def test_who_opts_out_after_the_first_mail_gets_no_more(world: World) -> None:
    world.campaign()
    stays, leaves, quits = (world.new_member() for _ in range(3))
    world.tick()
    world.opt_out(leaves, list_ids=[world.list_id])
    world.opt_out(quits)
    for _ in range(20):
        world.tick(days=1)
    assert world.mails(stays) == DAYS
    assert world.mails(leaves) == world.mails(quits) == DAYS[:1]
    assert (enrolment(world, leaves).state, enrolment(world, leaves).left_reason) == ("left", "left_list")
    assert (enrolment(world, quits).state, enrolment(world, quits).left_reason) == ("left", "opted_out")
    (stay,) = campaigns.timeline(world.host, ContactRef("members", leaves))
    assert stay.left_at_step == 2


def test_who_takes_the_opt_out_back_goes_on(world: World) -> None:
    world.campaign()
    key = world.new_member()
    world.tick()
    world.opt_out(key)
    world.tick(days=1)
    assert enrolment(world, key).state == "left"
    consent.take_back(world.host, ContactRef("members", key), proof=Proof(ConsentWay.PAGE, evidence="pressed undo"))
    world.host.session.commit()
    world.tick(days=1)
    assert enrolment(world, key).state == "active"
    world.tick(days=5)
    assert world.mails(key) == DAYS[:2]


def test_a_suppressed_contact_leaves(world: World) -> None:
    world.campaign()
    key = world.new_member()
    world.tick()
    stop = {"scope": "all_but_transactional", "reason": "by_person", "created_at": world.clock()}
    world.host.session.add(Suppression(contact_source="members", contact_key=key, **stop))
    world.host.session.commit()
    assert world.tick(days=7) == 0
    assert enrolment(world, key).left_reason == "suppressed"


def test_a_scheduler_that_was_away_forgets_nobody_and_sends_no_two_at_once(world: World) -> None:
    world.campaign()
    key = world.new_member()
    assert world.tick(days=30) == 1
    assert world.tick() == world.tick(days=6) == 0
    assert world.tick(days=1) == 1
    assert world.tick(days=7) == 1
    assert world.tick(days=30) == 0
    assert world.mails(key) == DAYS


def test_a_tick_some_hours_late_does_not_shift_the_days(plain_world: World) -> None:
    world = plain_world
    world.campaign()
    world.new_member()
    assert world.tick(hours=10) == 1
    assert world.tick(days=6, hours=13) == 0
    assert world.tick(hours=1) == 1


def test_pause_holds_everything_and_activate_goes_on(world: World) -> None:
    campaign = world.campaign()
    early = world.new_member()
    world.tick()
    campaigns.pause(world.host, campaign, by="ada")
    world.host.session.commit()
    assert {row.state for row in world.host.session.scalars(select(Mailing))} == {"paused"}
    late = world.new_member()
    assert world.tick(days=8) == 0
    campaigns.activate(world.host, campaign, by="ada")
    world.host.session.commit()
    assert {row.state for row in world.host.session.scalars(select(Mailing))} == {"sending"}
    assert world.tick() == 2
    assert world.mails(early) == DAYS[:2]
    assert world.mails(late) == DAYS[:1]


def test_two_addresses_two_mails_and_a_shared_address_one(world: World) -> None:
    world.campaign((0,))
    both, first = world.members(2)
    world.host.session.get_one(Member, int(both)).second = "second@example.org"
    world.join(both, first)
    assert world.tick() == 2
    (same,) = world.members(1, mail="SECOND@example.org")
    world.join(same)
    world.tick(days=1)
    row = world.host.session.scalars(select(OutboxMessage).where(OutboxMessage.contact_key == same)).one()
    assert (row.state, row.reason) == ("skipped", "duplicate")
    assert enrolment(world, same).state == "finished"


def test_who_has_no_address_is_skipped_with_the_reason(plain_world: World) -> None:
    world = plain_world
    world.campaign()
    (key,) = world.members(1, mail=None)
    world.join(key)
    world.tick()
    row = world.host.session.scalars(select(OutboxMessage)).one()
    assert (row.state, row.reason) == ("skipped", "no_address")
    assert enrolment(world, key).last_day == 0


def test_an_inactive_list_is_as_if_nobody_were_on_it(plain_world: World) -> None:
    world = plain_world
    world.campaign()
    key = world.new_member()
    world.tick()
    world.list.active = False
    world.host.session.commit()
    assert world.tick(days=7) == 0
    assert enrolment(world, key).state == "left"
    world.list.active = True
    world.host.session.commit()
    assert world.tick(hours=1) == 1


def test_a_campaign_that_fails_does_not_stop_the_others(plain_world: World) -> None:
    world = plain_world
    broken = world.campaign()
    broken.contact_source, broken.name = "gone", "Broken series"
    key = world.new_member()
    world.host.session.add(
        Enrolment(
            campaign_id=broken.id,
            contact_source="members",
            contact_key=key,
            entered_at=world.clock(),
            next_due_at=world.clock(),
        )
    )
    world.host.session.commit()
    world.clock.go(minutes=1)
    world.campaign(name="Second series")
    other = world.new_member()
    assert world.tick() == 1
    assert world.mails(other) == ["Second series, day 0"]


def test_ticks_at_the_same_moment_take_one_step(world: World) -> None:
    world.campaign()
    world.join(*world.members(50))
    app = current_app._get_current_object()

    def tick() -> int:
        with app.app_context():
            return campaigns.advance(world.host)

    with ThreadPoolExecutor(4) as pool:
        moved = [future.result(60) for future in [pool.submit(tick) for _ in range(4)]]
    assert sorted(moved) == [0, 0, 0, 50]
    assert world.host.session.scalar(select(func.count()).select_from(OutboxMessage)) == 50


def test_ten_thousand_due_are_a_few_statements(world: World) -> None:
    world.campaign()
    world.join(*world.members(10_000))
    statements: list[str] = []
    listener = lambda *args: statements.append(args[2])  # noqa: E731
    event.listen(world.host.db.engine, "before_cursor_execute", listener)
    assert world.tick() == 10_000
    event.remove(world.host.db.engine, "before_cursor_execute", listener)
    assert len(statements) <= 50
    assert (
        world.host.session.scalar(select(func.count()).select_from(Enrolment).where(Enrolment.last_day == 0)) == 10_000
    )
