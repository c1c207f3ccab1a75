"""After downtime or with a restored backup everything that was due or under way asks first; nothing else does."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from flask import current_app
from sqlalchemy import select, update

from massmail_plugin import campaigns, mailings
from massmail_plugin.jobs import late_start
from massmail_plugin.jobs.late_start import guard
from massmail_plugin.models import Campaign, Heartbeat, Mailing, OutboxMessage
from massmail_plugin.vocabulary import HoldReason, MailingKind, MailingState
from tests.mailings.conftest import World


@pytest.fixture
def beats(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """beats(minutes=90): time passes, then a scheduler comes and asks. The database's clock is the test's."""
    monkeypatch.setattr(late_start, "database_now", lambda host: host.clock())

    def beat(**later: float) -> int:
        world.clock.go(**later)
        return guard(world.host, "scheduler")

    return beat


def note(world: World, mailing: Mailing) -> str:
    return world.host.session.get_one(Mailing, mailing.id, populate_existing=True).hold_note


def test_a_first_start_holds_nothing(world: World, beats: Callable[..., int]) -> None:
    mailing = world.running(3)
    assert beats(days=3) == 0
    assert world.state(mailing) == MailingState.SENDING


def test_a_short_downtime_holds_nothing(world: World, beats: Callable[..., int]) -> None:
    mailing = world.running(3)
    beats()
    for _ in range(3):
        assert beats(minutes=59) == 0
    assert world.state(mailing) == MailingState.SENDING


def test_after_a_long_one_what_was_due_or_under_way_asks(world: World, beats: Callable[..., int]) -> None:
    at = world.clock.now + timedelta(hours=1)
    sending, filling = world.running(3), world.launched(2, name="Filling")
    due = world.launched(0, name="Due", scheduled_at=at)
    later = world.launched(0, name="Later", scheduled_at=at + timedelta(days=1))
    draft = world.draft(0, name="Draft")
    beats()
    assert beats(hours=2) == 3
    found = [world.state(mailing) for mailing in (sending, filling, due, later, draft)]
    assert found == ["paused", "paused", "paused", "scheduled", "draft"]
    assert {sending.hold_reason, filling.hold_reason, due.hold_reason} == {HoldReason.LATE}
    assert "Nothing ran from 1 Mar 2027, 09:00 UTC to 1 Mar 2027, 11:00 UTC." in note(world, sending)
    assert "0 of 3 mails had been sent, 3 wait." in note(world, sending)
    assert "being gathered" in note(world, filling)
    assert "It was to start at 1 Mar 2027, 10:00 UTC." in note(world, due)
    assert {held.name for held in mailings.held_late(world.host)} == {"Spring news", "Filling", "Due"}
    assert beats(seconds=15) == 0, "it asks once"


def test_resumed_they_go_on_where_they_stopped(world: World, beats: Callable[..., int]) -> None:
    due = world.launched(3, name="Due", scheduled_at=world.clock.now + timedelta(minutes=5))
    sending = world.running(0)
    beats()
    beats(hours=2)
    for mailing in (due, sending):
        mailings.resume(world.host, mailing)
    world.host.session.commit()
    assert (world.state(due), world.state(sending)) == (MailingState.FILLING, MailingState.SENDING)
    assert beats(seconds=15) == 0
    assert mailings.fill_launched(world.host) == 1
    assert world.state(due) == MailingState.SENDING


def test_a_test_is_never_held(world: World, beats: Callable[..., int]) -> None:
    world.members(1)
    test = mailings.send_test(
        world.host,
        template_id=world.template("T"),
        addresses=["ada@example.org"],
        contact=None,
        sender_id=world.sender_id,
        by="ada",
    )
    world.host.session.commit()
    beats()
    assert beats(days=2) == 0
    assert (test.kind, world.state(test)) == (MailingKind.TEST, MailingState.SENDING)


def test_scheduler_and_workers_that_come_at_once_hold_each_mailing_once(
    world: World, beats: Callable[..., int]
) -> None:
    mailing, app = world.running(3), current_app._get_current_object()
    beats()
    world.clock.go(hours=3)
    together = threading.Barrier(4)

    def come(name: str) -> int:
        with app.app_context():
            together.wait(10)
            try:
                return guard(world.host, name)
            finally:
                world.host.session.remove()

    with ThreadPoolExecutor(4) as threads:
        held = list(threads.map(come, ["scheduler", "worker", "worker", "worker"]))
    assert sum(held) == 1
    assert note(world, mailing).count("Nothing ran") == 1
    assert beats(seconds=1) == 0


def test_the_host_can_say_that_nothing_asks(world: World, beats: Callable[..., int]) -> None:
    object.__setattr__(world.host.config, "late_minutes", 0)
    mailing = world.running(3)
    beats()
    assert beats(days=9) == 0
    assert world.state(mailing) == MailingState.SENDING


def test_a_worker_that_was_at_work_is_a_sign_of_life(world: World, beats: Callable[..., int]) -> None:
    mailing = world.running(3)
    beats()
    world.clock.go(minutes=50)
    guard(world.host, late_start.WORKER)
    assert beats(minutes=50) == 0
    assert world.state(mailing) == MailingState.SENDING


# --- a restored backup ---


def restore(world: World, to: datetime) -> None:
    """The heartbeats of the database go back in time, as all of it does; this machine's folder does not."""
    world.host.session.execute(update(Heartbeat).values(at=to))
    world.host.session.commit()


def test_with_a_restored_backup_everything_under_way_asks(world: World, beats: Callable[..., int]) -> None:
    mailing = world.running(3)
    backup = world.clock.now
    beats()
    beats(minutes=30)
    restore(world, backup)
    assert beats(seconds=15) == 1
    assert world.state(mailing) == MailingState.PAUSED
    words = note(world, mailing)
    assert "The database ends at 1 Mar 2027, 09:00 UTC" in words
    assert "at work until 1 Mar 2027, 09:30 UTC" in words
    assert "would get it a second time" in words
    assert beats(seconds=15) == 0


def test_a_few_lost_commits_are_no_restored_backup(world: World, beats: Callable[..., int]) -> None:
    mailing = world.running(3)
    beats()
    before = world.clock.now
    beats(seconds=45)
    restore(world, before)
    assert beats(seconds=15) == 0
    assert world.state(mailing) == MailingState.SENDING


@pytest.mark.parametrize("content", ["", "no time", "\0" * 40])
def test_a_broken_memory_is_no_memory(world: World, beats: Callable[..., int], content: str) -> None:
    beats()
    (world.host.state_dir / "last_seen").write_text(content)
    world.running(2)
    assert beats(seconds=15) == 0


def test_a_folder_that_cannot_be_written_stops_nothing(
    world: World, beats: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    world.host.state_dir.write_text("a file is in the way")
    assert beats() == 0
    assert "would not be noticed" in caplog.text
    assert world.host.session.scalars(select(Heartbeat.name)).all() == ["scheduler"]


# --- campaigns ---


def test_a_campaign_with_a_mail_that_fell_due_asks_and_goes_on_when_activated(
    world: World, beats: Callable[..., int]
) -> None:
    due, idle = world.campaign(days=(0, 1)), world.campaign(days=(30,), name="Idle")
    world.new_member()
    world.tick()
    world.host.session.execute(update(OutboxMessage).values(state="sent"))
    world.host.session.commit()
    beats()
    assert beats(days=2) == 1
    world.host.session.expire_all()
    assert (due.state, idle.state) == ("paused", "active")
    (held,) = mailings.held_late(world.host)
    assert (held.name, held.campaign_id, held.mailing_id) == ("Welcome series", due.id, None)
    assert world.tick() == 0, "nobody moves on meanwhile"
    campaigns.activate(world.host, world.host.session.get_one(Campaign, due.id), by="ada")
    world.host.session.commit()
    assert mailings.held_late(world.host) == []
    assert world.tick() == 1


def test_a_campaign_whose_mail_waits_to_leave_asks(world: World, beats: Callable[..., int]) -> None:
    campaign = world.campaign(days=(0,))
    world.new_member()
    world.tick()
    beats()
    assert beats(hours=2) == 1
    world.host.session.expire_all()
    assert campaign.state == "paused"
    assert "Activate it" in note(world, campaign.steps[0].mailing)
